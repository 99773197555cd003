package ted_test

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/loquat-dev/loquat/internal/dialogue"
	"github.com/loquat-dev/loquat/internal/dialogue/dialoguetest"
	"github.com/loquat-dev/loquat/internal/dialogue/ted"
	"github.com/loquat-dev/loquat/internal/graph"
	"github.com/loquat-dev/loquat/internal/tracker"
)

func train(t testing.TB, data dialogue.TrainingData, config graph.Config) dialogue.Policy {
	t.Helper()
	return dialoguetest.Train(t, ted.Type(), data, config)
}

// In each of these projects one thing alone tells which action is right.
func TestEverythingInAStateCanDecide(t *testing.T) {
	for _, c := range []struct {
		what, project string
		one, other    []any // conversations that utter_one and utter_other answer
	}{
		{"the intent", `
intents: [a, b]
responses: {utter_one: [{text: x}], utter_other: [{text: y}]}
stories:
- story: one
  steps: [{intent: a}, {action: utter_one}]
- story: other
  steps: [{intent: b}, {action: utter_other}]
`, []any{"/a"}, []any{"/b"}},
		{"a slot", `
intents: [a]
slots: {vip: {type: bool, mappings: [{type: custom}]}}
actions: [look_up]
responses: {utter_one: [{text: x}], utter_other: [{text: y}]}
stories:
- story: one
  steps: [{intent: a}, {action: look_up}, {slot_was_set: [{vip: true}]}, {action: utter_one}]
- story: other
  steps: [{intent: a}, {action: look_up}, {slot_was_set: [{vip: false}]}, {action: utter_other}]
`, []any{"/a", "look_up", &tracker.SlotSet{Name: "vip", Value: true}}, []any{"/a", "look_up", &tracker.SlotSet{Name: "vip", Value: false}}},
		{"an entity", `
intents: [{a: {use_entities: [city]}}]
entities: [city]
responses: {utter_one: [{text: x}], utter_other: [{text: y}]}
stories:
- story: one
  steps: [{intent: a, entities: [{city: Bonn}]}, {action: utter_one}]
- story: other
  steps: [{intent: a}, {action: utter_other}]
`, []any{&tracker.UserUttered{Text: "x", HasText: true, Intent: "a", Confidence: 1, Entities: []tracker.Entity{{"entity": "city", "value": "Rome"}}}}, []any{"/a"}},
		{"the active loop", `
intents: [a]
forms: {f: {required_slots: []}}
responses: {utter_one: [{text: x}], utter_other: [{text: y}]}
stories:
- story: one
  steps: [{intent: a}, {action: f}, {active_loop: f}, {action: utter_one}]
- story: other
  steps: [{intent: a}, {action: f}, {active_loop: null}, {action: utter_other}]
`, []any{"/a", "f", &tracker.ActiveLoop{Name: "f"}}, []any{"/a", "f", &tracker.ActiveLoop{}}},
		{"the action before", `
intents: [a]
actions: [x, y]
responses: {utter_one: [{text: x}], utter_other: [{text: y}]}
stories:
- story: one
  steps: [{intent: a}, {action: x}, {intent: a}, {action: utter_one}]
- story: other
  steps: [{intent: a}, {action: y}, {intent: a}, {action: utter_other}]
`, []any{"/a", "x", "action_listen", "/a"}, []any{"/a", "y", "action_listen", "/a"}},
		{"the intent three turns ago", `
intents: [a, b, c]
actions: [x]
responses: {utter_one: [{text: x}], utter_other: [{text: y}]}
stories:
- story: one
  steps: [{intent: a}, {action: x}, {intent: c}, {action: x}, {intent: c}, {action: x}, {intent: c}, {action: utter_one}]
- story: other
  steps: [{intent: b}, {action: x}, {intent: c}, {action: x}, {intent: c}, {action: x}, {intent: c}, {action: utter_other}]
`, []any{"/a", "x", "action_listen", "/c", "x", "action_listen", "/c", "x", "action_listen", "/c"}, []any{"/b", "x", "action_listen", "/c", "x", "action_listen", "/c", "x", "action_listen", "/c"}},
		{"a slot and an intent together", `
intents: [a, b]
slots: {vip: {type: text, mappings: [{type: custom}]}}
responses: {utter_one: [{text: x}], utter_other: [{text: y}]}
stories:
- story: one
  steps: [{slot_was_set: [{vip: x}]}, {intent: a}, {action: utter_one}]
- story: other
  steps: [{slot_was_set: [{vip: x}]}, {intent: b}, {action: utter_other}]
- story: other again
  steps: [{intent: a}, {action: utter_other}]
- story: one again
  steps: [{intent: b}, {action: utter_one}]
`, []any{&tracker.SlotSet{Name: "vip", Value: "x"}, "/a"}, []any{&tracker.SlotSet{Name: "vip", Value: "x"}, "/b"}},
	} {
		t.Run(c.what, func(t *testing.T) {
			data := dialoguetest.Data(t, c.project)
			p := train(t, data, nil)
			for want, events := range map[string][]any{"utter_one": c.one, "utter_other": c.other} {
				got, confidence := dialoguetest.Predict(t, p, dialoguetest.Conversation(data.Domain, events...))
				if got != want || confidence < 0.5 {
					t.Errorf("after %v: got %s with %.2f, want %s with more than a half", events, got, confidence, want)
				}
			}
		})
	}
}

const smallProject = `
intents: [greet, order, thank]
responses: {utter_greet: [{text: hi}], utter_order: [{text: ok}], utter_bye: [{text: bye}], utter_rule: [{text: r}]}
stories:
- story: order
  steps: [{intent: greet}, {action: utter_greet}, {intent: order}, {action: utter_order}, {intent: thank}, {action: utter_bye}]
rules:
- rule: only here
  steps: [{intent: thank}, {action: utter_rule}]
`

func TestUnseenConversationsArePredictedToo(t *testing.T) {
	data := dialoguetest.Data(t, smallProject)
	p := train(t, data, graph.Config{"max_history": int64(5)})
	// No story begins like this, so MemoizationPolicy is silent.
	events := []any{"/thank", "utter_bye", "action_listen", "/thank", "utter_bye", "action_listen", "/greet", "utter_greet", "action_listen", "/order"}
	if got, _ := dialoguetest.Predict(t, p, dialoguetest.Conversation(data.Domain, events...)); got != "utter_order" {
		t.Errorf("got %s, want utter_order", got)
	}
}

func TestRulesAreNotLearned(t *testing.T) {
	data := dialoguetest.Data(t, smallProject)
	p := train(t, data, nil)
	out, err := p.Predict(t.Context(), dialogue.Situation{Tracker: dialoguetest.Conversation(data.Domain, "/thank"), Domain: data.Domain})
	if err != nil {
		t.Fatal(err)
	}
	if i, _ := data.Domain.ActionIndex("utter_rule"); out.Probabilities[i] != 0 {
		t.Errorf("an action that only rules have got %v", out.Probabilities[i])
	}
	sum := 0.0
	for _, v := range out.Probabilities {
		sum += v
	}
	if math.Abs(sum-1) > 1e-6 {
		t.Errorf("probabilities add up to %v", sum)
	}
	if out.Policy != "TEDPolicy" || out.Priority != 1 {
		t.Errorf("%s with priority %d, want TEDPolicy with 1", out.Policy, out.Priority)
	}
}

func TestWithoutStoriesNothingIsPredicted(t *testing.T) {
	data := dialoguetest.Data(t, "intents: [a]\nresponses: {utter_x: [{text: x}]}\nrules:\n- rule: r\n  steps: [{intent: a}, {action: utter_x}]\n")
	if _, confidence := dialoguetest.Predict(t, train(t, data, nil), dialoguetest.Conversation(data.Domain, "/a")); confidence != 0 {
		t.Errorf("got a confidence of %v, want 0", confidence)
	}
}

func TestRanking(t *testing.T) {
	data := dialoguetest.Data(t, smallProject)
	conversation := dialoguetest.Conversation(data.Domain, "/greet")
	for _, c := range []struct {
		config      graph.Config
		sumsToOne   bool
		withNumbers int
	}{
		{graph.Config{"ranking_length": int64(2)}, false, 2},
		{graph.Config{"ranking_length": int64(2), "renormalize_confidences": true}, true, 2},
		{graph.Config{"ranking_length": int64(0)}, true, 4},
	} {
		out, err := train(t, data, c.config).Predict(t.Context(), dialogue.Situation{Tracker: conversation, Domain: data.Domain})
		if err != nil {
			t.Fatal(err)
		}
		sum, n := 0.0, 0
		for _, v := range out.Probabilities {
			if sum += v; v > 0 {
				n++
			}
		}
		if n != c.withNumbers || (math.Abs(sum-1) < 1e-6) != c.sumsToOne {
			t.Errorf("%v: %d actions with a sum of %v", c.config, n, sum)
		}
	}
}

func TestTrainingIsTheSameOnAnyNumberOfCores(t *testing.T) {
	dialoguetest.SameOnAnyNumberOfCores(t, ted.Type(), dialoguetest.Data(t, smallProject))
}

func TestSettingsWithoutEffectAreReportedOnceAndDocumented(t *testing.T) {
	dialoguetest.NamesSettingsWithoutEffect(t, ted.Type(), dialoguetest.Data(t, smallProject), graph.Config{"epochs": int64(100), "drop_rate": 0.0, "max_history": int64(5)}, []string{"epochs"}, ted.WithoutEffect())
}

func FuzzLoad(f *testing.F) {
	dialoguetest.LoadsOrRefuses(f, ted.Type(), dialoguetest.Data(f, smallProject), "ted.bin")
}

func TestBadSettings(t *testing.T) {
	for _, c := range []graph.Config{
		{"ranking_length": int64(-1)},
		{"loss_type": "hinge"},
		{"model_confidence": "cosine"},
		{"featurizer": []any{map[string]any{"name": "FullDialogueTrackerFeaturizer"}}},
		{"featurizer": []any{map[string]any{"name": "MaxHistoryTrackerFeaturizer", "max_histroy": int64(5)}}},
		{"max_history": int64(-1)},
		{"split_entities_by_comma": "sometimes"},
		{"entity_recognition": "yes"},
	} {
		if errs := ted.Type().Check(c); len(errs) != 1 {
			t.Errorf("%v: errors %v, want one", slices.Collect(maps.Keys(c)), errs)
		}
	}
	if errs := ted.Type().Check(graph.Config{"use_masked_language_model": true}); len(errs) != 0 { // its transformers have a layer each
		t.Errorf("use_masked_language_model: errors %v", errs)
	}
}

func BenchmarkPredict(b *testing.B) {
	data := dialoguetest.Data(b, smallProject)
	p := train(b, data, graph.Config{"max_history": int64(5)})
	conversation := dialoguetest.Conversation(data.Domain, "/greet", "utter_greet", "action_listen", "/order")
	b.ReportAllocs()
	for b.Loop() {
		dialoguetest.Predict(b, p, conversation)
	}
}

// BenchmarkTrain learns 300 stories of six turns.
func BenchmarkTrain(b *testing.B) {
	var text strings.Builder
	text.WriteString("intents: [i0, i1, i2, i3, i4, i5, i6, i7, i8, i9]\nactions: [a0, a1, a2, a3, a4, a5, a6, a7, a8, a9]\nstories:\n")
	for i := range 300 {
		fmt.Fprintf(&text, "- story: s%d\n  steps:\n", i)
		for turn, n := 0, i*7919+1; turn < 6; turn, n = turn+1, n*31%9973 {
			fmt.Fprintf(&text, "  - intent: i%d\n  - action: a%d\n", n%10, (n+turn)%10)
		}
	}
	data := dialoguetest.Data(b, text.String())
	for b.Loop() {
		if err := dialoguetest.Build(b, ted.Type(), graph.Config{"max_history": int64(5)}, 2, nil).Train(b.Context(), data); err != nil {
			b.Fatal(err)
		}
	}
}
