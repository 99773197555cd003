package golden

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/loquat-dev/loquat/internal/action"
	"github.com/loquat-dev/loquat/internal/action/webhook"
	"github.com/loquat-dev/loquat/internal/channel"
	"github.com/loquat-dev/loquat/internal/conversation"
	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/domain"
	"github.com/loquat-dev/loquat/internal/lockstore/memlock"
	"github.com/loquat-dev/loquat/internal/nlg"
	"github.com/loquat-dev/loquat/internal/project"
	"github.com/loquat-dev/loquat/internal/tracker"
	"github.com/loquat-dev/loquat/internal/trackerstore/memstore"
)

// ActionAnswers compares what comes of each kind of answer that an action server
// can give, with the recorded intents and predictions.
var ActionAnswers = Check{actionAnswersFile, actionAnswers}

const actionAnswersFile = "http/action_server/responses.json"

// answerCase is one scripted answer and what Rasa made of it.
type answerCase struct {
	Case       string           `json:"case"`
	Messages   []string         `json:"messages"` // the last one leads to the answer
	Answer     json.RawMessage  `json:"answer"`
	Replies    json.RawMessage  `json:"replies"`
	Events     []map[string]any `json:"events"` // since the last user message
	SlotsSet   map[string]any   `json:"slots_set"`
	ActiveLoop map[string]any   `json:"active_loop"`
	Followup   any              `json:"followup_action"`
	Paused     bool             `json:"paused"`
}

// scriptedAnswer is what the action server answers, byte by byte.
type scriptedAnswer struct {
	Status      int               `json:"status"`
	JSON        json.RawMessage   `json:"json"`
	Text        *string           `json:"text"`
	ContentType string            `json:"content_type"`
	Headers     map[string]string `json:"headers"`
	Drop        bool              `json:"drop"`
	Settle      float64           `json:"settle"` // seconds to wait for reminders
}

// better names the cases where ours is different on purpose, see
// docs/compatibility.md.
var better = map[string]string{
	"server-down-form":          "a form that could not begin counts as not run",
	"response-json-number-text": "the turn goes on",
}

func actionAnswers(dir string) Report {
	report := Report{File: actionAnswersFile}
	var golden struct {
		Cases []answerCase `json:"cases"`
	}
	if err := load(dir, report.File, &golden); err != nil {
		return fail(report.File, err)
	}
	var problems diag.List
	d := project.LoadDomain(filepath.Join(dir, "http", "project"), []string{"domain.yml"}, &problems)
	if d == nil || problems.HasErrors() {
		return fail(report.File, fmt.Errorf("domain: %v", problems.All()))
	}
	for _, c := range golden.Cases {
		difference, err := c.play(d)
		switch {
		case err != nil:
			return fail(report.File, fmt.Errorf("%s: %w", c.Case, err))
		case difference != "" && better[c.Case] != "":
			report.listed()
		default:
			report.equal(c.Case, difference)
		}
	}
	return report
}

// play holds the conversation of one case.
func (c *answerCase) play(d *domain.Domain) (string, error) {
	var script scriptedAnswer
	_ = json.Unmarshal(c.Answer, &script) // a text says that no server runs
	server := httptest.NewServer(script.handler())
	if strings.HasPrefix(c.Case, "server-down") {
		server.Close()
	} else {
		defer server.Close()
	}
	client, err := webhook.New(webhook.Settings{URL: server.URL + "/webhook"}, d, []byte("{}"))
	if err != nil {
		return "", err
	}
	logger := slog.New(slog.DiscardHandler)
	store := memstore.New(d)
	mind := &scriptedMind{}
	p := conversation.New(conversation.Settings{
		Domain: d, Interpreter: mind, Predictor: mind, Store: store, Locks: memlock.New(0), Logger: logger,
		Actions: &action.Runner{Domain: d, NLG: nlg.NewTemplates(d, first, logger), Server: client, Logger: logger},
	})
	defer p.Close()
	var replies []map[string]any
	seen := 0
	for i, text := range c.Messages {
		mind.startForm()
		if i == len(c.Messages)-1 {
			mind.follow(c.Events)
		}
		if t, err := store.Retrieve(context.Background(), c.Case); err == nil {
			seen = len(t.Events())
		}
		out := channel.NewCollector()
		m := channel.Message{Text: text, HasText: true, SenderID: c.Case, Channel: "rest", MessageID: strings.Repeat("0", 32), Output: out}
		if err := p.HandleMessage(context.Background(), m); err != nil {
			return err.Error(), nil
		}
		replies = out.Messages()
	}
	if script.Settle > 0 {
		time.Sleep(1500 * time.Millisecond) // the reminder is due after a second
	}
	t, err := store.Retrieve(context.Background(), c.Case)
	if err != nil {
		return "", err
	}
	return c.compare(t, seen, replies), nil
}

// compare compares what a case led to. Events before the last user message and
// those that say the same each time are left out of the recording.
func (c *answerCase) compare(t *tracker.Tracker, seen int, replies []map[string]any) string {
	events := plainEvents(t.Events()[seen:])
	if len(c.Events) > 0 && c.Events[0]["<the user message>"] == true {
		for i, e := range events {
			if e.(map[string]any)["event"] == "user" {
				events = events[i:]
				break
			}
		}
		events[0] = map[string]any{"event": "user", "<the user message>": true}
	}
	want := make([]any, len(c.Events))
	for i, e := range c.Events {
		want[i] = essential(e)
	}
	if c.SlotsSet == nil {
		c.SlotsSet = map[string]any{}
	}
	slots := map[string]any{}
	for name := range c.SlotsSet {
		slots[name] = t.Slot(name)
	}
	loop := map[string]any{}
	if name := t.ActiveLoop().Name; name != "" {
		loop["name"] = name
	}
	for _, d := range []string{
		differs("replies", c.Replies, replies),
		differs("events", want, mapEach(events, essential)),
		differs("slots", c.SlotsSet, slots),
		differs("active_loop", orNull(stringIn(c.ActiveLoop, "name")), orNull(stringIn(loop, "name"))),
		differs("followup_action", c.Followup, orNull(t.Followup())),
		differs("paused", c.Paused, t.Paused()),
	} {
		if d != "" {
			return d
		}
	}
	return ""
}

func stringIn(m map[string]any, key string) string {
	s, _ := m[key].(string)
	return s
}

func mapEach(events []any, f func(map[string]any) any) []any {
	out := make([]any, len(events))
	for i, e := range events {
		out[i] = f(e.(map[string]any))
	}
	return out
}

// essential takes out of an event what the recording leaves out, or what is
// null.
func essential(e map[string]any) any {
	out := map[string]any{}
	for k, v := range e {
		if data, ok := v.(map[string]any); ok && k == "data" {
			v = essential(data)
		}
		if data, ok := v.(map[string]any); ok && k == "metadata" {
			delete(data, "reminder") // names the reminder, see docs/compatibility.md
		}
		if v != nil && k != "message_id" && k != "parse_data" && k != "date_time" {
			out[k] = v
		}
	}
	return out
}

// handler gives the scripted answer to the first call, and an empty one or a
// rejection later.
func (a *scriptedAnswer) handler() http.Handler {
	now := time.Now().Add(time.Second).UTC().Format("2006-01-02T15:04:05.000000Z07:00")
	body := strings.ReplaceAll(string(a.JSON), "<now+1s>", now)
	if a.Text != nil {
		body = *a.Text
	}
	var once sync.Mutex
	called := false
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var request struct {
			Action  string `json:"next_action"`
			Tracker struct {
				Slots map[string]any `json:"slots"`
			} `json:"tracker"`
		}
		_ = json.NewDecoder(r.Body).Decode(&request)
		once.Lock()
		defer once.Unlock()
		w.Header().Set("Content-Type", "application/json")
		// The form's first calls belong to the message that started it.
		if request.Action == "validate_booking_form" && (called || request.Tracker.Slots["cuisine"] == nil) {
			_, _ = w.Write([]byte(`{"events":[],"responses":[]}`))
			return
		}
		if called {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = w.Write([]byte(`{"error":"once is enough","action_name":"action_reject"}`))
			return
		}
		called = true
		if a.Drop {
			panic(http.ErrAbortHandler)
		}
		if a.ContentType != "" {
			w.Header().Set("Content-Type", a.ContentType)
		}
		for k, v := range a.Headers {
			w.Header().Set(k, v)
		}
		if a.Status != 0 {
			w.WriteHeader(a.Status)
		}
		_, _ = w.Write([]byte(body))
	})
}
