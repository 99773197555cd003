package evaluate_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loquat-dev/loquat/internal/evaluate"
	"github.com/loquat-dev/loquat/internal/nlu"
	"github.com/loquat-dev/loquat/internal/nludata"
	"github.com/loquat-dev/loquat/internal/sharedtest"
)

// parser is a model that answers what a function says.
type parser func(m *nlu.Message) error

func (p parser) Parse(_ context.Context, m *nlu.Message) error { return p(m) }

func TestOutcomesAreInTheOrderOfTheExamples(t *testing.T) {
	examples := make([]nludata.Example, 500)
	for i := range examples {
		examples[i] = nludata.Example{Text: fmt.Sprint(i), Intent: "i"}
	}
	calls := 0
	outcomes, err := evaluate.Parse(t.Context(), parser(func(m *nlu.Message) error {
		m.Intent = &nlu.Intent{Name: m.Values[nlu.Text]}
		return nil
	}), examples, func(done int) {
		if calls++; calls != done {
			t.Errorf("call %d says that %d are done", calls, done)
		}
	})
	if err != nil || calls != len(examples) {
		t.Fatalf("%d calls, error %v", calls, err)
	}
	for i, o := range outcomes {
		if o.Intent.Name != fmt.Sprint(i) || o.Example != &examples[i] {
			t.Fatalf("outcome %d is %+v", i, o)
		}
	}
}

func TestAParserThatFailsEndsTheTest(t *testing.T) {
	broken := errors.New("broken")
	_, err := evaluate.Parse(t.Context(), parser(func(*nlu.Message) error { return broken }), make([]nludata.Example, 9), nil)
	if !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := evaluate.Parse(ctx, parser(func(*nlu.Message) error { return nil }), make([]nludata.Example, 9), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: got %v", err)
	}
}

// TestFallbacksAreUndone compares with recordings of Rasa 3.6.21.
func TestFallbacksAreUndone(t *testing.T) {
	data, err := os.ReadFile(filepath.Join(sharedtest.Dir(t, "data", "golden", "nlu"), "fallback.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	for lines := bufio.NewScanner(bytes.NewReader(data)); lines.Scan(); {
		type intent struct {
			Name       string
			Confidence float64
		}
		var r struct {
			Fallback bool     `json:"fallback"`
			Intent   intent   `json:"out_intent"`
			Ranking  []intent `json:"out_ranking"`
			Undone   *intent  `json:"undone_intent"`
		}
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil || r.Undone == nil {
			continue // a confidence that is no number, or nothing to undo
		}
		o := outcome(t, nludata.Example{Text: "x", Intent: "i"}, func(m *nlu.Message) {
			m.Intent = &nlu.Intent{Name: r.Intent.Name, Confidence: r.Intent.Confidence}
			for _, i := range r.Ranking {
				m.Ranking = append(m.Ranking, nlu.Intent{Name: i.Name, Confidence: i.Confidence})
			}
		})
		if o.Intent.Name != r.Undone.Name || o.Intent.Confidence != r.Undone.Confidence {
			t.Errorf("%s: got %+v", lines.Text(), o.Intent)
		}
		checked++
	}
	if checked < 10 {
		t.Errorf("only %d records were compared", checked)
	}
}

func TestAFallbackWithoutARankingStays(t *testing.T) {
	o := outcome(t, nludata.Example{Text: "x", Intent: "i"}, func(m *nlu.Message) {
		m.Intent = &nlu.Intent{Name: "nlu_fallback", Confidence: 0.7}
		m.Ranking = []nlu.Intent{*m.Intent}
	})
	if o.Intent.Name != "nlu_fallback" {
		t.Errorf("got %+v", o.Intent)
	}
}

// The response is that of the selector of the annotated intent, whatever intent
// was predicted (recorded from Rasa 3.6.21), else of the selector for all.
func TestTheSelectorOfTheAnnotatedIntentCounts(t *testing.T) {
	selector := func(key string, confidence float64) map[string]any {
		return map[string]any{"response": map[string]any{"intent_response_key": key, "confidence": confidence}}
	}
	for _, c := range []struct {
		selectors map[string]any
		want      string
	}{
		{map[string]any{"faq": selector("faq/a", 0.5), "chat": selector("chat/b", 0.9), "default": selector("chat/c", 1)}, "faq/a 0.5"},
		{map[string]any{"default": selector("chat/c", 1)}, "chat/c 1"},
		{map[string]any{"chat": selector("chat/b", 0.9)}, " 0"},
		{nil, " 0"},
	} {
		o := outcome(t, nludata.Example{Text: "x", Intent: "faq", IntentResponseKey: "faq/a"}, func(m *nlu.Message) {
			m.Intent, m.Selector = &nlu.Intent{Name: "chat"}, c.selectors
		})
		if got := fmt.Sprint(o.Response.Name, " ", o.Response.Confidence); got != c.want {
			t.Errorf("%v: got %q, want %q", c.selectors, got, c.want)
		}
	}
}

func TestWhatHasOneLabelIsNotJudged(t *testing.T) {
	outcomes := []evaluate.Outcome{
		outcome(t, nludata.Example{Text: "x", Intent: "faq", IntentResponseKey: "faq/a"}, func(m *nlu.Message) {}),
		outcome(t, nludata.Example{Text: "y"}, func(m *nlu.Message) {
			m.Entities = []nlu.Entity{{Entity: "e", End: 1, Extractor: "CRFEntityExtractor"}}
		}),
	}
	if got := evaluate.Evaluate(outcomes).All(); len(got) != 0 {
		t.Errorf("judged: %+v", got[0])
	}
}

func TestPretrainedExtractorsAreNotJudged(t *testing.T) {
	o := outcome(t, nludata.Example{Text: "two", Entities: []nludata.Entity{{End: 3, Entity: "n", Value: "two"}}}, func(m *nlu.Message) {
		for _, name := range []string{"DucklingEntityExtractor", "SpacyEntityExtractor", "MitieEntityExtractor", ""} {
			m.Entities = append(m.Entities, nlu.Entity{Entity: "n", End: 3, Extractor: name, Value: "two"})
		}
	})
	var names []string
	for _, e := range evaluate.Entities([]evaluate.Outcome{o}) {
		names = append(names, e.Name)
	}
	if !slices.Equal(names, []string{"MitieEntityExtractor"}) {
		t.Errorf("judged: %v", names)
	}
}

// Tokens outside of the text's words, wide characters and spans that end inside of
// a token: each token gets what covers most of it.
func TestTokensAreLabelledByWhatCoversMost(t *testing.T) {
	confidence := 0.25
	o := outcome(t, nludata.Example{Text: "大炒饭 👍 pizza", Entities: []nludata.Entity{
		{Start: 0, End: 1, Entity: "size"}, {Start: 1, End: 3, Entity: "dish", Role: "r", Group: "g"}, {Start: 6, End: 8, Entity: "dish"},
	}}, func(m *nlu.Message) {
		m.Entities = []nlu.Entity{
			{Entity: "dish", Role: "r", Group: "g", Start: 0, End: 3, Extractor: "X", ConfidenceEntity: &confidence},
			{Entity: "size", Start: 3, End: 5, Extractor: "X"}, {Entity: "other", Start: 6, End: 11, Extractor: "Y"},
		}
	})
	x := evaluate.Entities([]evaluate.Outcome{o})[0]
	want := []evaluate.Pair{{Target: "dish.g.r", Predicted: "dish.g.r"}, {Target: "no_entity", Predicted: "size"}, {Target: "dish", Predicted: "no_entity"}}
	if d := cmp.Diff(want, x.Pairs); d != "" {
		t.Errorf("pairs (-want +got):\n%s", d)
	}
	if len(x.Errors) != 1 || len(x.Successes) != 1 {
		t.Errorf("%d errors and %d successes; the example is both", len(x.Errors), len(x.Successes))
	}
	if !slices.Equal(x.Right, []float64{0.25}) || x.Wrong != nil {
		t.Errorf("confidences of what is right: %v, wrong: %v", x.Right, x.Wrong)
	}
}

// Errors that are gone leave no file behind, and a folder that can't be made is an
// error.
func TestFilesOfAnEarlierRunAreRemoved(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	wrong := evaluate.Intents([]evaluate.Outcome{
		{Example: &nludata.Example{Text: "1", Intent: "a"}, Intent: nlu.Intent{Name: "b", Confidence: 1}},
		{Example: &nludata.Example{Text: "2", Intent: "b"}, Intent: nlu.Intent{Name: "b", Confidence: 1}},
	})
	if _, err := (evaluate.Files{Dir: dir}).Write([]*evaluate.Evaluation{wrong}); err != nil {
		t.Fatal(err)
	}
	right := evaluate.Intents([]evaluate.Outcome{
		{Example: &nludata.Example{Text: "1", Intent: "a"}, Intent: nlu.Intent{Name: "a"}},
		{Example: &nludata.Example{Text: "2", Intent: "b"}, Intent: nlu.Intent{Name: "b"}},
	})
	if _, err := (evaluate.Files{Dir: dir, Successes: true}).Write([]*evaluate.Evaluation{right}); err != nil {
		t.Fatal(err)
	}
	left, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range left {
		names = append(names, f.Name())
	}
	if d := cmp.Diff([]string{"intent_report.json", "intent_successes.json"}, names); d != "" {
		t.Errorf("files (-want +got):\n%s", d)
	}
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := (evaluate.Files{Dir: filepath.Join(dir, "file")}).Write(nil); err == nil || !strings.Contains(err.Error(), "write reports") {
		t.Errorf("got %v", err)
	}
}

func outcome(t *testing.T, e nludata.Example, parse func(*nlu.Message)) evaluate.Outcome {
	t.Helper()
	outcomes, err := evaluate.Parse(t.Context(), parser(func(m *nlu.Message) error { parse(m); return nil }), []nludata.Example{e}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return outcomes[0]
}
