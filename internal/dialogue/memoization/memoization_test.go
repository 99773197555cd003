package memoization_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loquat-dev/loquat/internal/dialogue"
	"github.com/loquat-dev/loquat/internal/dialogue/dialoguetest"
	"github.com/loquat-dev/loquat/internal/dialogue/memoization"
	"github.com/loquat-dev/loquat/internal/graph"
	"github.com/loquat-dev/loquat/internal/tracker"
)

const project = `
intents: [greet, order, thank]
slots: {size: {type: text, mappings: [{type: custom}]}}
responses: {utter_greet: [{text: hi}], utter_order: [{text: ok}], utter_bye: [{text: bye}]}
stories:
- story: order
  steps: [{intent: greet}, {action: utter_greet}, {intent: order}, {action: utter_order}, {intent: thank}, {action: utter_bye}]
- story: ambiguous 1
  steps: [{intent: thank}, {action: utter_bye}]
- story: ambiguous 2
  steps: [{intent: thank}, {action: utter_greet}]
`

// build trains a policy and gives it as it is after saving and loading.
func build(t testing.TB, kind graph.Type, data dialogue.TrainingData, maxHistory any) dialogue.Policy {
	t.Helper()
	config := graph.Config{"max_history": maxHistory}
	fresh, err := kind.Build(graph.Env{}, config, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := fresh.(dialogue.Policy).Train(t.Context(), data); err != nil {
		t.Fatal(err)
	}
	saved, err := fresh.(graph.Persister).Persist()
	if err != nil {
		t.Fatal(err)
	}
	loaded, err := kind.Build(graph.Env{}, config, saved)
	if err != nil {
		t.Fatal(err)
	}
	again, err := loaded.(graph.Persister).Persist()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(saved, again); diff != "" {
		t.Errorf("what was loaded persists differently: %s", diff)
	}
	return loaded.(dialogue.Policy)
}

func TestPredictions(t *testing.T) {
	data := dialoguetest.Data(t, project)
	none := "action_listen 0"
	slot := &tracker.SlotSet{Name: "size", Value: "big"}
	for _, c := range []struct {
		name                       string
		events                     []any
		all, lastTwo, augmentedTwo string
	}{
		{"word for word", []any{"/greet", "utter_greet", "action_listen", "/order"}, "utter_order 1", "utter_order 1", "utter_order 1"},
		{"another beginning", []any{"/thank", "utter_bye", "action_listen", "/greet", "utter_greet", "action_listen", "/order"}, none, "utter_order 1", "utter_order 1"},
		{"a slot that no story sets", []any{"/thank", slot, "utter_bye", "action_listen", "/greet", "utter_greet", "action_listen", "/order"}, none, none, "utter_order 1"},
		{"two answers", []any{"/thank"}, none, none, none},
		{"never seen", []any{"/order", "utter_bye"}, none, none, none},
	} {
		for _, p := range []struct {
			kind       graph.Type
			maxHistory any
			want       string
		}{
			{memoization.Type(), nil, c.all},
			{memoization.Type(), int64(2), c.lastTwo},
			{memoization.AugmentedType(), int64(2), c.augmentedTwo},
		} {
			action, confidence := dialoguetest.Predict(t, build(t, p.kind, data, p.maxHistory), dialoguetest.Conversation(data.Domain, c.events...))
			if got := fmt.Sprint(action, " ", confidence); got != p.want {
				t.Errorf("%s, %s with max_history %v: got %s, want %s", c.name, p.kind.Name, p.maxHistory, got, p.want)
			}
		}
	}
}

func TestFeaturizerMaySayMaxHistory(t *testing.T) {
	data := dialoguetest.Data(t, project)
	featurizer := func(name string) graph.Config {
		return graph.Config{"featurizer": []any{map[string]any{"name": name, "max_history": int64(2)}}}
	}
	p, err := memoization.Type().Build(graph.Env{}, featurizer("MaxHistoryTrackerFeaturizer"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.(dialogue.Policy).Train(t.Context(), data); err != nil {
		t.Fatal(err)
	}
	conversation := dialoguetest.Conversation(data.Domain, "/thank", "utter_bye", "action_listen", "/greet", "utter_greet", "action_listen", "/order")
	if action, _ := dialoguetest.Predict(t, p.(dialogue.Policy), conversation); action != "utter_order" {
		t.Errorf("got %s, want utter_order", action)
	}
	if _, err := memoization.Type().Build(graph.Env{}, featurizer("FullDialogueTrackerFeaturizer"), nil); err == nil {
		t.Error("a featurizer that the policy can't use was accepted")
	}
}

func BenchmarkPredict(b *testing.B) {
	var text strings.Builder
	text.WriteString("intents: [a, b, c]\nactions: [x, y, z]\nstories:\n")
	for i := range 300 {
		fmt.Fprintf(&text, "- story: s%d\n  steps:\n", i)
		for n := i; n > 0; n /= 3 {
			fmt.Fprintf(&text, "  - intent: %c\n  - action: %c\n", 'a'+n%3, 'x'+n%3)
		}
	}
	data := dialoguetest.Data(b, text.String())
	for _, kind := range []graph.Type{memoization.Type(), memoization.AugmentedType()} {
		p := build(b, kind, data, int64(5))
		for _, turns := range []int{1, 1000} {
			conversation := dialoguetest.Conversation(data.Domain)
			for range turns {
				dialoguetest.Play(conversation, "/a", "z", "action_listen")
			}
			b.Run(fmt.Sprintf("%s/turns=%d", kind.Name, turns), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					dialoguetest.Predict(b, p, conversation)
				}
			})
		}
	}
}
