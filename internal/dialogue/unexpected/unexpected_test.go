package unexpected_test

import (
	"bytes"
	"log/slog"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

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

func build(t testing.TB, config graph.Config, threads int, saved graph.Resource) dialogue.Policy {
	t.Helper()
	p, err := unexpected.Type().Build(graph.Env{Logger: slog.New(slog.DiscardHandler), Threads: threads}, config, saved)
	if err != nil {
		t.Fatal(err)
	}
	return p.(dialogue.Policy)
}

func persist(t testing.TB, data dialogue.TrainingData, config graph.Config, threads int) graph.Resource {
	t.Helper()
	p := build(t, config, threads, nil)
	if err := p.Train(t.Context(), data); err != nil {
		t.Fatal(err)
	}
	saved, err := p.(graph.Persister).Persist()
	if err != nil {
		t.Fatal(err)
	}
	return saved
}

// train gives a policy as it is after training, saving and loading.
func train(t testing.TB, data dialogue.TrainingData, config graph.Config) dialogue.Policy {
	t.Helper()
	return build(t, config, 1, persist(t, data, config, 1))
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

func TestTrainingIsTheSameOnAnyNumberOfCores(t *testing.T) {
	data := dialoguetest.Data(t, project)
	if diff := cmp.Diff(persist(t, data, nil, 1), persist(t, data, nil, 3)); diff != "" {
		t.Errorf("1 and 3 threads learn different bytes:\n%s", diff)
	}
}

func TestSettingsWithoutEffectAreReportedOnceAndDocumented(t *testing.T) {
	var log bytes.Buffer
	p, err := unexpected.Type().Build(graph.Env{Logger: slog.New(slog.NewTextHandler(&log, nil))}, graph.Config{"epochs": int64(100), "max_history": int64(5)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.(dialogue.Policy).Train(t.Context(), dialoguetest.Data(t, project)); err != nil {
		t.Fatal(err)
	}
	if got := log.String(); strings.Count(got, "without effect") != 1 || !strings.Contains(got, "settings=[epochs]") {
		t.Errorf("log:\n%s", got)
	}
	doc, err := os.ReadFile("../../../docs/compatibility.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range unexpected.WithoutEffect() {
		if !strings.Contains(string(doc), "`"+name+"`") {
			t.Errorf("docs/compatibility.md does not list the setting %s", name)
		}
	}
}

func TestBadSettings(t *testing.T) {
	for _, c := range []graph.Config{
		{"ranking_length": int64(-1)},
		{"tolerance": 1.5},
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

func FuzzLoad(f *testing.F) {
	data := dialoguetest.Data(f, project)
	for _, file := range persist(f, data, nil, 1) {
		f.Add(file)
	}
	conversation := dialoguetest.Conversation(data.Domain, "/greet")
	f.Fuzz(func(t *testing.T, file []byte) {
		p, err := unexpected.Type().Build(graph.Env{Logger: slog.New(slog.DiscardHandler)}, nil, graph.Resource{"unexpected_intent.bin": file})
		if err == nil {
			dialoguetest.Predict(t, p.(dialogue.Policy), conversation)
		}
	})
}
