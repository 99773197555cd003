package webhook_test

import (
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/loquat-dev/loquat/internal/action"
	"github.com/loquat-dev/loquat/internal/action/webhook"
	"github.com/loquat-dev/loquat/internal/domain"
	"github.com/loquat-dev/loquat/internal/tracker"
)

func run(t *testing.T, s webhook.Settings) (action.Reply, error) {
	t.Helper()
	d := &domain.Domain{Actions: []domain.Action{{Name: "action_x"}}}
	d.Complete()
	c, err := webhook.New(s, d, []byte(`{"the":"domain"}`))
	if err != nil {
		t.Fatal(err)
	}
	return c.Run(t.Context(), "action_x", tracker.New("c", d))
}

func answer(t *testing.T, body string) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(body))
	}))
	t.Cleanup(s.Close)
	return s
}

func TestHostileAnswersAreRefused(t *testing.T) {
	for name, c := range map[string]struct{ body, err string }{
		"too large":       {`{"events":[],"x":"` + strings.Repeat("a", 17<<20) + `"}`, "more than 16777216 bytes"},
		"too deep":        {`{"events":` + strings.Repeat("[", 100_000), "nested more than 200 levels deep"},
		"too many events": {`{"events":[` + strings.TrimSuffix(strings.Repeat("{},", 10_001), ",") + `]}`, "more than 10000 items"},
		"unknown event":   {`{"events":[{"event":"teleport"}]}`, `events[0]: event "teleport"`},
		"text is a number": {
			`{"responses":[{"text":5}]}`, "responses[0]: text is not a string",
		},
		"buttons are strings": {`{"responses":[{"buttons":["yes"]}]}`, "responses[0]: buttons[0] is not an object"},
		"two values":          {`{} {}`, "something follows"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := run(t, webhook.Settings{URL: answer(t, c.body).URL})
			if err == nil || !strings.Contains(err.Error(), c.err) || !strings.Contains(err.Error(), `run action "action_x"`) {
				t.Errorf("got %v, want %q", err, c.err)
			}
		})
	}
}

func TestRedirectsStayOnTheHost(t *testing.T) {
	other := answer(t, `{"events":[{"event":"restart"}]}`)
	var s *httptest.Server
	s = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/away":
			http.Redirect(w, r, other.URL, http.StatusTemporaryRedirect)
		case "/here":
			http.Redirect(w, r, s.URL+"/webhook", http.StatusTemporaryRedirect)
		default:
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte(`{"events":[{"event":"pause"}]}`))
		}
	}))
	defer s.Close()
	if reply, err := run(t, webhook.Settings{URL: s.URL + "/here"}); err != nil || len(reply.Events) != 1 {
		t.Errorf("same host: %v, %v", reply, err)
	}
	if _, err := run(t, webhook.Settings{URL: s.URL + "/away", Token: "hush"}); err == nil || !strings.Contains(err.Error(), "another host") {
		t.Errorf("other host: %v", err)
	}
}

func TestErrorsHoldNoSecrets(t *testing.T) {
	s := answer(t, "")
	s.Close()
	_, err := run(t, webhook.Settings{URL: s.URL + "/webhook", Token: "hush", Params: map[string]string{"key": "hush"}, Username: "u", Password: "hush"})
	if err == nil || strings.Contains(err.Error(), "hush") || !strings.Contains(err.Error(), s.URL) {
		t.Errorf("got %v", err)
	}
}

func TestRejectionNamesTheAction(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write([]byte(`{"error":"not now","action_name":"action_x"}`))
	}))
	defer s.Close()
	_, err := run(t, webhook.Settings{URL: s.URL})
	if rejected, ok := errors.AsType[*action.RejectedError](err); !ok || rejected.Reason != "not now" {
		t.Errorf("got %v", err)
	}
}

// Newer action servers answer 449 when they lack the domain.
func TestDomainIsSentWhenAskedFor(t *testing.T) {
	var got []bool
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var request map[string]any
		if err := json.NewDecoder(r.Body).Decode(&request); err != nil {
			t.Error(err)
		}
		got = append(got, request["domain"] != nil)
		if request["domain"] == nil {
			w.WriteHeader(449)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{}`))
	}))
	defer s.Close()
	if _, err := run(t, webhook.Settings{URL: s.URL, SelectiveDomain: true}); err != nil || len(got) != 2 || got[0] || !got[1] {
		t.Errorf("domain sent %v, error %v", got, err)
	}
}

// With domain_digest the domain is sent once, and again when the server has
// forgotten it.
func TestADigestStandsForTheDomain(t *testing.T) {
	var got []string
	known := ""
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var request struct {
			Domain any
			Digest string `json:"domain_digest"`
		}
		if err := json.NewDecoder(r.Body).Decode(&request); err != nil {
			t.Error(err)
		}
		got = append(got, fmt.Sprint(request.Domain != nil))
		if request.Domain == nil && request.Digest != known {
			w.WriteHeader(449)
			return
		}
		known = request.Digest
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{}`))
	}))
	defer s.Close()
	for range 2 {
		if _, err := run(t, webhook.Settings{URL: s.URL, DomainDigest: true}); err != nil {
			t.Error(err)
		}
	}
	if strings.Join(got, " ") != "false true false" || len(known) != 64 {
		t.Errorf("domain sent: %v, digest %q", got, known)
	}
}

func TestPrivateCA(t *testing.T) {
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{}`))
	}))
	defer s.Close()
	s.Config.ErrorLog = nil
	file := filepath.Join(t.TempDir(), "ca.pem")
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	if err := os.WriteFile(file, ca, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := run(t, webhook.Settings{URL: s.URL, CAFile: file}); err != nil {
		t.Error(err)
	}
	if _, err := run(t, webhook.Settings{URL: s.URL}); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("without the CA: %v", err)
	}
}

func TestWrongSettingsAreNamed(t *testing.T) {
	d := &domain.Domain{}
	d.Complete()
	for url, want := range map[string]string{"": "action_endpoint", "ftp://x": "ftp://x", "localhost:5055": "localhost:5055"} {
		if _, err := webhook.New(webhook.Settings{URL: url}, d, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", url, err)
		}
	}
	if _, err := webhook.New(webhook.Settings{URL: "https://x", CAFile: "nowhere.pem"}, d, nil); err == nil || !strings.Contains(err.Error(), "cafile") {
		t.Errorf("cafile: %v", err)
	}
}

func FuzzAnswer(f *testing.F) {
	f.Add(`{"events":[{"event":"slot","name":"a","value":1}],"responses":[{"text":"x","buttons":[{"title":"t"}]}]}`)
	f.Fuzz(func(t *testing.T, body string) {
		_, _ = webhook.ParseReply([]byte(body))
	})
}
