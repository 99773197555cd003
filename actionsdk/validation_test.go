package actionsdk_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/loquat-dev/loquat/actionsdk"
)

// run runs one action and returns its slot events as "name=value" and its texts.
func run(t *testing.T, s *actionsdk.Server, c actionsdk.Call) (slots, texts []string) {
	t.Helper()
	reply, err := s.Run(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range reply.Events {
		slot := e.(actionsdk.SlotSet)
		slots = append(slots, fmt.Sprintf("%s=%v", slot.Name, slot.Value))
	}
	for _, u := range reply.Responses {
		texts = append(texts, u.Text)
	}
	return slots, texts
}

func say(text string, slots actionsdk.Slots) actionsdk.ExtractFunc {
	return func(_ context.Context, out *actionsdk.Dispatcher, _ *actionsdk.Tracker) (actionsdk.Slots, error) {
		out.Say(text)
		return slots, nil
	}
}

func judge(slots actionsdk.Slots) actionsdk.ValidateFunc {
	return func(_ context.Context, value any, out *actionsdk.Dispatcher, t *actionsdk.Tracker) (actionsdk.Slots, error) {
		out.Sayf("%v with a=%v b=%v", value, t.Slot("a"), t.Slot("b"))
		return slots, nil
	}
}

func also(names ...string) func(context.Context, []string, *actionsdk.Dispatcher, *actionsdk.Tracker) ([]string, error) {
	return func(_ context.Context, declared []string, _ *actionsdk.Dispatcher, _ *actionsdk.Tracker) ([]string, error) {
		return append(declared, names...), nil
	}
}

func formDomain(form string, slots ...any) *actionsdk.Domain {
	return actionsdk.NewDomain(map[string]any{"forms": map[string]any{form: map[string]any{"required_slots": slots}}})
}

// Expectations are what rasa-sdk 3.21.1 answered to the same actions.
func TestFormsValidateAsRasaSDK(t *testing.T) {
	set := func(name string, value any) actionsdk.Event { return actionsdk.SlotSet{Name: name, Value: value} }
	dynamic := actionsdk.Validation{
		RequiredSlots: also("extra"),
		Extract:       map[string]actionsdk.ExtractFunc{"extra": say("extracting", actionsdk.Slots{"extra": "x!"})},
		Validate: map[string]actionsdk.ValidateFunc{
			"a": judge(actionsdk.Slots{"a": nil, "b": 5.0}), "extra": judge(actionsdk.Slots{"extra": "x!?"}),
		},
	}
	same := actionsdk.Validation{
		RequiredSlots: also(),
		Extract:       map[string]actionsdk.ExtractFunc{"a": say("extracting", actionsdk.Slots{"a": "found", "z": 3})},
		Validate: map[string]actionsdk.ValidateFunc{
			"a": judge(actionsdk.Slots{"b": "set by a"}), "b": judge(actionsdk.Slots{"b": "VB"}),
		},
	}
	for name, c := range map[string]struct {
		validation actionsdk.Validation
		slots      map[string]any
		events     []actionsdk.Event
		want       string
		texts      string
	}{
		"extracts, validates, asks on": {
			dynamic, map[string]any{"a": "A"}, []actionsdk.Event{actionsdk.ActionExecuted{Name: "x"}, set("a", "A")},
			"a=<nil> extra=x!? b=5 requested_slot=a", "extracting; A with a=A b=<nil>; x! with a=<nil> b=5",
		},
		"asks for nothing when all are filled": {
			dynamic, map[string]any{"a": "A", "b": 1, "extra": "y"}, []actionsdk.Event{set("b", 1)},
			"b=1 extra=x!? requested_slot=<nil>", "extracting; x! with a=A b=1",
		},
		"leaves slots of others": {
			dynamic, map[string]any{"b": 2}, []actionsdk.Event{set("foreign", 1), set("b", 2)},
			"b=2 extra=x!? requested_slot=a", "extracting; x! with a=<nil> b=2",
		},
		"the latest value counts": {
			dynamic, map[string]any{"b": 2}, []actionsdk.Event{set("b", 1), set("b", 2)},
			"b=2 extra=x!? requested_slot=a", "extracting; x! with a=<nil> b=2",
		},
		"only slots at the end": {
			actionsdk.Validation{}, nil, []actionsdk.Event{set("a", 1), actionsdk.BotUttered{}, set("b", 2), set("requested_slot", "a")},
			"b=2", "",
		},
		"the same slots are no choice": {
			same, map[string]any{"a": "A"}, []actionsdk.Event{set("a", "A")},
			"a=found b=set by a", "extracting; found with a=found b=<nil>",
		},
		"values as they came are judged": {
			same, map[string]any{"a": "A"}, []actionsdk.Event{set("a", "A"), set("b", "B")},
			"a=found b=VB", "extracting; found with a=found b=<nil>; B with a=found b=set by a",
		},
		"later judgement wins": {
			same, map[string]any{"a": "A"}, []actionsdk.Event{set("b", "B"), set("a", "A")},
			"b=set by a a=found", "extracting; B with a=found b=<nil>; found with a=found b=VB",
		},
	} {
		t.Run(name, func(t *testing.T) {
			var s actionsdk.Server
			s.Form("f", c.validation)
			slots, texts := run(t, &s, actionsdk.Call{
				Action: "validate_f", Domain: formDomain("f", "a", "b"), Tracker: &actionsdk.Tracker{Slots: c.slots, Events: c.events},
			})
			if got := strings.Join(slots, " "); got != c.want {
				t.Errorf("slots %q, want %q", got, c.want)
			}
			if got := strings.Join(texts, "; "); got != c.texts {
				t.Errorf("texts %q, want %q", got, c.texts)
			}
		})
	}
}

func TestSlotsOfFormsAreNotValidatedOutsideOfThem(t *testing.T) {
	mapping := func(loops ...any) any {
		var conditions []any
		for _, l := range loops {
			conditions = append(conditions, map[string]any{"active_loop": l})
		}
		return map[string]any{"type": "from_text", "conditions": conditions}
	}
	slots := map[string]any{}
	var events []actionsdk.Event
	for name, mappings := range map[string][]any{
		"custom": {map[string]any{"type": "custom"}}, "mixed": {mapping("f"), mapping()}, "outside": {mapping(nil)}, "none": {}, "form": {mapping("f", "g")},
	} {
		slots[name] = map[string]any{"type": "text", "mappings": mappings}
		events = append(events, actionsdk.SlotSet{Name: name, Value: name})
	}
	var s actionsdk.Server
	s.Slots(actionsdk.Validation{Extract: map[string]actionsdk.ExtractFunc{"custom": say("extracting", actionsdk.Slots{"custom": "C", "other": 1})}})
	got, _ := run(t, &s, actionsdk.Call{
		Action: "action_validate_slot_mappings", Tracker: &actionsdk.Tracker{Events: events}, Domain: actionsdk.NewDomain(map[string]any{"slots": slots}),
	})
	slices.Sort(got)
	if want := "custom=C none=none outside=outside"; strings.Join(got, " ") != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestAnErrorInAValidationFailsTheAction(t *testing.T) {
	broken := errors.New("broken")
	for name, v := range map[string]actionsdk.Validation{
		"required": {RequiredSlots: func(context.Context, []string, *actionsdk.Dispatcher, *actionsdk.Tracker) ([]string, error) {
			return nil, broken
		}},
		"extract": {Extract: map[string]actionsdk.ExtractFunc{"a": func(context.Context, *actionsdk.Dispatcher, *actionsdk.Tracker) (actionsdk.Slots, error) {
			return nil, broken
		}}},
		"validate": {Validate: map[string]actionsdk.ValidateFunc{"a": func(context.Context, any, *actionsdk.Dispatcher, *actionsdk.Tracker) (actionsdk.Slots, error) {
			return nil, broken
		}}},
	} {
		var s actionsdk.Server
		s.Form("f", v)
		_, err := s.Run(t.Context(), actionsdk.Call{
			Action: "validate_f", Domain: formDomain("f", "a"), Tracker: &actionsdk.Tracker{Events: []actionsdk.Event{actionsdk.SlotSet{Name: "a", Value: 1}}},
		})
		if !errors.Is(err, broken) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
