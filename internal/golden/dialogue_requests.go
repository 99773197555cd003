package golden

import (
	"bytes"
	"compress/zlib"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"

	"github.com/loquat-dev/loquat/internal/action"
	"github.com/loquat-dev/loquat/internal/action/webhook"
	"github.com/loquat-dev/loquat/internal/channel"
	"github.com/loquat-dev/loquat/internal/conversation"
	"github.com/loquat-dev/loquat/internal/graph"
	"github.com/loquat-dev/loquat/internal/lockstore/memlock"
	"github.com/loquat-dev/loquat/internal/nlg"
	"github.com/loquat-dev/loquat/internal/nlu"
	"github.com/loquat-dev/loquat/internal/trackerstore/memstore"
)

// ActionRequests compares what is posted to an action server: every tracker, the
// domain, headers, and the options of action_endpoint.
func ActionRequests() []Check {
	options := webhook.Settings{
		SelectiveDomain: true, Token: "secret-token", TokenName: "my_token", Compress: true,
		Params: map[string]string{"a": "b"}, Headers: map[string]string{"X-Extra": "extra"}, Username: "me", Password: "pw",
	}
	return []Check{
		{"http/action_server/requests.json", func(dir string) Report {
			return actionRequests(dir, "http/action_server/requests.json", webhook.Settings{})
		}},
		{"http/action_server/requests_options.json", func(dir string) Report {
			return actionRequests(dir, "http/action_server/requests_options.json", options)
		}},
	}
}

// requestRecord is one request, or the replies at the end of a turn.
type requestRecord struct {
	Sender  string `json:"sender"`
	Message string `json:"after_user_message"`
	Call    int    `json:"call"`
	Of      int    `json:"of"`
	Request *struct {
		Query   map[string]string `json:"query"`
		Headers map[string]string `json:"headers"`
		JSON    map[string]any    `json:"json"`
	} `json:"request"`
	Answer struct {
		Status int             `json:"status"`
		JSON   json.RawMessage `json:"json"`
	} `json:"answer"`
	Replies json.RawMessage `json:"replies"`
}

func actionRequests(dir, name string, settings webhook.Settings) Report {
	report := Report{File: name}
	var golden struct {
		Requests []requestRecord `json:"requests"`
	}
	if err := load(dir, name, &golden); err != nil {
		return fail(name, err)
	}
	understood, err := recordedParses(dir, golden.Requests)
	if err != nil {
		return fail(name, err)
	}
	policies, err := trainPolicies(filepath.Join(dir, "http", "project"), []graph.Config{
		{"name": "MemoizationPolicy", "max_history": 5.0}, {"name": "RulePolicy"},
	})
	if err != nil {
		return fail(name, err)
	}
	d := policies.domain
	domainJSON, err := json.Marshal(d)
	if err != nil {
		return fail(name, err)
	}
	listener := &listeningServer{}
	server := httptest.NewServer(listener)
	defer server.Close()
	settings.URL = server.URL + "/webhook"
	client, err := webhook.New(settings, d, domainJSON)
	if err != nil {
		return fail(name, err)
	}
	logger := slog.New(slog.DiscardHandler)
	p := conversation.New(conversation.Settings{
		Domain: d, Interpreter: understood, Predictor: policies, Store: memstore.New(d), Locks: memlock.New(0), Logger: logger,
		Actions: &action.Runner{Domain: d, NLG: nlg.NewTemplates(d, first, logger), Server: client, Logger: logger},
		ModelID: strings.Repeat("a", 32), AssistantID: "golden-http",
	})
	defer p.Close()
	for turn := range turns(golden.Requests) {
		record := turn[len(turn)-1]
		listener.expect(turn)
		out := channel.NewCollector()
		err := p.HandleMessage(context.Background(), channel.Message{
			Text: record.Message, HasText: true, SenderID: record.Sender, Channel: "rest", MessageID: strings.Repeat("b", 32), Output: out,
		})
		if err != nil {
			return fail(name, fmt.Errorf("%s %q: %w", record.Sender, record.Message, err))
		}
		listener.report(&report, record.Sender+" "+record.Message)
		if record.Replies != nil {
			report.equal(record.Sender+" "+record.Message, differs("replies", record.Replies, out.Messages()))
		}
	}
	return report
}

// turns yields the records of one message after the other: its requests, and in
// one of the files its replies.
func turns(records []requestRecord) iter.Seq[[]requestRecord] {
	return func(yield func([]requestRecord) bool) {
		for len(records) > 0 {
			n := 0
			for n < len(records) && records[n].Request != nil && records[n].Call == n+1 {
				n++
			}
			if n < len(records) && records[n].Request == nil {
				n++
			}
			if !yield(records[:n:n]) {
				return
			}
			records = records[n:]
		}
	}
}

// listeningServer compares requests with recorded ones and gives the recorded
// answers.
type listeningServer struct {
	mu          sync.Mutex
	expected    []requestRecord
	differences []string
}

func (s *listeningServer) expect(records []requestRecord) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expected, s.differences = records, nil
	if last := len(records) - 1; records[last].Request == nil {
		s.expected = records[:last]
	}
}

// report counts the requests of a turn.
func (s *listeningServer) report(r *Report, where string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, d := range s.differences {
		r.equal(fmt.Sprintf("%s, request %d", where, i), d)
	}
	for i := range s.expected {
		r.equal(fmt.Sprintf("%s, request %d", where, len(s.differences)+i), "was not made")
	}
}

func (s *listeningServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.expected) == 0 {
		s.differences = append(s.differences, "more requests than recorded")
		return
	}
	record := s.expected[0]
	s.expected = s.expected[1:]
	s.differences = append(s.differences, record.compare(r))
	w.Header().Set("Content-Type", "application/json")
	if record.Answer.Status == 0 { // not recorded
		record.Answer.Status, record.Answer.JSON = http.StatusOK, json.RawMessage("{}")
	}
	w.WriteHeader(record.Answer.Status)
	_, _ = w.Write(record.Answer.JSON)
}

func (record *requestRecord) compare(r *http.Request) string {
	for key, want := range record.Request.Headers {
		switch key {
		case "authorization", "content-encoding", "content-type", "x-extra":
			if got := r.Header.Get(key); got != want {
				return fmt.Sprintf("header %s: got %q, want %q", key, got, want)
			}
		}
	}
	query := map[string]string{}
	for key := range r.URL.Query() {
		query[key] = r.URL.Query().Get(key)
	}
	if d := differs("query", record.Request.Query, query); d != "" {
		return d
	}
	body, err := io.ReadAll(r.Body)
	if err == nil && r.Header.Get("Content-Encoding") == "deflate" {
		var z io.ReadCloser
		if z, err = zlib.NewReader(bytes.NewReader(body)); err == nil {
			body, err = io.ReadAll(z)
		}
	}
	if err != nil {
		return err.Error()
	}
	var got map[string]any
	if err := json.Unmarshal(body, &got); err != nil {
		return err.Error()
	}
	for key, text := range map[string]string{"tracker": "<tracker>", "domain": "<domain as in GET /domain>"} {
		if _, ok := record.Request.JSON[key].(string); ok && got[key] != nil {
			record.Request.JSON[key], got[key] = text, text
		}
	}
	record.Request.JSON["version"] = got["version"]
	return differs("json", record.Request.JSON, got)
}

// recordedInterpreter understands messages as they are recorded.
type recordedInterpreter map[string]map[string]any

// Parse implements conversation.Interpreter.
func (r recordedInterpreter) Parse(_ context.Context, m *nlu.Message) error {
	parse, ok := r[m.Values[nlu.Text]]
	if !ok {
		return fmt.Errorf("no recorded parse of %q", m.Values[nlu.Text])
	}
	intent := parse["intent"].(map[string]any)
	m.Intent = &nlu.Intent{Name: intent["name"].(string), Confidence: float(intent["confidence"])}
	for _, x := range parse["entities"].([]any) {
		m.Entities = append(m.Entities, entity(x.(map[string]any)))
	}
	spans, tokenized := parse["text_tokens"].([]any)
	m.Decided = !tokenized
	for _, x := range spans {
		span := x.([]any)
		m.Tokens[nlu.Text] = append(m.Tokens[nlu.Text], nlu.Token{Start: int(float(span[0])), End: int(float(span[1]))})
	}
	ranking, _ := parse["intent_ranking"].([]any)
	for _, x := range ranking {
		entry := x.(map[string]any)
		m.Ranking = append(m.Ranking, nlu.Intent{Name: entry["name"].(string), Confidence: float(entry["confidence"])})
	}
	return nil
}

// recordedParses collects the parses that recorded trackers hold.
func recordedParses(dir string, records []requestRecord) (recordedInterpreter, error) {
	out := recordedInterpreter{"thai": {
		"intent":   map[string]any{"name": "inform", "confidence": 1.0},
		"entities": []any{map[string]any{"entity": "cuisine", "value": "thai", "start": 0.0, "end": 4.0, "extractor": "RegexEntityExtractor"}},
	}}
	var all struct {
		Requests []requestRecord `json:"requests"`
	}
	if err := load(dir, "http/action_server/requests.json", &all); err != nil {
		return nil, err
	}
	for _, r := range append(all.Requests, records...) {
		if r.Request == nil {
			continue
		}
		t, _ := r.Request.JSON["tracker"].(map[string]any)
		events, _ := t["events"].([]any)
		for _, x := range events {
			e, _ := x.(map[string]any)
			if parse, ok := e["parse_data"].(map[string]any); ok {
				text, _ := parse["text"].(string)
				out[text] = parse
			}
		}
	}
	return out, nil
}
