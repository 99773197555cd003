package conversation_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/loquat-dev/loquat/internal/action"
	"github.com/loquat-dev/loquat/internal/action/webhook"
	"github.com/loquat-dev/loquat/internal/channel"
	"github.com/loquat-dev/loquat/internal/conversation"
	"github.com/loquat-dev/loquat/internal/domain"
	"github.com/loquat-dev/loquat/internal/nlg"
	"github.com/loquat-dev/loquat/internal/tracker"
	"github.com/loquat-dev/loquat/internal/trackerstore/memstore"
)

// bookWith says "book", for which action_works is predicted, to an assistant with
// that action server, and returns the new events and the log.
func bookWith(t *testing.T, server action.Server) (events []string, log string) {
	t.Helper()
	var b bytes.Buffer
	store := newStore()
	s := settings(store, nil)
	s.Logger = slog.New(slog.NewTextHandler(&b, nil))
	s.Predictor = script{"book": {"action_works", "utter_hi"}}
	s.Actions = &action.Runner{Domain: s.Domain, NLG: nlg.NewTemplates(s.Domain, nil, s.Logger), Logger: s.Logger, Server: server}
	p := conversation.New(s)
	defer p.Close()
	_, events = say(t, p, store, "book")
	return events, b.String()
}

func webhookTo(t *testing.T, s webhook.Settings) *webhook.Client {
	t.Helper()
	d := testDomain()
	c, err := webhook.New(s, d, []byte("{}"))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// opening is how a conversation starts in which the first message is "book".
var opening = []string{"action action_session_start", "session_started", "action action_listen", "user"}

// A failed action is logged and gives no events; the user's message stays and the
// turn goes on.
func TestActionServersMayFailInAnyWay(t *testing.T) {
	survives := append(slices.Clone(opening), "action action_works", "action utter_hi", "bot", "action action_listen")
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		log    string
	}{
		"500": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(500)
			_, _ = w.Write([]byte(`{"error":"broken on purpose","request_body":{}}`))
		}, "answered 500 Internal Server Error: broken on purpose"},
		"404": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(404)
			_, _ = w.Write([]byte(`{"error":"No registered action found","action_name":"action_works"}`))
		}, "No registered action found"},
		"HTML": {typed("text/html", "<html>Welcome to nginx</html>"), `not application/json`},
		"100 MB": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			chunk := bytes.Repeat([]byte("["), 1<<20)
			for range 100 {
				if _, err := w.Write(chunk); err != nil {
					return // hung up, as it should be
				}
			}
		}, "more than 16777216 bytes"},
		"nothing":            {typed("application/json", ""), "not valid JSON"},
		"unknown event":      {typed("application/json", `{"events":[{"event":"slot","name":"said","value":"x"},{"event":"teleport"}]}`), "teleport"},
		"events no list":     {typed("application/json", `{"events":{}}`), "events is not a list"},
		"event no object":    {typed("application/json", `{"events":["slot"]}`), "events[0] is not an object"},
		"slot without value": {typed("application/json", `{"events":[{"event":"slot","name":"said"}]}`), "value"},
		"text no string":     {typed("application/json", `{"responses":[{"text":5}]}`), "text is not a string"},
		"hangs up": {func(w http.ResponseWriter, _ *http.Request) {
			panic(http.ErrAbortHandler)
		}, "no answer from http://127.0.0.1"},
	} {
		t.Run(name, func(t *testing.T) {
			s := httptest.NewServer(c.answer)
			defer s.Close()
			events, log := bookWith(t, webhookTo(t, webhook.Settings{URL: s.URL}))
			if diff := cmp.Diff(survives, events); diff != "" {
				t.Error(diff)
			}
			if strings.Count(log, "action failed") != 1 || !strings.Contains(log, c.log) || !strings.Contains(log, "action_works") || len(log) > 2000 {
				t.Errorf("the log says %s", log)
			}
		})
	}
	t.Run("down", func(t *testing.T) {
		s := httptest.NewServer(nil)
		s.Close()
		events, log := bookWith(t, webhookTo(t, webhook.Settings{URL: s.URL}))
		if diff := cmp.Diff(survives, events); diff != "" {
			t.Error(diff)
		}
		if !strings.Contains(log, "no answer from "+s.URL) {
			t.Errorf("the log says %s", log)
		}
	})
	t.Run("slow", func(t *testing.T) {
		client := webhookTo(t, webhook.Settings{URL: "http://actions.example", Wrap: func(http.RoundTripper) http.RoundTripper { return hanging{} }})
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			events, log := bookWith(t, client)
			if diff := cmp.Diff(survives, events); diff != "" {
				t.Error(diff)
			}
			if took := time.Since(start); took != 300*time.Second || !strings.Contains(log, "no answer from http://actions.example") {
				t.Errorf("after %s the log says %s", took, log)
			}
		})
	})
}

func typed(contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		_, _ = w.Write([]byte(body))
	}
}

// hanging never answers.
type hanging struct{}

// RoundTrip waits until the caller gives up.
func (hanging) RoundTrip(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

func TestAnActionThatFollowsItselfEnds(t *testing.T) {
	events, log := bookWith(t, actionServer{"action_works": func() (action.Reply, error) {
		return action.Reply{Events: []tracker.Event{&tracker.FollowupAction{Name: "action_works"}}}, nil
	}})
	want := slices.Clone(opening)
	for range conversation.DefaultMaxPredictions {
		want = append(want, "action action_works", "followup")
	}
	want = append(want, "action action_listen") // or the next message is no answer to anything
	if diff := cmp.Diff(want, events); diff != "" {
		t.Error(diff)
	}
	if !strings.Contains(log, "too many actions in one turn") {
		t.Error(log)
	}
}

// A form whose first run fails has not run: no loop is active, nothing is asked,
// no slot is set, and the next message starts it anew.
func TestAFormThatCannotStartIsUndone(t *testing.T) {
	broken := func() (action.Reply, error) { return action.Reply{}, errors.New("boom") }
	fine := func() (action.Reply, error) { return action.Reply{}, nil }
	half := func() (action.Reply, error) {
		return action.Reply{Events: []tracker.Event{&tracker.SlotSet{Name: "food", Value: "thai"}}, Responses: []map[string]any{{"text": "Thai, fine."}}}, nil
	}
	for name, server := range map[string]actionServer{
		"validation fails":                {"validate_booking": broken, "action_ask_food": fine, "action_ask_drink": fine},
		"asking fails":                    {"validate_booking": fine, "action_ask_food": broken, "action_ask_drink": broken},
		"asking fails after a validation": {"validate_booking": half, "action_ask_food": broken, "action_ask_drink": broken},
	} {
		t.Run(name, func(t *testing.T) {
			store := memstore.New(formDomain())
			s := settings(store, nil)
			s.Domain = formDomain()
			s.Predictor = script{"book": {"booking", "action_listen"}}
			s.Actions = &action.Runner{Domain: s.Domain, NLG: nlg.NewTemplates(s.Domain, nil, s.Logger), Logger: s.Logger, Server: server}
			p := conversation.New(s)
			defer p.Close()
			answers, events := say(t, p, store, "book")
			if diff := cmp.Diff(append(slices.Clone(opening), "action action_listen"), events); diff != "" || len(answers) > 0 {
				t.Errorf("said %q, events %s", answers, diff)
			}
			server["validate_booking"], server["action_ask_food"], server["action_ask_drink"] = fine, fine, fine
			_, events = say(t, p, store, "book")
			want := []string{"user", "action booking", "active_loop", "slot requested_slot", "action action_listen"}
			if diff := cmp.Diff(want, events); diff != "" {
				t.Errorf("the next message: %s", diff)
			}
		})
	}
}

// formDomain has a form that two slots are asked for by actions.
func formDomain() *domain.Domain {
	d := &domain.Domain{
		Intents: []domain.Intent{{Name: "book"}},
		Slots: []*domain.Slot{
			{Name: "food", Type: domain.Text, Mappings: []domain.Mapping{{Type: domain.FromEntity, Entity: "food"}}},
			{Name: "drink", Type: domain.Text, Mappings: []domain.Mapping{{Type: domain.FromEntity, Entity: "drink"}}},
		},
		Forms:   []domain.Form{{Name: "booking", RequiredSlots: []string{"food", "drink"}}},
		Actions: []domain.Action{{Name: "validate_booking"}, {Name: "action_ask_food"}, {Name: "action_ask_drink"}},
		Session: domain.Session{ExpirationMinutes: 60},
	}
	d.Complete()
	return d
}

// An assistant may start sessions by an action of its own, on a server that does
// not answer. The turn ends without an answer, and what the user said is kept.
func TestASessionThatCannotStartKeepsTheMessage(t *testing.T) {
	d := testDomain()
	d.Actions = append(d.Actions, domain.Action{Name: action.SessionStart})
	d.Complete()
	store := memstore.New(d)
	s := settings(store, nil)
	s.Domain = d
	s.Actions = &action.Runner{Domain: d, NLG: nlg.NewTemplates(d, nil, s.Logger), Logger: s.Logger, Server: silent{}}
	p := conversation.New(s)
	defer p.Close()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := p.HandleMessage(ctx, channel.Message{Text: "greet", HasText: true, SenderID: "c"})
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
	})
	if diff := cmp.Diff([]string{"user", "slot said", "action action_listen"}, names(stored(t, store))); diff != "" {
		t.Error(diff)
	}
}

// silent is an action server that does not answer.
type silent struct{}

func (silent) Run(ctx context.Context, _ string, _ *tracker.Tracker) (action.Reply, error) {
	<-ctx.Done()
	return action.Reply{}, ctx.Err()
}

// When the server that generates responses fails, so does the action; the message
// stays, and the turn goes on.
func TestAServerOfResponsesMayFail(t *testing.T) {
	store := newStore()
	s := settings(store, nil)
	s.Actions = &action.Runner{Domain: s.Domain, NLG: mute{}, Logger: s.Logger}
	p := conversation.New(s)
	defer p.Close()
	answers, events := say(t, p, store, "greet")
	want := append(slices.Clone(opening), "slot said", "action utter_hi", "action action_listen")
	if diff := cmp.Diff(want, events); diff != "" || len(answers) > 0 {
		t.Errorf("said %q, events %s", answers, diff)
	}
}

// mute has no response.
type mute struct{}

func (mute) Generate(context.Context, nlg.Request) (map[string]any, error) {
	return nil, errors.New("nlg: http://127.0.0.1 answered 500")
}

// What triggers an intent may name entities of any shape. The conversation can be
// read again all the same.
func TestEntitiesOfTriggersAreSound(t *testing.T) {
	store := newStore()
	p := newProcessor(t, store, nil)
	entities := []tracker.Entity{{}, {"entity": 5, "value": "x"}, {"entity": "food"}, {"entity": "food", "value": "thai"}}
	if _, err := p.TriggerIntent(t.Context(), "c", "greet", entities, nil); err != nil {
		t.Fatal(err)
	}
	for _, e := range stored(t, store) {
		if _, err := tracker.UnmarshalStored(tracker.MarshalEvent(e)); err != nil {
			t.Error(err)
		}
		if u, ok := e.(*tracker.UserUttered); ok {
			if diff := cmp.Diff([]tracker.Entity{{"entity": "food", "value": nil}, {"entity": "food", "value": "thai"}}, u.Entities); diff != "" {
				t.Error(diff)
			}
		}
	}
}
