package httpapi

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

const secret = "golden-secret-golden-secret-golden-secret"

func sign(t *testing.T, method jwt.SigningMethod, key any, payload jwt.MapClaims) string {
	t.Helper()
	token, err := jwt.NewWithClaims(method, payload).SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return "Bearer " + token
}

func user(name, role string) jwt.MapClaims {
	return jwt.MapClaims{"user": map[string]any{"username": name, "role": role}}
}

func with(c jwt.MapClaims, key string, value any) jwt.MapClaims {
	c[key] = value
	return c
}

func TestAuth(t *testing.T) {
	hs256 := func(c jwt.MapClaims) string { return sign(t, jwt.SigningMethodHS256, []byte(secret), c) }
	none := sign(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, user("boss", "admin"))
	in := func(d time.Duration) int64 { return time.Now().Add(d).Unix() }
	const own, other, status = "/conversations/u1/tracker", "/conversations/u2/tracker", "/status"
	type want map[string]int
	for _, c := range []struct {
		name, query, header string
		token, jwt          bool
		want                want
	}{
		{"open", "", "", false, false, want{status: 200, own: 200}},
		{"token", "?token=secret", "", true, false, want{status: 200, own: 200}},
		{"first token counts", "?token=secret&token=x", "", true, false, want{status: 200}},
		{"wrong token first", "?token=x&token=secret", "", true, false, want{status: 401}},
		{"no token", "", "", true, false, want{status: 401, own: 401, "/version": 200, "/": 200, "/webhooks/rest/": 200, "/domain": 401}},
		{"empty token", "?token=", "", true, false, want{status: 401}},
		{"token in a header", "", "Bearer secret", true, false, want{status: 401}},
		{"admin", "", hs256(user("boss", "admin")), false, true, want{status: 200, own: 200, other: 200, "/domain": 200}},
		{"user", "", hs256(user("u1", "user")), false, true, want{status: 403, own: 200, other: 403, "/domain": 403, "/conversations/%751/tracker": 200}},
		{"user without a name", "", hs256(user("", "user")), false, true, want{"/conversations//tracker": 403}},
		{"guest", "", hs256(user("u1", "guest")), false, true, want{status: 403, own: 403}},
		{"nobody", "", hs256(jwt.MapClaims{"sub": "u1"}), false, true, want{status: 403, own: 403}},
		{"user is a string", "", hs256(jwt.MapClaims{"user": "u1"}), false, true, want{status: 401, own: 401}},
		{"other secret", "", sign(t, jwt.SigningMethodHS256, []byte("other"), user("boss", "admin")), false, true, want{status: 401}},
		{"other algorithm", "", sign(t, jwt.SigningMethodHS512, []byte(secret), user("boss", "admin")), false, true, want{status: 401}},
		{"no signature", "", none, false, true, want{status: 401}},
		{"expired", "", hs256(with(user("boss", "admin"), "exp", in(-time.Minute))), false, true, want{status: 401}},
		{"not yet", "", hs256(with(user("boss", "admin"), "nbf", in(time.Hour))), false, true, want{status: 401}},
		{"in time", "", hs256(with(user("boss", "admin"), "exp", in(time.Hour))), false, true, want{status: 200}},
		{"for somebody else", "", hs256(with(user("boss", "admin"), "aud", "x")), false, true, want{status: 401}},
		{"garbage", "", "Bearer abc.def.ghi", false, true, want{status: 401}},
		{"lower-case scheme", "", "bearer x", false, true, want{status: 400}},
		{"basic", "", "Basic x", false, true, want{status: 400}},
		{"no JWT", "", "", false, true, want{status: 401}},
		{"both, token", "?token=secret", "Bearer abc.def.ghi", true, true, want{status: 200}},
		{"both, JWT", "?token=x", hs256(user("boss", "admin")), true, true, want{status: 200}},
		{"both, neither", "?token=x", "Bearer abc.def.ghi", true, true, want{status: 401}},
	} {
		s := newServer(t, func(s *Settings) {
			if c.token {
				s.AuthToken = "secret"
			}
			if c.jwt {
				s.JWT = JWT{Secret: secret}
			}
		})
		for path, want := range c.want {
			var headers []string
			if c.header != "" {
				headers = []string{"Authorization", c.header}
			}
			if got, body := ask(t, s, "GET", path+c.query, "", headers...); got != want {
				t.Errorf("%s: GET %s: %d %s, want %d", c.name, path, got, body, want)
			}
		}
	}
}

func TestAsymmetricKeys(t *testing.T) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	key := string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	s := newServer(t, func(s *Settings) { s.JWT = JWT{Secret: key, Method: "EdDSA"} })
	good := sign(t, jwt.SigningMethodEdDSA, private, user("boss", "admin"))
	// The oldest trick: the public key taken for a shared secret.
	forged := sign(t, jwt.SigningMethodHS256, []byte(key), user("boss", "admin"))
	for token, want := range map[string]int{good: 200, forged: 401} {
		if got, _ := ask(t, s, "GET", "/status", "", "Authorization", token); got != want {
			t.Errorf("%.30s: %d, want %d", token, got, want)
		}
	}
}

func TestWrongJWTSettings(t *testing.T) {
	for _, j := range []JWT{{"x", "none"}, {"x", "HS1"}, {"x", "X"}, {"not a key", "RS256"}, {"not a key", "ES256"}} {
		if _, err := New(Settings{JWT: j}); err == nil {
			t.Errorf("%+v was accepted", j)
		}
	}
}
