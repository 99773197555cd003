package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/loquat-dev/loquat/internal/channel"
	"github.com/loquat-dev/loquat/internal/channel/rest"
	"github.com/loquat-dev/loquat/internal/conversation"
	"github.com/loquat-dev/loquat/internal/domain"
	"github.com/loquat-dev/loquat/internal/lockstore"
	"github.com/loquat-dev/loquat/internal/nlu"
	"github.com/loquat-dev/loquat/internal/tracker"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// bench is a small assistant: a domain with one slot, and conversations in a
// map.
type bench struct {
	domain *domain.Domain
	mu     sync.Mutex
	kept   map[string]*tracker.Tracker
	err    error

	onMessage func(context.Context, channel.Message) error
}

// Assistant makes a bench a Host that always has itself.
func (b *bench) Assistant() Assistant {
	if b.domain == nil {
		return nil
	}
	return b
}

func (b *bench) Load(_ context.Context, file string) error {
	if file != "models/good.tar.gz" {
		return errors.New("no such file")
	}
	b.domain = newBench().domain
	return nil
}

func (b *bench) Unload() { b.domain = nil }

func newBench() *bench {
	d := &domain.Domain{Slots: []*domain.Slot{{Name: "city", Type: domain.Text}}}
	d.Complete()
	return &bench{domain: d, kept: map[string]*tracker.Tracker{}}
}

func (b *bench) Status() (string, string) { return "m.tar.gz", "0123" }

func (b *bench) Tracker(_ context.Context, id string) (*tracker.Tracker, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err != nil {
		return nil, b.err
	}
	if b.kept[id] == nil {
		b.kept[id] = tracker.New(id, b.domain)
	}
	return b.kept[id], nil
}

func (b *bench) Stored(_ context.Context, id string) (*tracker.Tracker, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.kept[id] == nil {
		return nil, conversation.ErrUnknownConversation
	}
	return b.kept[id], b.err
}

func (b *bench) AppendEvents(ctx context.Context, id string, events []tracker.Event, effects channel.Output) (*tracker.Tracker, error) {
	t, err := b.Tracker(ctx, id)
	if err == nil {
		t.UpdateAll(events)
	}
	if effects != nil {
		t.Update(&tracker.SlotSet{Name: "city", Value: "effects on " + effects.Name()})
	}
	return t, err
}

func (b *bench) Execute(ctx context.Context, id, action, policy string, confidence float64, out channel.Output) (*tracker.Tracker, error) {
	t, err := b.Stored(ctx, id)
	if err != nil {
		return nil, err
	}
	if action == "unknown" {
		return nil, conversation.ErrUnknownAction
	}
	t.Update(&tracker.ActionExecuted{Name: action, Policy: policy, Confidence: confidence, HasConfidence: true})
	return t, out.Send(ctx, id, channel.Response{"text": "ran " + action})
}

func (b *bench) LogMessage(ctx context.Context, m channel.Message, parsed *tracker.UserUttered) (*tracker.Tracker, error) {
	t, err := b.Tracker(ctx, m.SenderID)
	if err == nil && parsed == nil {
		parsed = &tracker.UserUttered{Text: m.Text, HasText: true, MessageID: m.MessageID}
	}
	t.Update(parsed)
	return t, err
}

func (b *bench) Forecast(ctx context.Context, id string) (*conversation.Forecast, error) {
	t, err := b.Stored(ctx, id)
	return forecast(t), err
}

func (b *bench) ForecastEvents(_ context.Context, id string, events []tracker.Event) (*conversation.Forecast, error) {
	t := tracker.New(id, b.domain)
	t.UpdateAll(events)
	return forecast(t), b.err
}

func forecast(t *tracker.Tracker) *conversation.Forecast {
	return &conversation.Forecast{
		Actions: []string{"b", "c", "a"}, Probabilities: []float64{0.25, 0.5, 0.25}, Policy: "P", Confidence: 0.5, Tracker: t,
	}
}

func (b *bench) ModelDomain() *domain.Domain { return b.domain }

func (b *bench) ReplaceEvents(ctx context.Context, id string, events []tracker.Event) (*tracker.Tracker, error) {
	b.mu.Lock()
	b.kept[id] = tracker.New(id, b.domain)
	b.mu.Unlock()
	return b.AppendEvents(ctx, id, events, nil)
}

func (b *bench) TriggerIntent(ctx context.Context, id, intent string, entities []tracker.Entity, out channel.Output) (*tracker.Tracker, error) {
	if intent == "unknown" {
		return nil, conversation.ErrUnknownIntent
	}
	t, err := b.Tracker(ctx, id)
	if err != nil {
		return nil, err
	}
	text, _ := json.Marshal(entities)
	return t, out.Send(ctx, id, channel.Response{"text": intent + string(text)})
}

func (b *bench) Parse(_ context.Context, text, _ string) (*nlu.Message, error) {
	m := &nlu.Message{}
	m.Values[nlu.Text] = text
	return m, b.err
}

func (b *bench) HandleMessage(ctx context.Context, m channel.Message) error {
	if b.onMessage != nil {
		return b.onMessage(ctx, m)
	}
	switch m.Text {
	case "panic":
		panic("on purpose")
	case "wait":
		<-ctx.Done()
		return ctx.Err()
	case "busy":
		return lockstore.ErrQueueFull
	}
	return m.Output.Send(ctx, m.SenderID, channel.Response{"text": m.Text})
}

func newServer(t *testing.T, change func(*Settings)) *Server {
	t.Helper()
	b := newBench()
	settings := Settings{Host: b, EnableAPI: true, Log: slog.New(slog.DiscardHandler)}
	settings.Channels = []channel.Input{rest.New(settings.Log)}
	if change != nil {
		change(&settings)
	}
	s, err := New(settings)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// ask sends a request to the handlers and returns status and body.
func ask(t *testing.T, s *Server, method, target, body string, headers ...string) (int, string) {
	t.Helper()
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.Header.Set("Accept", "application/json")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

func TestRoutes(t *testing.T) {
	s := newServer(t, nil)
	for _, c := range []struct {
		method, target, body string
		status               int
		want                 string // is part of the answer
	}{
		{"GET", "/", "", 200, "Hello from Rasa: 3.6.21"},
		{"HEAD", "/", "", 405, ""},
		{"POST", "/", "{}", 405, "Method POST not allowed for URL /"},
		{"OPTIONS", "/", "", 200, ""},
		{"OPTIONS", "/nothing", "", 404, ""},
		{"GET", "/version", "", 200, `"minimum_compatible_version":"3.6.21"`},
		{"GET", "/version/", "", 200, `"version":"3.6.21"`},
		{"GET", "//version", "", 404, ""},
		{"GET", "/./version", "", 404, ""},
		{"GET", "/status", "", 200, `{"model_file":"m.tar.gz","model_id":"0123","num_active_training_jobs":0}`},
		{"GET", "/nothing", "", 404, `"message":"Requested URL /nothing not found"`},
		{"GET", "/healthz", "", 200, "ok"},
		{"GET", "/readyz", "", 200, "ready"},
		{"GET", "/webhooks/rest", "", 200, `{"status":"ok"}`},
		{"GET", "/webhooks/rest/", "", 200, `{"status":"ok"}`},
		{"POST", "/webhooks/rest/webhook", `{"sender":"a","message":"hi"}`, 200, `[{"recipient_id":"a","text":"hi"}]`},
		{"POST", "/webhooks/rest/webhook", `{"sender":"a","message":"panic"}`, 500, "internal error"},
		{"POST", "/webhooks/rest/webhook", `{"sender":"a","message":"busy"}`, 429, ""},
		{"GET", "/model/train", "", 405, ""},
		{"GET", "/conversations/a/execute", "", 405, ""},
		{"GET", "/conversations/a", "", 404, ""},
		{"GET", "/conversations/%ff%00/tracker", "", 200, ""},
		{"GET", "/conversations/a/tracker?include_events=some", "", 400, `"details":{"in":"query","parameter":"include_events"}`},
		{"GET", "/conversations/a/tracker?include_events=none", "", 200, `"events":null`},
		{"GET", "/conversations/a/tracker?until=yesterday", "", 200, `"events":[]`},
		{"POST", "/conversations/a/trigger_intent", `{"name":"greet","entities":{"city":"Paris"}}`, 200, `greet[{\"entity\":\"city\",\"value\":\"Paris\"}]`},
		{"POST", "/conversations/a/trigger_intent", `{"name":"greet","entities":{"to":"Oslo","from":1,"to":["Rome"]}}`, 200,
			`greet[{\"entity\":\"to\",\"value\":[\"Rome\"]},{\"entity\":\"from\",\"value\":1}]`},
		{"POST", "/conversations/a/trigger_intent", `{"name":"greet","entities":"Paris"}`, 200, `"messages":[{"recipient_id":"a","text":"greetnull"}]`},
		{"POST", "/conversations/a/trigger_intent", `{"name":"unknown"}`, 404, `"reason":"NotFound"`},
		{"POST", "/conversations/a/trigger_intent", `{}`, 400, `"details":{"in":"body","parameter":"name"}`},
		{"POST", "/conversations/a/trigger_intent", ``, 500, ""},
		{"POST", "/model/parse", `{"text":"hi"}`, 200, `{"text":"hi","intent":{"name":null,"confidence":0.0},"entities":[]}`},
		{"POST", "/model/parse", ``, 400, `"reason":"BadRequest"`},
		{"POST", "/model/parse", `{"q":1}`, 500, `"reason":"ParsingError"`},
		{"POST", "/model/parse", `{`, 500, `"reason":"ParsingError"`},
		{"POST", "/model/parse", `[]`, 500, `"message":"the body is no JSON object: it is of type array"`},
		{"POST", "/model/parse", `{"text":"hi","message_id":5}`, 500, `"message":"\"message_id\" is of the wrong type: number"`},
		{"POST", "/model/parse?emulation_mode=x", `{"text":"hi"}`, 400, `"parameter":"emulation_mode"`},
	} {
		status, body := ask(t, s, c.method, c.target, c.body)
		if status != c.status || !strings.Contains(body, c.want) {
			t.Errorf("%s %s %s: %d %s\nwant %d %s", c.method, c.target, c.body, status, body, c.status, c.want)
		}
	}
}

func TestWithoutAPI(t *testing.T) {
	s := newServer(t, func(s *Settings) { s.EnableAPI = false })
	for target, want := range map[string]int{
		"/": 200, "/webhooks/rest/": 200, "/healthz": 200, "/version": 404, "/status": 404, "/conversations/a/tracker": 404, "/domain": 404,
	} {
		if status, body := ask(t, s, "GET", target, ""); status != want {
			t.Errorf("%s: %d %s, want %d", target, status, body, want)
		}
	}
}

func TestWithoutModel(t *testing.T) {
	s := newServer(t, func(s *Settings) { s.Host = &bench{} })
	for target, want := range map[string]int{"/": 200, "/version": 200, "/status": 409, "/conversations/a/tracker": 409, "/readyz": 503} {
		if status, body := ask(t, s, "GET", target, ""); status != want {
			t.Errorf("%s: %d %s, want %d", target, status, body, want)
		}
	}
	if status, body := ask(t, s, "POST", "/webhooks/rest/webhook", `{"message":"hi"}`); status != 200 || body != "[]" {
		t.Errorf("%d %s", status, body)
	}
}

// Identifiers come percent-encoded and may contain anything.
func TestConversationIDs(t *testing.T) {
	s := newServer(t, nil)
	for target, want := range map[string]string{
		"/conversations/a/b/c/tracker":              "a/b/c",
		"/conversations/a%2Fb/tracker":              "a/b",
		"/conversations/%C3%A4%20%E4%BD%A0/tracker": "ä 你",
		"/conversations/a+b/tracker":                "a+b",
		"/conversations//tracker":                   "default",
		"/conversations/tracker/tracker":            "tracker",
		"/conversations/../x/tracker":               "../x",
		"/conversations/a//b/tracker/":              "a//b",
	} {
		status, body := ask(t, s, "GET", target, "")
		var state struct {
			ID string `json:"sender_id"`
		}
		if err := json.Unmarshal([]byte(body), &state); err != nil || status != 200 || state.ID != want {
			t.Errorf("%s: %d %s, want conversation %q", target, status, body, want)
		}
	}
}

func TestEvents(t *testing.T) {
	s := newServer(t, nil)
	for _, c := range []struct {
		method, body string
		status       int
		want         string
	}{
		{"POST", `{"event":"slot","name":"city","value":"Paris"}`, 200, `"city":"Paris"`},
		{"POST", `[{"event":"slot","name":"city","value":"Rome"},{"event":"pause"}]`, 200, `"paused":true`},
		{"POST", `[]`, 400, "there is no event"},
		{"POST", ``, 400, `"reason":"BadRequest"`},
		{"POST", `[{"event":"slot","name":"city"}]`, 400, `element 0: event \"slot\": value`},
		{"POST", `{"event":"teleport"}`, 400, `"reason":"BadRequest"`},
		{"POST", `"slot"`, 400, "element 0 is not an object"},
		{"POST", `[{`, 400, `"description":"Bad Request"`},
		{"PUT", `{"event":"slot","name":"city","value":"Oslo"}`, 200, `"city":"Oslo"`},
		{"PUT", `[]`, 200, `"events":[]`},
	} {
		status, body := ask(t, s, c.method, "/conversations/a/tracker/events", c.body)
		if status != c.status || !strings.Contains(body, c.want) {
			t.Errorf("%s %s: %d %s\nwant %d %s", c.method, c.body, status, body, c.status, c.want)
		}
	}
	reminder := `{"event":"reminder","date_time":"2099-01-01T12:00:00"}`
	if status, body := ask(t, s, "POST", "/conversations/a/tracker/events?execute_side_effects=True", reminder); status != 200 || !strings.Contains(body, `"city":"effects on collector"`) {
		t.Errorf("side effects of a reminder: %d %s", status, body)
	}
}

func TestErrorsTellNoSecrets(t *testing.T) {
	b := newBench()
	b.err = errors.New("password=hunter2")
	s := newServer(t, func(s *Settings) { s.Host = b })
	for target, reason := range map[string]string{"GET /conversations/a/tracker": "ConversationError", "POST /model/parse": "ParsingError"} {
		method, path, _ := strings.Cut(target, " ")
		status, body := ask(t, s, method, path, `{"text":"hi"}`)
		if status != 500 || !strings.Contains(body, reason) || strings.Contains(body, "hunter2") {
			t.Errorf("%s: %d %s", target, status, body)
		}
	}
}

func TestResponseTimeout(t *testing.T) {
	s := newServer(t, func(s *Settings) { s.ResponseTimeout = time.Millisecond })
	status, body := ask(t, s, "POST", "/webhooks/rest/webhook", `{"message":"wait"}`)
	if status != 503 || !strings.Contains(body, "Response Timeout") {
		t.Errorf("%d %s", status, body)
	}
}

func TestReadinessNamesWhatIsMissing(t *testing.T) {
	s := newServer(t, func(s *Settings) {
		s.Checks = map[string]Check{
			"tracker_store": func(context.Context) error { return errors.New("10.0.0.7 refused") },
			"lock_store":    func(context.Context) error { return nil },
		}
	})
	status, body := ask(t, s, "GET", "/readyz", "")
	if status != 503 || !strings.Contains(body, `"tracker_store":"unavailable"`) || !strings.Contains(body, `"lock_store":"ok"`) || strings.Contains(body, "10.0") {
		t.Errorf("%d %s", status, body)
	}
}

// A server that is told to stop finishes what runs and takes nothing new.
func TestDrain(t *testing.T) {
	running, finish := make(chan struct{}), make(chan struct{})
	s := newServer(t, func(s *Settings) {
		s.Host.(*bench).onMessage = func(ctx context.Context, m channel.Message) error {
			close(running)
			<-finish
			return m.Output.Send(ctx, m.SenderID, channel.Response{"text": "done"})
		}
	})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx, l, time.Minute) }()

	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	answered := make(chan string, 1)
	go func() {
		resp, err := client.Post("http://"+l.Addr().String()+"/webhooks/rest/webhook", "application/json", strings.NewReader(`{"message":"hi"}`))
		if err != nil {
			answered <- err.Error()
			return
		}
		defer resp.Body.Close()
		data, _ := io.ReadAll(resp.Body)
		answered <- string(data)
	}()
	<-running
	stop()
	for !s.draining.Load() {
		time.Sleep(time.Millisecond)
	}
	if status, _ := ask(t, s, "POST", "/webhooks/rest/webhook", `{"message":"hi"}`); status != 503 {
		t.Errorf("a new message while draining: %d, want 503", status)
	}
	if status, body := ask(t, s, "GET", "/readyz", ""); status != 503 || !strings.Contains(body, `"accepting":"unavailable"`) {
		t.Errorf("readyz while draining: %d %s", status, body)
	}
	close(finish)
	if got := <-answered; !strings.Contains(got, "done") {
		t.Errorf("the running turn got %q", got)
	}
	if err := <-served; err != nil {
		t.Errorf("Serve: %v", err)
	}
}

func TestCORS(t *testing.T) {
	for _, c := range []struct {
		name, configured, origin string
		allowed, credentials     string
	}{
		{"listed", "http://a.example http://b.example", "http://a.example", "http://a.example", "true"},
		{"not listed", "http://a.example", "http://c.example", "", ""},
		{"null", "http://a.example", "null", "", ""},
		{"none configured", "", "http://a.example", "", ""},
		{"any", "*", "http://a.example", "*", ""},
		{"any without origin", "*", "", "*", ""},
	} {
		s := newServer(t, func(s *Settings) { s.CORS, s.AuthToken = strings.Fields(c.configured), "secret" })
		for _, method := range []string{"GET", "OPTIONS"} {
			r := httptest.NewRequest(method, "/status", nil) // 401: errors can be read, too
			if c.origin != "" {
				r.Header.Set("Origin", c.origin)
				r.Header.Set("Access-Control-Request-Method", "GET")
				r.Header.Set("Access-Control-Request-Headers", "x-a, x-b")
			}
			w := httptest.NewRecorder()
			s.Handler().ServeHTTP(w, r)
			h := w.Header()
			if h.Get("Access-Control-Allow-Origin") != c.allowed || h.Get("Access-Control-Allow-Credentials") != c.credentials {
				t.Errorf("%s, %s: %v", c.name, method, h)
			}
			if preflight := method == "OPTIONS" && c.allowed != "" && c.origin != ""; preflight != (h.Get("Access-Control-Allow-Headers") == "x-a, x-b") {
				t.Errorf("%s, %s: %v", c.name, method, h)
			}
			if c.configured != "" && c.configured != "*" && !slices.Contains(h["Vary"], "Origin") {
				t.Errorf("%s, %s: a cache may mix up origins: %v", c.name, method, h)
			}
		}
	}
}

func BenchmarkMessage(b *testing.B) {
	a := newBench()
	settings := Settings{Host: a, Log: slog.New(slog.DiscardHandler)}
	settings.Channels = []channel.Input{rest.New(settings.Log)}
	s, err := New(settings)
	if err != nil {
		b.Fatal(err)
	}
	h := s.Handler()
	b.ReportAllocs()
	for b.Loop() {
		r := httptest.NewRequest("POST", "/webhooks/rest/webhook", strings.NewReader(`{"sender":"a","message":"hi"}`))
		h.ServeHTTP(httptest.NewRecorder(), r)
	}
}
