package selector_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/graph"
	"github.com/loquat-dev/loquat/internal/ml/weights"
	"github.com/loquat-dev/loquat/internal/nlu"
	"github.com/loquat-dev/loquat/internal/nlu/featurizer/countvectors"
	"github.com/loquat-dev/loquat/internal/nlu/selector"
	"github.com/loquat-dev/loquat/internal/nlu/tokenizer/whitespace"
	"github.com/loquat-dev/loquat/internal/nludata"
	"github.com/loquat-dev/loquat/internal/sharedtest"
	"github.com/loquat-dev/loquat/internal/yamlfile"
)

var quiet = slog.New(slog.DiscardHandler)

const data = `
nlu:
- intent: greet
  examples: |
    - hello
    - hi there
- intent: faq/name
  examples: |
    - what is your name
    - who are you
    - tell me your name
- intent: faq/open
  examples: |
    - when do you open
    - opening hours please
    - are you open on sunday
- intent: chat/joke
  examples: |
    - tell me a joke
    - make me laugh
responses:
  utter_faq/name:
  - text: I am Loquat
  - text: They call me {name}
    buttons: [{title: ok, payload: /ok}]
    image: https://example.org/me.png
  utter_faq/open:
  - text: At nine
    custom: {hours: 9, limit: .inf}
  utter_chat/joke:
  - text: At nine
`

// bot is a tokenizer, a featurizer and selectors.
type bot struct {
	data   *nlu.TrainingData
	before []nlu.Processor
}

func configured(of graph.Type, set graph.Config) graph.Config {
	c := maps.Clone(of.Defaults)
	maps.Copy(c, set)
	return c
}

func featurize(t testing.TB, yaml string) bot {
	t.Helper()
	var problems diag.List
	source := nludata.Read(yamlfile.Parse([]byte(yaml), "nlu.yml", &problems), &problems)
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	source.LabelResponses()
	ctx := context.Background()
	b := bot{data: nlu.NewTrainingData(source, nlu.Labels{})}
	for _, of := range []graph.Type{whitespace.Type(), countvectors.Type()} {
		c, err := of.Build(graph.Env{NodeName: of.Name, Logger: quiet, Threads: 1}, configured(of, nil), nil)
		if err != nil {
			t.Fatal(err)
		}
		if trainer, ok := c.(nlu.Trainer); ok {
			if err := trainer.Train(ctx, b.data); err != nil {
				t.Fatal(err)
			}
		}
		if b.data, err = c.(nlu.TrainingProcessor).ProcessTrainingData(ctx, b.data); err != nil {
			t.Fatal(err)
		}
		b.before = append(b.before, c.(nlu.Processor))
	}
	return b
}

func build(t testing.TB, set graph.Config, saved graph.Resource) (*selector.Selector, error) {
	t.Helper()
	env := graph.Env{NodeName: "train_ResponseSelector2", Logger: quiet, Threads: 2}
	c, err := selector.Type().Build(env, configured(selector.Type(), set), saved)
	if err != nil {
		return nil, err
	}
	return c.(*selector.Selector), nil
}

// trained trains a selector and makes it anew from what it keeps.
func (b bot) trained(t testing.TB, set graph.Config) *selector.Selector {
	t.Helper()
	fresh, err := build(t, set, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := fresh.Train(context.Background(), b.data); err != nil {
		t.Fatal(err)
	}
	saved, err := fresh.Persist()
	if err != nil {
		t.Fatal(err)
	}
	again, err := build(t, set, saved)
	if err != nil {
		t.Fatal(err)
	}
	return again
}

// ask runs selectors on a text and gives response_selector, as JSON has it.
func (b bot) ask(t testing.TB, text string, selectors ...*selector.Selector) map[string]any {
	t.Helper()
	m := &nlu.Message{}
	m.Values[nlu.Text] = text
	processors := b.before
	for _, s := range selectors {
		processors = append(processors[:len(processors):len(processors)], s)
	}
	for _, p := range processors {
		if err := p.Process(context.Background(), []*nlu.Message{m}); err != nil {
			t.Fatal(err)
		}
	}
	encoded, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	var out struct {
		Selector map[string]any `json:"response_selector"`
	}
	if err := json.Unmarshal(encoded, &out); err != nil {
		t.Fatal(err)
	}
	return out.Selector
}

// response takes the response out of an entry, and its confidence.
func response(t testing.TB, result map[string]any, name string) (map[string]any, float64) {
	t.Helper()
	entry, ok := result[name].(map[string]any)
	if !ok {
		t.Fatalf("no entry %q in %v", name, result)
	}
	r := entry["response"].(map[string]any)
	confidence := r["confidence"].(float64)
	delete(r, "confidence")
	return r, confidence
}

func TestResultHasTheWholeResponse(t *testing.T) {
	b := featurize(t, data)
	s := b.trained(t, nil)
	result := b.ask(t, "what's your name", s)
	if d := cmp.Diff([]any{"chat", "faq"}, result["all_retrieval_intents"]); d != "" {
		t.Error(d)
	}
	got, confidence := response(t, result, "default")
	want := map[string]any{
		"intent_response_key": "faq/name", "utter_action": "utter_faq/name",
		"responses": []any{
			map[string]any{"text": "I am Loquat"},
			map[string]any{
				"text": "They call me {name}", "image": "https://example.org/me.png",
				"buttons": []any{map[string]any{"title": "ok", "payload": "/ok"}},
			},
		},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	ranking := result["default"].(map[string]any)["ranking"].([]any)
	sum := 0.0
	for _, r := range ranking {
		sum += r.(map[string]any)["confidence"].(float64)
	}
	if first := ranking[0].(map[string]any); len(ranking) != 3 || first["intent_response_key"] != "faq/name" || first["confidence"] != confidence || sum < 0.999 || sum > 1.001 {
		t.Errorf("the ranking is %v, the confidence %v", ranking, confidence)
	}
	// JSON has no infinity: the model keeps null
	open, _ := response(t, b.ask(t, "when do you open", s), "default")
	if d := cmp.Diff([]any{map[string]any{"text": "At nine", "custom": map[string]any{"hours": 9.0, "limit": nil}}}, open["responses"]); d != "" {
		t.Error(d)
	}
}

func TestEverySelectorHasItsEntry(t *testing.T) {
	b := featurize(t, data)
	faq := b.trained(t, graph.Config{"retrieval_intent": "faq"})
	all := b.trained(t, nil)
	result := b.ask(t, "tell me a joke", faq, all)
	if got, _ := response(t, result, "faq"); !strings.HasPrefix(got["intent_response_key"].(string), "faq/") {
		t.Errorf("the selector of faq chose %v", got)
	}
	if got, _ := response(t, result, "default"); got["intent_response_key"] != "chat/joke" {
		t.Errorf("the selector of all intents chose %v", got)
	}
}

// The recorded behaviour of Rasa 3.6.21: one response is too few, and then the
// intents are no retrieval intents.
func TestTooFewResponsesAreNotLearned(t *testing.T) {
	b := featurize(t, data)
	for _, intent := range []string{"chat", "nosuch"} {
		result := b.ask(t, "tell me a joke", b.trained(t, graph.Config{"retrieval_intent": intent}))
		want := map[string]any{
			"all_retrieval_intents": []any{},
			intent: map[string]any{"ranking": []any{}, "response": map[string]any{
				"responses": nil, "confidence": 0.0, "intent_response_key": nil, "utter_action": "utter_None",
			}},
		}
		if d := cmp.Diff(want, result); d != "" {
			t.Error(d)
		}
	}
}

func TestAKeyWithoutAResponseSaysItself(t *testing.T) {
	yaml, _, _ := strings.Cut(data, "responses:")
	b := featurize(t, yaml)
	got, _ := response(t, b.ask(t, "who are you", b.trained(t, nil)), "default")
	want := map[string]any{
		"intent_response_key": "faq/name", "utter_action": "utter_faq/name", "responses": []any{map[string]any{"text": "faq/name"}},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// With texts as labels, two responses that say the same are one.
func TestTextAsLabel(t *testing.T) {
	b := featurize(t, data)
	s := b.trained(t, graph.Config{"use_text_as_label": true})
	result := b.ask(t, "make me laugh", s)
	if got, _ := response(t, result, "default"); got["intent_response_key"] != "faq/open" {
		t.Errorf("chose %v, want the first response that says the same", got)
	}
	if ranking := result["default"].(map[string]any)["ranking"].([]any); len(ranking) != 2 {
		t.Errorf("ranking %v, want one entry for each text", ranking)
	}
}

func TestRankingSettings(t *testing.T) {
	b := featurize(t, data)
	for _, c := range []struct {
		length int64
		renorm bool
		want   int
		sum    bool
	}{{1, true, 1, true}, {2, false, 2, false}, {2, true, 2, true}, {0, false, 3, true}} {
		s := b.trained(t, graph.Config{"ranking_length": c.length, "renormalize_confidences": c.renorm})
		result := b.ask(t, "name and opening hours of a joke", s)
		_, confidence := response(t, result, "default")
		ranking := result["default"].(map[string]any)["ranking"].([]any)
		sum := 0.0
		for _, r := range ranking {
			sum += r.(map[string]any)["confidence"].(float64)
		}
		if len(ranking) != c.want || (sum > 0.999999) != c.sum || ranking[0].(map[string]any)["confidence"] != confidence {
			t.Errorf("%+v: ranking %v adds up to %v", c, ranking, sum)
		}
	}
}

func TestAMessageWithoutFeaturesGetsNoResponse(t *testing.T) {
	b := featurize(t, data)
	s := b.trained(t, nil)
	b.before = nil
	if got, confidence := response(t, b.ask(t, "who are you", s), "default"); got["responses"] != nil || confidence != 0 {
		t.Errorf("got %v with %v", got, confidence)
	}
}

// What a result holds belongs to its owner.
func TestResultsShareNothing(t *testing.T) {
	b := featurize(t, data)
	s := b.trained(t, nil)
	m := &nlu.Message{}
	m.Values[nlu.Text] = "who are you"
	for _, p := range append(b.before, nlu.Processor(s)) {
		if err := p.Process(context.Background(), []*nlu.Message{m}); err != nil {
			t.Fatal(err)
		}
	}
	entry := m.Selector["default"].(map[string]any)["response"].(map[string]any)
	entry["responses"].([]any)[0].(map[string]any)["text"] = "changed"
	got, _ := response(t, b.ask(t, "who are you", s), "default")
	if text := got["responses"].([]any)[0].(map[string]any)["text"]; text != "I am Loquat" {
		t.Errorf("the next message gets %q", text)
	}
}

func TestFineTuningGoesOn(t *testing.T) {
	b := featurize(t, data)
	saved, err := b.trained(t, graph.Config{"epochs": int64(30)}).Persist()
	if err != nil {
		t.Fatal(err)
	}
	confidence := func(saved graph.Resource) float64 {
		s, err := build(t, graph.Config{"epochs": int64(1)}, saved)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Train(context.Background(), b.data); err != nil {
			t.Fatal(err)
		}
		_, c := response(t, b.ask(t, "who are you", s), "default")
		return c
	}
	if tuned, fresh := confidence(saved), confidence(nil); tuned <= fresh {
		t.Errorf("one epoch on top of thirty gives %v, one epoch %v", tuned, fresh)
	}
}

func TestSettingsWithoutEffect(t *testing.T) {
	var log bytes.Buffer
	env := graph.Env{Logger: slog.New(slog.NewTextHandler(&log, nil)), Threads: 1}
	c, err := selector.Type().Build(env, configured(selector.Type(), graph.Config{"constrain_similarities": true, "scale_loss": true, "epochs": int64(2)}), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.(*selector.Selector).Train(context.Background(), featurize(t, data).data); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(log.String(), "settings without effect"); n != 1 || !strings.Contains(log.String(), `settings=[constrain_similarities]`) {
		t.Errorf("log:\n%s", log.String())
	}
	doc, err := os.ReadFile(filepath.Join(sharedtest.ModuleRoot(t), "docs", "compatibility.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(doc), "## Settings without effect")
	section, _, _ = strings.Cut(section, "\n## ")
	for _, name := range selector.WithoutEffect() {
		if !strings.Contains(section, "`"+name+"`") {
			t.Errorf("docs/compatibility.md does not list %s as without effect", name)
		}
	}
}

func TestWrongSettings(t *testing.T) {
	for _, c := range []struct {
		set   graph.Config
		wrong int
	}{
		{nil, 0},
		{graph.Config{"retrieval_intent": "faq", "use_text_as_label": true, "number_of_transformer_layers": int64(2)}, 0},
		{graph.Config{"retrieval_intent": int64(3)}, 1},
		{graph.Config{"epochs": int64(0), "ranking_length": int64(-1), "model_confidence": "cosine"}, 3},
	} {
		if errs := selector.Type().Check(configured(selector.Type(), c.set)); len(errs) != c.wrong {
			t.Errorf("%v: %v, want %d errors", c.set, errs, c.wrong)
		}
	}
}

func FuzzLoad(f *testing.F) {
	b := featurize(f, data)
	saved, err := b.trained(f, graph.Config{"epochs": int64(2)}).Persist()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(saved["selector.bin"], saved["responses.json"], saved["retrieval_intents.json"])
	f.Add(saved["selector.bin"][:100], []byte(`{"faq/name": [1]}`), []byte(`null`))
	f.Fuzz(func(t *testing.T, model, responses, intents []byte) {
		files := graph.Resource{"selector.bin": model, "responses.json": responses, "retrieval_intents.json": intents}
		s, err := build(t, nil, files)
		if err != nil {
			if !errors.Is(err, weights.ErrCorrupt) {
				t.Fatal(err)
			}
			return
		}
		b.ask(t, "who are you", s) // whatever was loaded must not panic
		again, err := s.Persist()
		if err != nil {
			t.Fatal(err)
		}
		if s, err = build(t, nil, again); err != nil {
			t.Fatal(err)
		}
		if twice, err := s.Persist(); err != nil || !reflect.DeepEqual(again, twice) {
			t.Fatalf("written and read again, it is another one: %v", err)
		}
	})
}
