package action_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loquat-dev/loquat/internal/action"
	"github.com/loquat-dev/loquat/internal/domain"
	"github.com/loquat-dev/loquat/internal/nlg"
	"github.com/loquat-dev/loquat/internal/tracker"
)

// server answers by the action's name; what it does not know fails.
type server map[string]action.Reply

func (s server) Run(_ context.Context, name string, _ *tracker.Tracker) (action.Reply, error) {
	if reply, ok := s[name]; ok {
		return reply, nil
	}
	return action.Reply{}, errors.New("boom")
}

func newRunner(d *domain.Domain, s server) *action.Runner {
	d.Complete()
	logger := slog.New(slog.DiscardHandler)
	r := &action.Runner{Domain: d, NLG: nlg.NewTemplates(d, func(int) int { return 0 }, logger), Logger: logger}
	if s != nil {
		r.Server = s
	}
	return r
}

func response(text string) []domain.Response {
	return []domain.Response{domain.NewResponse(text)}
}

func user(intent string, entities ...tracker.Entity) *tracker.UserUttered {
	return &tracker.UserUttered{
		Text: "/" + intent, HasText: true, Intent: intent, Confidence: 0.4, Entities: entities,
		ParseData: tracker.ParseData{
			"intent": map[string]any{"name": intent, "confidence": 0.4},
			"intent_ranking": []any{
				map[string]any{"name": intent, "confidence": 0.4}, map[string]any{"name": "second", "confidence": 0.3},
			},
		},
	}
}

func executed(name string) *tracker.ActionExecuted { return &tracker.ActionExecuted{Name: name} }

// run runs an action after events, and gives a line for each event it causes.
func run(t *testing.T, r *action.Runner, name string, events ...tracker.Event) ([]string, error) {
	t.Helper()
	tr := tracker.New("c", r.Domain)
	tr.UpdateAll(events)
	before := len(tr.Events())
	out, err := r.Run(t.Context(), name, action.Situation{Tracker: tr})
	if len(tr.Events()) != before {
		t.Errorf("%s changed the tracker", name)
	}
	var lines []string
	for _, e := range out {
		switch e := e.(type) {
		case *tracker.ActionExecuted:
			lines = append(lines, e.Type()+" "+e.Name)
		case *tracker.ActiveLoop:
			lines = append(lines, e.Type()+" "+e.Name)
		case *tracker.SlotSet:
			lines = append(lines, fmt.Sprintf("slot %s %v", e.Name, e.Value))
		case *tracker.BotUttered:
			lines = append(lines, "bot "+e.Text)
		case *tracker.UserUttered:
			lines = append(lines, fmt.Sprintf("user %s %v", e.Intent, e.Confidence))
		default:
			lines = append(lines, e.Type())
		}
	}
	return lines, err
}

func expect(t *testing.T, got []string, err error, want ...string) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestTwoStageFallback(t *testing.T) {
	r := newRunner(&domain.Domain{Responses: map[string][]domain.Response{
		"utter_ask_rephrase": response("Please rephrase."), "utter_default": response("I give up."),
	}}, nil)
	turn := func(intent string) []tracker.Event {
		return []tracker.Event{executed(action.Listen), user(intent)}
	}
	started := append(turn("nlu_fallback"), executed(action.TwoStageFallback), &tracker.ActiveLoop{Name: action.TwoStageFallback})

	got, err := run(t, r, action.TwoStageFallback, turn("nlu_fallback")...)
	expect(t, got, err, "active_loop "+action.TwoStageFallback, "bot Did you mean 'second'?")

	got, err = run(t, r, action.DefaultAskAffirmation) // no message: words of Rasa's
	expect(t, got, err, "bot Did you mean 'None'?")

	got, err = run(t, r, action.TwoStageFallback, append(started, turn("second")...)...)
	expect(t, got, err, "active_loop ", "rewind", "action action_listen", "user second 1")

	got, err = run(t, r, action.TwoStageFallback, &tracker.ActiveLoop{Name: action.TwoStageFallback}) // before anybody spoke
	expect(t, got, err, "active_loop ", "rewind", "action action_listen", "user  1")

	got, err = run(t, r, action.TwoStageFallback, append(started, turn("out_of_scope")...)...)
	expect(t, got, err, "bot Please rephrase.")

	got, err = run(t, r, action.TwoStageFallback, append(started, turn("nlu_fallback")...)...)
	expect(t, got, err, "active_loop ", "bot I give up.", "rewind")
}

func TestCustomActionWithoutServerSaysWhatIsMissing(t *testing.T) {
	r := newRunner(&domain.Domain{Actions: []domain.Action{{Name: "action_x"}}}, nil)
	_, err := run(t, r, "action_x")
	if err == nil || err.Error() != `run action "action_x": it is a custom action and endpoints.yml has no action_endpoint` {
		t.Error(err)
	}
	if _, err := run(t, r, "action_y"); err == nil || err.Error() != `action "action_y" is not in the domain` {
		t.Error(err)
	}
}

func booking() *domain.Domain {
	return &domain.Domain{
		Entities: []domain.Entity{{Name: "city"}, {Name: "number"}},
		Intents:  []domain.Intent{{Name: "book"}, {Name: "inform"}, {Name: "chat"}},
		Slots: []*domain.Slot{
			{Name: "city", Type: domain.Text, Mappings: []domain.Mapping{{Type: domain.FromEntity, Entity: "city", Raw: map[string]any{"entity": "city"}}}},
			{Name: "guests", Type: domain.Float, Mappings: []domain.Mapping{{
				Type: domain.FromEntity, Entity: "number", Raw: map[string]any{"entity": "number"},
				Conditions: []domain.MappingCondition{{ActiveLoop: "booking_form"}},
			}}},
			{Name: "requested_slot", Type: domain.Text, Automatic: true},
		},
		Responses: map[string][]domain.Response{
			"utter_ask_city": response("Where?"), "utter_ask_guests": response("For how many in {city}?"),
		},
		Forms: []domain.Form{{Name: "booking_form", RequiredSlots: []string{"city", "guests"}}},
	}
}

func entity(name string, value any) tracker.Entity {
	return tracker.Entity{"entity": name, "value": value}
}

func TestFormAsksForWhatIsMissing(t *testing.T) {
	r := newRunner(booking(), nil)
	begin := []tracker.Event{executed(action.Listen), user("book", entity("city", "Rome"))}
	got, err := run(t, r, "booking_form", begin...)
	expect(t, got, err, "active_loop booking_form", "slot city Rome", "slot requested_slot guests", "bot For how many in Rome?")

	asked := append(begin, executed("booking_form"), &tracker.ActiveLoop{Name: "booking_form"}, &tracker.SlotSet{Name: "city", Value: "Rome"},
		&tracker.SlotSet{Name: "requested_slot", Value: "guests"}, executed(action.Listen))
	answered := append(asked, user("inform", entity("number", int64(4))), &tracker.SlotSet{Name: "guests", Value: int64(4)})
	got, err = run(t, r, "booking_form", answered...)
	expect(t, got, err, "slot requested_slot <nil>", "active_loop ")

	_, err = run(t, r, "booking_form", append(asked, user("chat"))...)
	if rejected, ok := errors.AsType[*action.RejectedError](err); !ok || rejected.Action != "booking_form" {
		t.Errorf("got %v", err)
	}
}

func TestFormValidatesOnTheActionServer(t *testing.T) {
	d := booking()
	d.Actions = []domain.Action{{Name: "validate_booking_form"}}
	reply := action.Reply{
		Responses: []map[string]any{{"text": "Not there."}},
		Events:    []tracker.Event{&tracker.SlotSet{Name: "city"}},
	}
	r := newRunner(d, server{"validate_booking_form": reply})
	got, err := run(t, r, "booking_form", executed(action.Listen), user("book", entity("city", "Rome")))
	expect(t, got, err, "active_loop booking_form", "bot Not there.", "slot city <nil>", "slot requested_slot city", "bot Where?")

	r = newRunner(d, server{})
	_, err = run(t, r, "booking_form", executed(action.Listen), user("book"))
	if _, ok := errors.AsType[*action.ActivationError](err); !ok {
		t.Errorf("got %v", err)
	}
}

// What Rasa 3.6.21 asks for when validation names several slots.
func TestTheFirstChosenSlotIsAskedFor(t *testing.T) {
	d := booking()
	d.Actions = []domain.Action{{Name: "validate_booking_form"}}
	choose := func(slots ...any) server {
		var events []tracker.Event
		for _, slot := range slots {
			events = append(events, &tracker.SlotSet{Name: "requested_slot", Value: slot})
		}
		return server{"validate_booking_form": {Events: events}}
	}
	events := []tracker.Event{executed(action.Listen), user("book"), executed("booking_form"), &tracker.ActiveLoop{Name: "booking_form"},
		&tracker.SlotSet{Name: "requested_slot", Value: "city"}, executed(action.Listen), user("inform", entity("city", "Rome")), &tracker.SlotSet{Name: "city", Value: "Rome"}}
	for _, c := range []struct {
		chosen []any
		want   []string
	}{
		{[]any{"city", "guests"}, []string{"slot requested_slot city", "slot requested_slot guests", "bot Where?"}},
		{[]any{"city", nil, "guests"}, []string{"slot requested_slot city", "slot requested_slot <nil>", "slot requested_slot guests", "bot Where?"}},
		{[]any{nil, "city"}, []string{"slot requested_slot <nil>", "slot requested_slot city", "slot requested_slot guests", "bot For how many in Rome?"}},
		{[]any{"city", nil}, []string{"slot requested_slot city", "slot requested_slot <nil>", "slot requested_slot <nil>", "active_loop "}},
	} {
		got, err := run(t, newRunner(d, choose(c.chosen...)), "booking_form", events...)
		expect(t, got, err, c.want...)
	}
}

func TestFailingValidationOfSlotsKeepsThem(t *testing.T) {
	d := booking()
	d.Actions = []domain.Action{{Name: action.ValidateSlotMappings}}
	got, err := run(t, newRunner(d, server{}), action.ExtractSlots, executed(action.Listen), user("inform", entity("city", "Rome")))
	expect(t, got, err, "slot city Rome")

	changed := action.Reply{Events: []tracker.Event{&tracker.SlotSet{Name: "city", Value: "Roma"}, &tracker.Restarted{}}}
	got, err = run(t, newRunner(d, server{action.ValidateSlotMappings: changed}), action.ExtractSlots,
		executed(action.Listen), user("inform", entity("city", "Rome")))
	expect(t, got, err, "slot city Roma")
}

func TestSessionCarriesSlotsOver(t *testing.T) {
	for carry, want := range map[bool][]string{
		true: {"session_started", "slot city Rome", "action action_listen"}, false: {"session_started", "action action_listen"},
	} {
		d := booking()
		d.Session.CarryOverSlots = carry
		got, err := run(t, newRunner(d, nil), action.SessionStart, &tracker.SlotSet{Name: "city", Value: "Rome"})
		expect(t, got, err, want...)
	}
}

func TestRetrievalResponseIsTheSelectors(t *testing.T) {
	d := &domain.Domain{
		Intents:   []domain.Intent{{Name: "faq", Retrieval: true}},
		Actions:   []domain.Action{{Name: "utter_faq"}},
		Responses: map[string][]domain.Response{"utter_faq/name": response("Loquat.")},
	}
	message := user("faq")
	message.ParseData["response_selector"] = map[string]any{
		"default": map[string]any{"response": map[string]any{"utter_action": "utter_faq/name"}},
	}
	r := newRunner(d, nil)
	got, err := run(t, r, "utter_faq", executed(action.Listen), message)
	expect(t, got, err, "bot Loquat.")
	got, err = run(t, r, "utter_faq", executed(action.Listen), user("faq"))
	expect(t, got, err)
}

// As in Rasa 3.6.21 a mapping that stands twice in a required slot is not unique,
// so the slot is filled only while the form asks for it.
func TestEntityWantedTwiceFillsTheRequestedSlotOnly(t *testing.T) {
	d := booking()
	d.Slots[1].Mappings = append(d.Slots[1].Mappings, d.Slots[1].Mappings[0])
	r := newRunner(d, nil)
	for _, c := range []struct {
		requested string
		want      []string
	}{{"city", nil}, {"guests", []string{"slot guests 4"}}} {
		got, err := run(t, r, action.ExtractSlots, executed(action.Listen), executed("booking_form"), &tracker.ActiveLoop{Name: "booking_form"},
			&tracker.SlotSet{Name: "requested_slot", Value: c.requested}, executed(action.Listen), user("inform", entity("number", int64(4))))
		expect(t, got, err, c.want...)
	}
}

// generator is a server that generates responses: those that it has.
type generator map[string]string

func (generator) External() {}

func (g generator) Generate(_ context.Context, r nlg.Request) (map[string]any, error) {
	if text, ok := g[r.Name]; ok {
		return map[string]any{"text": text}, nil
	}
	return nil, errors.New("404")
}

// A server is asked for responses that the domain lacks, as in Rasa. If it has none,
// the rest of the action is done all the same; if the domain has one, it fails.
func TestDefaultActionsAskTheServerForResponses(t *testing.T) {
	r := newRunner(&domain.Domain{Responses: map[string][]domain.Response{"utter_restart": response("Restarted.")}}, nil)
	r.NLG = generator{"utter_default": "Sorry?"}
	got, err := run(t, r, action.DefaultFallback)
	expect(t, got, err, "bot Sorry?", "rewind")
	got, err = run(t, r, action.Back)
	expect(t, got, err, "rewind", "rewind")
	if _, err := run(t, r, action.Restart); err == nil {
		t.Error("the response of the domain is not missed")
	}
}
