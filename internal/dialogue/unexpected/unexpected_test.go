package unexpected_test

import (
	"bytes"
	"log/slog"
	"math"
	"strings"
	"testing"

	"github.com/loquat-dev/loquat/internal/dialogue"
	"github.com/loquat-dev/loquat/internal/dialogue/dialoguetest"
	"github.com/loquat-dev/loquat/internal/dialogue/unexpected"
	"github.com/loquat-dev/loquat/internal/graph"
	"github.com/loquat-dev/loquat/internal/tracker"
)

const project = `
intents: [greet, order, size, thank, bye, never]
slots: {vip: {type: text, mappings: [{type: custom}]}}
responses: {utter_greet: [{text: hi}], utter_order: [{text: which?}], utter_size: [{text: ok}], utter_bye: [{text: bye}]}
stories:
- story: one
  steps: [{intent: greet}, {action: utter_greet}, {intent: order}, {action: utter_order}, {intent: size}, {action: utter_size}, {intent: thank}, {action: utter_bye}]
- story: two
  steps: [{intent: order}, {action: utter_order}, {intent: size}, {action: utter_size}, {intent: bye}, {action: utter_bye}]
rules:
- rule: alone
  steps: [{intent: never}, {action: utter_bye}]
`

func train(t testing.TB, data dialogue.TrainingData, config graph.Config) dialogue.Policy {
	t.Helper()
	return dialoguetest.Train(t, unexpected.Type(), data, config)
}

func TestUnexpectedIntentsAreNoticed(t *testing.T) {
	data := dialoguetest.Data(t, project)
	config := func(name string, value any) graph.Config {
		return graph.Config{"max_history": int64(5), name: value}
	}
	sizeFirst := []any{"/size"}
	for _, c := range []struct {
		name   string
		config graph.Config
		events []any
		want   bool
	}{
		{"as in a story", nil, []any{"/greet", "utter_greet", "action_listen", "/order"}, false},
		{"as in the other story", nil, []any{"/order", "utter_order", "action_listen", "/size"}, false},
		{"an answer without a question", nil, sizeFirst, true},
		{"the end at the beginning", nil, []any{"/bye"}, true},
		{"in the middle", nil, []any{"/greet", "utter_greet", "action_listen", "/size"}, true},
		{"a slot was set by the message", nil, []any{"/size", &tracker.SlotSet{Name: "vip", Value: "x"}}, true},
		{"an intent that stories don't have", nil, []any{"/never"}, false},
		{"an ignored intent", config("ignore_intents_list", []any{"size"}), sizeFirst, false},
		{"after an action", nil, []any{"/size", "utter_size"}, false},
		{"once it was noticed", nil, []any{"/size", "action_unlikely_intent"}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			action, confidence := dialoguetest.Predict(t, train(t, data, c.config), dialoguetest.Conversation(data.Domain, c.events...))
			if got := action == "action_unlikely_intent" && confidence == 1; got != c.want {
				t.Errorf("got %s with %v, want unlikely: %v", action, confidence, c.want)
			}
		})
	}
}

func TestToleranceLetsMorePass(t *testing.T) {
	data := dialoguetest.Data(t, project)
	conversation := dialoguetest.Conversation(data.Domain, "/size")
	limit := func(tolerance float64) float64 {
		out, err := train(t, data, graph.Config{"tolerance": tolerance}).Predict(t.Context(), dialogue.Situation{Tracker: conversation, Domain: data.Domain})
		if err != nil {
			t.Fatal(err)
		}
		if out.Metadata == nil {
			return math.Inf(-1)
		}
		return out.Metadata["query_intent"].(map[string]any)["threshold"].(float64)
	}
	if strict, lax := limit(0), limit(0.9); strict <= lax {
		t.Errorf("the threshold is %v without tolerance and %v with much", strict, lax)
	}
}

func TestMetadataTellsTheScores(t *testing.T) {
	data := dialoguetest.Data(t, project)
	p := train(t, data, graph.Config{"ranking_length": int64(2)})
	out, err := p.Predict(t.Context(), dialogue.Situation{Tracker: dialoguetest.Conversation(data.Domain, "/bye"), Domain: data.Domain})
	if err != nil {
		t.Fatal(err)
	}
	query := out.Metadata["query_intent"].(map[string]any)
	if query["name"] != "bye" || query["severity"].(float64) <= 0 || query["threshold"].(float64)-query["score"].(float64) != query["severity"].(float64) {
		t.Errorf("query_intent %v", query)
	}
	ranking := out.Metadata["ranking"].([]any)
	if len(ranking) != 2 {
		t.Fatalf("ranking %v, want two intents", ranking)
	}
	if first, second := ranking[0].(map[string]any), ranking[1].(map[string]any); first["score"].(float64) < second["score"].(float64) {
		t.Errorf("ranking %v is not sorted", ranking)
	}
}

func TestWithoutStoriesNothingIsUnlikely(t *testing.T) {
	data := dialoguetest.Data(t, "intents: [a]\nresponses: {utter_x: [{text: x}]}\nrules:\n- rule: r\n  steps: [{intent: a}, {action: utter_x}]\n")
	if action, confidence := dialoguetest.Predict(t, train(t, data, nil), dialoguetest.Conversation(data.Domain, "/a")); confidence != 0 {
		t.Errorf("got %s with %v, want nothing", action, confidence)
	}
}

func TestAnUnknownIntentToIgnoreIsNamed(t *testing.T) {
	var log bytes.Buffer
	p, err := unexpected.Type().Build(graph.Env{Logger: slog.New(slog.NewTextHandler(&log, nil))}, graph.Config{"ignore_intents_list": []any{"size", "sise"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.(dialogue.Policy).Train(t.Context(), dialoguetest.Data(t, project)); err != nil {
		t.Fatal(err)
	}
	if got := log.String(); strings.Count(got, "level=WARN") != 1 || !strings.Contains(got, "intent=sise") {
		t.Errorf("log:\n%s", got)
	}
}

func TestTrainingIsTheSameOnAnyNumberOfCores(t *testing.T) {
	dialoguetest.SameOnAnyNumberOfCores(t, unexpected.Type(), dialoguetest.Data(t, project))
}

func TestSettingsWithoutEffectAreReportedOnceAndDocumented(t *testing.T) {
	dialoguetest.NamesSettingsWithoutEffect(t, unexpected.Type(), dialoguetest.Data(t, project), graph.Config{"epochs": int64(100), "max_history": int64(5)}, []string{"epochs"}, unexpected.WithoutEffect())
}

func FuzzLoad(f *testing.F) {
	dialoguetest.LoadsOrRefuses(f, unexpected.Type(), dialoguetest.Data(f, project), "unexpected_intent.bin")
}

func TestBadSettings(t *testing.T) {
	for _, c := range []graph.Config{
		{"ranking_length": int64(-1)},
		{"tolerance": 1.5},
		{"max_history": int64(-1)},
		{"featurizer": []any{map[string]any{"name": "MaxHistoryTrackerFeaturizer"}}},
	} {
		if errs := unexpected.Type().Check(c); len(errs) != 1 {
			t.Errorf("%v: errors %v, want one", c, errs)
		}
	}
	if errs := unexpected.Type().Check(graph.Config{"featurizer": []any{map[string]any{"name": "IntentMaxHistoryTrackerFeaturizer", "max_history": int64(3)}}}); len(errs) != 0 {
		t.Errorf("its own featurizer: %v", errs)
	}
}
