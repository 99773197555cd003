package endtoend

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/loquat-dev/loquat/internal/telemetry"
)

// TestCollectorsInTroubleDisturbNothing: whatever a collector does, commands end
// as they do without telemetry, and the spool stays bounded. How long they take is
// measured by make bench.
func TestCollectorsInTroubleDisturbNothing(t *testing.T) {
	release := make(chan struct{})
	t.Cleanup(func() { close(release) })
	elsewhere := newCollector(t, nil)
	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", elsewhere.URL)
			w.WriteHeader(code)
		}
	}
	for name, answer := range map[string]http.HandlerFunc{
		"hangs": func(_ http.ResponseWriter, r *http.Request) {
			select {
			case <-release:
			case <-r.Context().Done():
			}
		},
		"resets": func(w http.ResponseWriter, _ *http.Request) {
			if c, _, err := w.(http.Hijacker).Hijack(); err == nil {
				_ = c.Close()
			}
		},
		"429": status(429), "500": status(500), "302": status(302),
	} {
		t.Run(name, func(t *testing.T) {
			c := newCollector(t, answer)
			i := install(t).seen()
			i.ok("train")
			off, on := i.with(map[string]string{"RASA_TELEMETRY_ENABLED": "false"}), i.with(c.env())
			for n := range 5 {
				if n > 1 {
					i.forgetSending()
				}
				want, got := off.loquatOn("hello\n/stop\n", "shell"), on.loquatOn("hello\n/stop\n", "shell")
				if got.stdout != want.stdout || got.stderr != want.stderr || got.code != 0 {
					t.Errorf("%+v, switched off %+v", got, want)
				}
			}
			if s := on.status(); s.Spool.Events > 200 || s.Spool.Events == 0 || s.LastSent != "" {
				t.Errorf("%+v", s)
			}
			server := on.serve()
			response, err := http.Post(server.url+"/webhooks/rest/webhook", "application/json", strings.NewReader(`{"sender": "a", "message": "hello"}`))
			if err != nil || response.StatusCode != 200 {
				t.Errorf("%v, %v", response, err)
			}
			server.stop()
		})
	}
	if elsewhere.count() != 0 {
		t.Error("a redirect was followed")
	}
	t.Run("plain http", func(t *testing.T) {
		i := install(t).seen().with(map[string]string{"LOQUAT_TELEMETRY_ENDPOINT": "http://telemetry.example.com", "RASA_TELEMETRY_WRITE_KEY": "key"})
		o := i.loquat("data", "validate")
		if s := i.status(); s.Mode != telemetry.Local || s.Waiting != "endpoint" || o.code != 0 || !strings.Contains(o.stderr, "refused") {
			t.Errorf("%+v, %+v", s, o)
		}
	})
}

// TestTheProxyOfTheEnvironmentIsAsked: whoever needs one has set it for all programs.
func TestTheProxyOfTheEnvironmentIsAsked(t *testing.T) {
	var mu sync.Mutex
	asked := ""
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		asked = r.Method + " " + r.Host
		w.WriteHeader(http.StatusForbidden)
	}))
	defer proxy.Close()
	i := install(t).seen().with(map[string]string{
		"LOQUAT_TELEMETRY_ENDPOINT": "https://telemetry.example.com", "RASA_TELEMETRY_WRITE_KEY": "key", "HTTPS_PROXY": proxy.URL,
	})
	i.ok("train")
	i.deliver(func() bool {
		mu.Lock()
		defer mu.Unlock()
		return asked == "CONNECT telemetry.example.com:443"
	})
}
