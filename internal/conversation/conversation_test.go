package conversation_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/loquat-dev/loquat/internal/action"
	"github.com/loquat-dev/loquat/internal/channel"
	"github.com/loquat-dev/loquat/internal/conversation"
	"github.com/loquat-dev/loquat/internal/dialogue"
	"github.com/loquat-dev/loquat/internal/domain"
	"github.com/loquat-dev/loquat/internal/lockstore/memlock"
	"github.com/loquat-dev/loquat/internal/nlg"
	"github.com/loquat-dev/loquat/internal/nlu"
	"github.com/loquat-dev/loquat/internal/tracker"
	"github.com/loquat-dev/loquat/internal/trackerstore"
	"github.com/loquat-dev/loquat/internal/trackerstore/memstore"
)

// intentIsText understands a message as the intent of that name.
type intentIsText struct{}

func (intentIsText) Parse(_ context.Context, m *nlu.Message) error {
	m.Intent = &nlu.Intent{Name: m.Values[nlu.Text], Confidence: 1}
	return nil
}

// script predicts the actions listed for an intent, one after another, then
// listens.
type script map[string][]string

func (s script) Predict(_ context.Context, in dialogue.Situation) (*dialogue.Prediction, error) {
	p := &dialogue.Prediction{Policy: "Script", Probabilities: make([]float64, len(in.Domain.ActionNames()))}
	done := 0
	applied := in.Tracker.AppliedEvents()
	for i := len(applied) - 1; i >= 0; i-- {
		if _, ok := applied[i].(*tracker.UserUttered); ok {
			break
		}
		switch applied[i].(type) {
		case *tracker.ActionExecuted, *tracker.ActionExecutionRejected:
			done++
		}
	}
	name := "action_listen"
	if plan := s[in.Tracker.LatestIntent()]; done < len(plan) {
		name = plan[done]
	}
	if i, ok := in.Domain.ActionIndex(name); ok {
		p.Probabilities[i] = 1
	}
	return p, nil
}

// newStore returns an empty store.
func newStore() *memstore.Store { return memstore.New(testDomain()) }

// stored returns the events of the conversation.
func stored(t *testing.T, store *memstore.Store) []tracker.Event {
	t.Helper()
	c, err := store.Retrieve(t.Context(), "c")
	if errors.Is(err, trackerstore.ErrNotFound) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	return c.Events()
}

// actionServer answers by the action's name.
type actionServer map[string]func() (action.Reply, error)

func (s actionServer) Run(_ context.Context, name string, _ *tracker.Tracker) (action.Reply, error) {
	return s[name]()
}

func testDomain() *domain.Domain {
	d := &domain.Domain{
		Intents: []domain.Intent{{Name: "greet"}, {Name: "book"}, {Name: "bye"}},
		Slots: []*domain.Slot{
			{Name: "said", Type: domain.Text, Mappings: []domain.Mapping{{Type: domain.FromText, Intents: []string{"greet"}}}},
			{Name: "session_started_metadata", Type: domain.Any, Automatic: true},
		},
		Responses: map[string][]domain.Response{
			"utter_hi":      {domain.NewResponse("Hi, you said {said}.")},
			"utter_default": {domain.NewResponse("Sorry?")},
		},
		Actions: []domain.Action{
			{Name: "action_fails"}, {Name: "action_rejects"}, {Name: "action_works"},
			{Name: "action_reminds"}, {Name: "action_forgets"}, {Name: "action_pauses"},
		},
		Session: domain.Session{ExpirationMinutes: 60, CarryOverSlots: true},
	}
	d.Complete()
	return d
}

func newProcessor(t *testing.T, store *memstore.Store, now func() time.Time) *conversation.Processor {
	t.Helper()
	p := conversation.New(settings(store, now))
	t.Cleanup(p.Close)
	return p
}

func settings(store *memstore.Store, now func() time.Time) conversation.Settings {
	d := testDomain()
	logger := slog.New(slog.DiscardHandler)
	return conversation.Settings{
		Domain: d, Interpreter: intentIsText{}, Store: store, Locks: memlock.New(0), Logger: logger, Now: now,
		ModelID: "m", AssistantID: "a",
		Predictor: script{
			"greet": {"utter_hi"}, "book": {"action_rejects", "action_fails", "action_works"}, "bye": {"action_default_fallback"},
			"remind": {"action_reminds"}, "forget": {"action_forgets"}, "pause": {"action_pauses"}, "restart": {"action_restart"},
			"loop": slices.Repeat([]string{"utter_hi"}, 50),
		},
		Actions: &action.Runner{
			Domain: d, NLG: nlg.NewTemplates(d, nil, logger), Logger: logger,
			Server: actionServer{
				"action_fails": func() (action.Reply, error) { return action.Reply{}, errors.New("boom") },
				"action_reminds": func() (action.Reply, error) {
					when := time.Now().Add(time.Minute).Format("2006-01-02T15:04:05.000000")
					return action.Reply{Events: []tracker.Event{
						&tracker.ReminderScheduled{Name: "r", Intent: "greet", DateTime: when, KillOnUserMessage: true},
					}}, nil
				},
				"action_forgets": func() (action.Reply, error) {
					return action.Reply{Events: []tracker.Event{&tracker.ReminderCancelled{Intent: "greet"}}}, nil
				},
				"action_pauses": func() (action.Reply, error) {
					return action.Reply{Events: []tracker.Event{&tracker.ConversationPaused{}}}, nil
				},
				"action_rejects": func() (action.Reply, error) { return action.Reply{}, &action.RejectedError{Action: "action_rejects"} },
				"action_works": func() (action.Reply, error) {
					return action.Reply{
						Responses: []map[string]any{{"response": "utter_hi", "buttons": []any{}, "image": nil}},
						Events:    []tracker.Event{&tracker.SlotSet{Name: "said", Value: "work"}},
					}, nil
				},
			},
		},
	}
}

// say sends a message and returns the answers and a line for each new event.
func say(t *testing.T, p *conversation.Processor, store *memstore.Store, text string) (answers, events []string) {
	t.Helper()
	before := len(stored(t, store))
	out := channel.NewCollector()
	err := p.HandleMessage(t.Context(), channel.Message{Text: text, HasText: true, SenderID: "c", Channel: "rest", MessageID: "1", Output: out})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range out.Messages() {
		answers = append(answers, m["text"].(string))
	}
	return answers, names(stored(t, store)[before:])
}

// names gives a line for each event.
func names(events []tracker.Event) (lines []string) {
	for _, e := range events {
		line := e.Type()
		switch e := e.(type) {
		case *tracker.ActionExecuted:
			line += " " + e.Name
		case *tracker.ActionExecutionRejected:
			line += " " + e.Name
		case *tracker.SlotSet:
			line += " " + e.Name
		}
		lines = append(lines, line)
	}
	return lines
}

func TestFirstTurnStartsASession(t *testing.T) {
	store := newStore()
	answers, events := say(t, newProcessor(t, store, nil), store, "greet")
	if diff := cmp.Diff([]string{"Hi, you said greet."}, answers); diff != "" {
		t.Error(diff)
	}
	want := []string{
		"action action_session_start", "session_started", "action action_listen",
		"user", "slot said", "action utter_hi", "bot", "action action_listen",
	}
	if diff := cmp.Diff(want, events); diff != "" {
		t.Error(diff)
	}
}

func TestFailingAndRejectedActionsLeaveTheirMark(t *testing.T) {
	store := newStore()
	p := newProcessor(t, store, nil)
	say(t, p, store, "greet")
	answers, events := say(t, p, store, "book")
	want := []string{
		"user", "action_execution_rejected action_rejects", "action action_fails",
		"action action_works", "bot", "slot said", "action action_listen",
	}
	if diff := cmp.Diff(want, events); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"Hi, you said greet."}, answers); diff != "" {
		t.Error(diff)
	}
}

func TestExpiredSessionCarriesSlotsOver(t *testing.T) {
	now := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	store := newStore()
	p := newProcessor(t, store, func() time.Time { return now })
	say(t, p, store, "greet")
	now = now.Add(61 * time.Minute)
	_, events := say(t, p, store, "bye")
	want := []string{
		"action action_session_start", "session_started", "slot said", "action action_listen",
		"user", "action action_default_fallback", "bot", "rewind", "action action_listen",
	}
	if diff := cmp.Diff(want, events); diff != "" {
		t.Error(diff)
	}
}

func TestEventsNameModelAndAssistant(t *testing.T) {
	store := newStore()
	say(t, newProcessor(t, store, nil), store, "greet")
	for _, e := range stored(t, store) {
		if m := e.Meta(); m.Metadata["model_id"] != "m" || m.Metadata["assistant_id"] != "a" || m.Timestamp == 0 {
			t.Errorf("%s: %+v", e.Type(), m)
		}
	}
}

func TestPausedAssistantOnlyRestarts(t *testing.T) {
	store := newStore()
	p := newProcessor(t, store, nil)
	say(t, p, store, "pause")
	if _, events := say(t, p, store, "greet"); !slices.Equal(events, []string{"user", "slot said"}) {
		t.Errorf("paused: %v", events)
	}
	_, events := say(t, p, store, "restart")
	if !slices.Contains(events, "restart") {
		t.Errorf("restart: %v", events)
	}
}

func TestEndlessTurnIsBroken(t *testing.T) {
	store := newStore()
	p := newProcessor(t, store, nil)
	answers, _ := say(t, p, store, "loop")
	if len(answers) != conversation.DefaultMaxPredictions {
		t.Errorf("%d answers", len(answers))
	}
	if answers, _ := say(t, p, store, "greet"); len(answers) != 1 { // the next message is answered
		t.Errorf("then: %q", answers)
	}
}

// breaking predicts nothing.
type breaking struct{}

func (breaking) Predict(context.Context, dialogue.Situation) (*dialogue.Prediction, error) {
	return nil, errors.New("no memory")
}

func TestTurnThatBreaksOffKeepsTheMessage(t *testing.T) {
	store := newStore()
	s := settings(store, nil)
	s.Predictor = breaking{}
	p := conversation.New(s)
	defer p.Close()
	err := p.HandleMessage(t.Context(), channel.Message{Text: "greet", HasText: true, SenderID: "c", Output: channel.NewCollector()})
	if err == nil || !strings.Contains(err.Error(), "no memory") {
		t.Errorf("got %v", err)
	}
	events := stored(t, store)
	if last, ok := events[len(events)-1].(*tracker.ActionExecuted); !ok || last.Name != action.Listen {
		t.Errorf("ends with %v", events[len(events)-1].Type())
	}
	if !slices.ContainsFunc(events, func(e tracker.Event) bool { return e.Type() == "user" }) {
		t.Error("the message is lost")
	}
}

// recorder writes down the steps of a turn.
type recorder struct{ steps []string }

func (r *recorder) Before(ctx context.Context, s *conversation.Step) (context.Context, func(error)) {
	r.steps = append(r.steps, string(s.Name)+" "+s.Action)
	return ctx, func(error) { r.steps = append(r.steps, "end") }
}

func TestHookSeesTheStepsOfATurn(t *testing.T) {
	store := newStore()
	s := settings(store, nil)
	hook := &recorder{}
	s.Hook = hook
	p := conversation.New(s)
	defer p.Close()
	say(t, p, store, "greet")
	depth, tree := 0, []string{}
	for _, step := range hook.steps {
		if step == "end" {
			depth--
			continue
		}
		tree = append(tree, strings.Repeat("  ", depth)+strings.TrimSpace(step))
		depth++
	}
	want := []string{
		"Agent.handle_message",
		"  lock",
		"  MessageProcessor.handle_message",
		"    MessageProcessor.log_message",
		"      MessageProcessor.get_tracker",
		"      MessageProcessor._run_action action_session_start",
		"      MessageProcessor.parse_message",
		"    MessageProcessor._run_prediction_loop",
		"      MessageProcessor._predict_next_with_tracker",
		"      MessageProcessor._run_action utter_hi",
		"      MessageProcessor._predict_next_with_tracker",
		"      MessageProcessor._run_action action_listen",
		"    MessageProcessor.save_tracker",
		"      _stream_new_events",
	}
	if diff := cmp.Diff(want, tree); diff != "" {
		t.Error(diff)
	}
}

func TestStoreOfAnotherModel(t *testing.T) {
	other := &domain.Domain{}
	other.Complete()
	store := memstore.New(other)
	p := conversation.New(settings(store, nil))
	defer p.Close()
	say(t, p, store, "greet")
	tr, err := p.Tracker(t.Context(), "c")
	if err != nil || tr.Slot("said") != "greet" || len(tr.Unsaved()) != 0 {
		t.Errorf("%v %v", tr.Slots(), err)
	}
	store.UseDomain(p.Domain)
	if tr := mustRetrieve(t, store); tr.Slot("said") != "greet" {
		t.Errorf("%v", tr.Slots())
	}
}

func mustRetrieve(t *testing.T, store *memstore.Store) *tracker.Tracker {
	t.Helper()
	tr, err := store.Retrieve(t.Context(), "c")
	if err != nil {
		t.Fatal(err)
	}
	return tr
}
