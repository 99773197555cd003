package httpapi

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"net/http"
	"strings"

	"github.com/golang-jwt/jwt/v5"

	"github.com/loquat-dev/loquat/internal/httpio"
)

// JWT says how signed tokens are checked. An empty Secret means not at all.
type JWT struct {
	Secret string // HS*: the shared secret; otherwise the public key in PEM
	Method string // "HS256" if empty
}

// auth decides who may use the API. Without a token and a JWT secret everybody
// may; with both, either is enough.
type auth struct {
	token  *[sha256.Size]byte // of the static token; nil if there is none
	parser *jwt.Parser        // nil if JWT is off
	key    any
}

// claims is the payload of a token. Rasa knows the roles "admin" (everything)
// and "user" (the conversation that bears the user's name).
type claims struct {
	jwt.RegisteredClaims
	User struct {
		Username string `json:"username"`
		Role     string `json:"role"`
	} `json:"user"`
}

func newAuth(token string, j JWT) (*auth, error) {
	a := &auth{}
	if token != "" {
		sum := sha256.Sum256([]byte(token))
		a.token = &sum
	}
	if j.Secret == "" {
		return a, nil
	}
	if j.Method == "" {
		j.Method = "HS256"
	}
	var err error
	if a.key, err = verificationKey(j); err != nil {
		return nil, err
	}
	a.parser = jwt.NewParser(jwt.WithValidMethods([]string{j.Method}))
	return a, nil
}

// verificationKey reads the key that a method needs.
func verificationKey(j JWT) (any, error) {
	var key any
	var err error
	switch family := j.Method[:min(2, len(j.Method))]; {
	case jwt.GetSigningMethod(j.Method) == nil || j.Method == "none":
		return nil, fmt.Errorf("JWT method %q is not known; known are HS256, HS384, HS512, RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA", j.Method)
	case family == "HS":
		return []byte(j.Secret), nil
	case family == "RS", family == "PS":
		key, err = jwt.ParseRSAPublicKeyFromPEM([]byte(j.Secret))
	case family == "ES":
		key, err = jwt.ParseECPublicKeyFromPEM([]byte(j.Secret))
	default:
		key, err = jwt.ParseEdPublicKeyFromPEM([]byte(j.Secret))
	}
	if err != nil {
		return nil, fmt.Errorf("the JWT secret must be a public key in PEM for %s: %w", j.Method, err)
	}
	return key, nil
}

// required reports whether any check is configured.
func (a *auth) required() bool { return a.token != nil || a.parser != nil }

// verdict is what auth makes of a request.
type verdict int

const (
	admitted verdict = iota
	unauthenticated
	unauthorized
	badHeader
)

// check judges a request. conversationID is "" for routes that are not about one
// conversation.
func (a *auth) check(r *http.Request, conversationID string) verdict {
	if !a.required() {
		return admitted
	}
	if a.token != nil {
		given := sha256.Sum256([]byte(r.URL.Query().Get("token")))
		if subtle.ConstantTimeCompare(given[:], a.token[:]) == 1 {
			return admitted
		}
	}
	if a.parser == nil {
		return unauthenticated
	}
	headers, present := r.Header["Authorization"]
	if !present {
		return unauthenticated
	}
	token, isBearer := strings.CutPrefix(headers[0], "Bearer ")
	if !isBearer {
		return badHeader
	}
	var c claims
	_, err := a.parser.ParseWithClaims(token, &c, func(*jwt.Token) (any, error) { return a.key, nil })
	if err != nil || len(c.Audience) > 0 { // Rasa expects no audience and refuses any
		return unauthenticated
	}
	switch {
	case c.User.Role == "admin":
		return admitted
	case c.User.Role == "user" && conversationID != "" && c.User.Username == conversationID:
		return admitted
	default:
		return unauthorized
	}
}

// admit answers a request that may not pass, and reports whether it may.
func (s *Server) admit(w http.ResponseWriter, r *http.Request, conversationID string) bool {
	switch s.auth.check(r, conversationID) {
	case admitted:
		return true
	case unauthorized:
		s.refuse(w, problem{Status: 403, Reason: "NotAuthorized", Message: "User has insufficient permissions."})
	case badHeader:
		httpio.WriteJSON(w, http.StatusBadRequest, map[string]any{
			"reasons": []string{"Authorization header is invalid."}, "exception": "InvalidAuthorizationHeader",
		})
	default:
		s.refuse(w, problem{Status: 401, Reason: "NotAuthenticated", Message: "User is not authenticated."})
	}
	return false
}
