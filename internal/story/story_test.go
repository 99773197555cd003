package story_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/domain"
	"github.com/loquat-dev/loquat/internal/story"
	"github.com/loquat-dev/loquat/internal/tracker"
	"github.com/loquat-dev/loquat/internal/yamlfile"
)

func read(text, file string) (*story.Graph, string) {
	d := &domain.Domain{
		Intents: []domain.Intent{{Name: "greet"}, {Name: "inform"}, {Name: "faq", Retrieval: true}},
		Slots: []*domain.Slot{
			{Name: "city", Type: domain.Text, Influences: true},
			{Name: "tags", Type: domain.List, Influences: true},
			{Name: "vip", Type: domain.Bool, Influences: true},
		},
	}
	d.Complete()
	var problems diag.List
	r := story.Reader{Domain: d, Problems: &problems}
	g := r.Read(yamlfile.Parse([]byte(text), file, &problems))
	var out []string
	for _, p := range problems.All() {
		out = append(out, p.Error())
	}
	return g, strings.Join(out, "\n")
}

func TestSlotsWithoutValueAreFilledWhereTheTypeAllows(t *testing.T) {
	g, problems := read("stories:\n- story: s\n  steps:\n  - slot_was_set: [city, tags, vip]\n", "stories.yml")
	var got []any
	for _, e := range g.Blocks[0].Events {
		got = append(got, e.Event.(*tracker.SlotSet).Value)
	}
	if diff := cmp.Diff([]any{"filled", []any{"filled"}, nil}, got); diff != "" {
		t.Error(diff)
	}
	want := `stories.yml:4:32: warning: slot "vip" is of type bool and needs a value here; it counts as unset [slot-without-value]
    hint: write - vip: and a value`
	if problems != want {
		t.Errorf("got:\n%s\nwant:\n%s", problems, want)
	}
}

func TestRulesUseAMarkerForUnset(t *testing.T) {
	g, problems := read(`rules:
- rule: r
  condition:
  - active_loop: null
  - slot_was_set: [{city: null}]
  steps: [{action: utter_x}]
  wait_for_user_input: false
`, "rules.yml")
	if problems != "" {
		t.Error(problems)
	}
	want := []tracker.Event{
		&tracker.ActiveLoop{Name: story.Unset},
		&tracker.SlotSet{Name: "city", Value: story.Unset},
		&tracker.ActionExecuted{Name: story.Marker},
		&tracker.ActionExecuted{Name: "utter_x"},
		&tracker.ActionExecuted{Name: story.Marker},
	}
	var got []tracker.Event
	for _, e := range g.Blocks[0].Events {
		got = append(got, e.Event)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestUserStepsOfTestsKeepTextAndFullIntent(t *testing.T) {
	const text = "stories:\n- story: s\n  steps:\n  - intent: faq/name\n    user: who are you\n  - user: '/inform{\"city\": \"Rome\"}'\n  - user: to Rome\n    intent: inform\n    entities: [city: Rome]\n"
	for file, want := range map[string][]tracker.Event{
		"stories.yml": {
			&tracker.UserUttered{Text: "who are you", HasText: true, Intent: "faq", Confidence: 1},
			&tracker.UserUttered{Text: `/inform{"city": "Rome"}`, Intent: "inform", Confidence: 1, Entities: []tracker.Entity{{"entity": "city", "value": "Rome"}}},
			&tracker.UserUttered{Text: "to Rome", HasText: true, Intent: "inform", Confidence: 1, Entities: []tracker.Entity{{"entity": "city", "value": "Rome"}}},
		},
		"tests/test_stories.yml": {
			&tracker.UserUttered{Text: "who are you", HasText: true, Intent: "faq", Confidence: 1, ParseData: tracker.ParseData{
				"intent": map[string]any{"name": "faq", "confidence": 1.0, "full_retrieval_intent_name": "faq/name"}}},
			&tracker.UserUttered{Text: `/inform{"city": "Rome"}`, HasText: true, Intent: "inform", Confidence: 1, Entities: []tracker.Entity{{"entity": "city", "value": "Rome", "start": int64(7), "end": int64(23)}}},
			&tracker.UserUttered{Text: "to Rome", HasText: true, Intent: "inform", Confidence: 1},
		},
	} {
		g, _ := read(text, file)
		var got []tracker.Event
		for _, e := range g.Blocks[0].Events {
			got = append(got, e.Event)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", file, diff)
		}
	}
}

func TestProblemsNameThePlace(t *testing.T) {
	for text, want := range map[string]string{
		"stories: 3":                       "x.yml:1:10: stories must be a list, not a whole number [invalid-stories]\n    hint: write a list of items that begin with - story",
		"stories:\n- rule: a\n  steps: []": "x.yml:2:3: a story has no key \"rule\" [unknown-key]\n    hint: move the rule below rules:",
		"stories:\n- story: a\n":           "x.yml:2:10: warning: the story \"a\" has no steps and is skipped [no-steps]",
		"stories:\n- story: a\n  steps:\n  - acton: x\n": "x.yml:4:5: warning: a step of \"a\" begins with \"acton\", which is no kind of step, and is skipped [unknown-step]\n" +
			"    hint: did you mean \"action\"?",
		"stories:\n- story: a\n  steps:\n  - intent: /gret\n": "x.yml:4:13: warning: intent \"/gret\" begins with a slash, which is not needed [intent-with-slash]\n    hint: write intent: gret\n" +
			"x.yml:4:13: warning: intent \"gret\" is not declared in the domain [unknown-intent]\n    hint: did you mean \"greet\"?",
		"rules:\n- rule: a\n  steps:\n  - intent: greet\n  - checkpoint: c\n": "x.yml:5:17: warning: the rule \"a\" has a checkpoint; rules should stand alone [checkpoint-in-rule]\n" +
			"    hint: use a story, or write the rule out",
		"rules:\n- rule: a\n  wait_for_user_input: no\n  steps:\n  - intent: greet\n": "x.yml:3:24: wait_for_user_input must be true or false, not a string [invalid-value]\n    hint: write true or false",
	} {
		if _, got := read(text, "x.yml"); got != want {
			t.Errorf("%q:\ngot:\n%s\nwant:\n%s", text, got, want)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add("stories:\n- story: s\n  steps:\n  - or: [{intent: a}, {slot_was_set: [b]}]\n  - checkpoint: c\n  - checkpoint: d\n  - action: e\n")
	f.Add("rules:\n- rule: s\n  condition: [{active_loop: null}]\n  steps:\n  - user: '/a{\"b\": [1, 2]}'\n  - bot: x\n  wait_for_user_input: false\n")
	f.Fuzz(func(t *testing.T, text string) {
		g, _ := read(text, "x.yml")
		for _, b := range g.Blocks {
			if len(b.Start) == 0 {
				t.Errorf("block %q starts nowhere", b.Name)
			}
		}
	})
}
