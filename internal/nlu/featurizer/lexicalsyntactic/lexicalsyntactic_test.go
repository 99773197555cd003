package lexicalsyntactic_test

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loquat-dev/loquat/internal/graph"
	"github.com/loquat-dev/loquat/internal/nlu"
	"github.com/loquat-dev/loquat/internal/nlu/featurizer/lexicalsyntactic"
	"github.com/loquat-dev/loquat/internal/nlu/tokenizer/whitespace"
)

func message(text string) *nlu.Message {
	m := &nlu.Message{}
	m.Values[nlu.Text] = text
	m.Tokens[nlu.Text] = whitespace.Split(text)
	return m
}

func build(t testing.TB, config graph.Config, saved graph.Resource) *lexicalsyntactic.Featurizer {
	t.Helper()
	env := graph.Env{NodeName: "run_LexicalSyntacticFeaturizer2", Logger: slog.New(slog.DiscardHandler)}
	c, err := lexicalsyntactic.Type().Build(env, config, saved)
	if err != nil {
		t.Fatal(err)
	}
	return c.(*lexicalsyntactic.Featurizer)
}

func train(t testing.TB, config graph.Config, texts ...string) *lexicalsyntactic.Featurizer {
	t.Helper()
	f := build(t, config, nil)
	data := &nlu.TrainingData{}
	for _, s := range texts {
		data.Messages = append(data.Messages, message(s))
	}
	if err := f.Train(context.Background(), data); err != nil {
		t.Fatal(err)
	}
	saved, err := f.Persist()
	if err != nil {
		t.Fatal(err)
	}
	return build(t, config, saved)
}

func TestColumnsAreSortedByPositionFeatureAndValue(t *testing.T) {
	f := train(t, graph.Config{"features": []any{[]any{"low"}, []any{"suffix2", "BOS"}}}, "Go to Köln")
	want := []string{"-1:low:False", "-1:low:True", "0:BOS:False", "0:BOS:True", "0:suffix2:Go", "0:suffix2:ln", "0:suffix2:to"}
	if d := cmp.Diff(want, f.Columns()); d != "" {
		t.Error(d)
	}
	m := message("Köln unseen")
	if err := f.Process(context.Background(), []*nlu.Message{m}); err != nil {
		t.Fatal(err)
	}
	x := m.Features[0].Sparse
	first, _ := x.Row(0)
	second, _ := x.Row(1)
	if !slices.Equal(first, []int32{3, 5}) || !slices.Equal(second, []int32{0, 2}) {
		t.Errorf("got %v and %v", first, second)
	}
	if m.Features[0].Origin != "run_LexicalSyntacticFeaturizer2" {
		t.Errorf("origin %q", m.Features[0].Origin)
	}
}

func TestUnknownFeaturesAreRefused(t *testing.T) {
	errs := lexicalsyntactic.Type().Check(graph.Config{"features": []any{[]any{"low", "colour"}, []any{"size"}}})
	if len(errs) != 2 {
		t.Errorf("got %v, want 2 errors", errs)
	}
}

func BenchmarkProcess(b *testing.B) {
	f := train(b, nil, "Could you book a table for 2 at Café Zimt?", "HELLO there 42")
	m := message("I'd like to book a table for 2 people at 19:30, please!")
	b.ReportAllocs()
	for b.Loop() {
		m.Features = m.Features[:0]
		if err := f.Process(context.Background(), []*nlu.Message{m}); err != nil {
			b.Fatal(err)
		}
	}
}

// A fine-tuned model goes on with weights by column: what a column stands for
// must not change, whatever the new examples have or lack.
func TestFineTuningKeepsColumns(t *testing.T) {
	config := graph.Config{"features": []any{[]any{"suffix2", "title"}}}
	old := train(t, config, "go to Köln")
	saved, err := old.Persist()
	if err != nil {
		t.Fatal(err)
	}
	env := graph.Env{Logger: slog.New(slog.DiscardHandler), Finetuning: true}
	c, err := lexicalsyntactic.Type().Build(env, config, saved)
	if err != nil {
		t.Fatal(err)
	}
	tuned := c.(*lexicalsyntactic.Featurizer)
	if err := tuned.Train(context.Background(), &nlu.TrainingData{Messages: []*nlu.Message{message("Alles aus")}}); err != nil {
		t.Fatal(err)
	}
	want := append(old.Columns(), "0:suffix2:es", "0:suffix2:us")
	if d := cmp.Diff(want, tuned.Columns()); d != "" {
		t.Error(d)
	}
	m := message("Alles")
	if err := tuned.Process(context.Background(), []*nlu.Message{m}); err != nil {
		t.Fatal(err)
	}
	if row, _ := m.Features[0].Sparse.Row(0); !slices.IsSorted(row) || len(row) != 2 {
		t.Errorf("the columns of a token are %v", row)
	}
}

// Only spaCy's tokenizer knows parts of speech; with any other, training says so
// and goes on, as in Rasa.
func TestPartsOfSpeechNeedATokenizerThatKnowsThem(t *testing.T) {
	var log strings.Builder
	env := graph.Env{Logger: slog.New(slog.NewTextHandler(&log, nil))}
	c, err := lexicalsyntactic.Type().Build(env, graph.Config{"features": []any{[]any{"pos", "pos2"}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	f := c.(*lexicalsyntactic.Featurizer)
	tagged := message("go on")
	for i := range tagged.Tokens[nlu.Text] {
		tagged.Tokens[nlu.Text][i].POS = "VERB"
	}
	for _, m := range []*nlu.Message{tagged, message("go on")} {
		log.Reset()
		if err := f.Train(t.Context(), &nlu.TrainingData{Messages: []*nlu.Message{m}}); err != nil {
			t.Fatal(err)
		}
		if warned := strings.Contains(log.String(), "parts of speech"); warned != (m != tagged) {
			t.Errorf("tagged %v: the log says %q", m == tagged, log.String())
		}
	}
}

// Whatever a text is, each token has the columns of the whole window, ascending.
func FuzzProcess(f *testing.F) {
	featurizer := train(f, graph.Config{"features": []any{
		[]any{"low", "title", "upper", "suffix3"}, []any{"BOS", "EOS", "low", "prefix5", "suffix1", "digit"}, []any{"prefix2", "suffix5"},
	}}, "Could you book ２ at Café ZIMT?", "HELLO there 42", "日本 مرحبا e\u0301")
	for _, s := range []string{"Hello", "", "Straße ǅ ² ½", "👨‍👩‍👧 a", "e\u0301e\u0301"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		m := message(nlu.CleanText(s))
		if err := featurizer.Process(t.Context(), []*nlu.Message{m}); err != nil {
			t.Fatal(err)
		}
		x := m.Features[0].Sparse
		if x.Rows() != len(m.Tokens[nlu.Text]) || x.Cols != len(featurizer.Columns()) {
			t.Fatalf("%q: %d rows of %d columns", s, x.Rows(), x.Cols)
		}
		for i := range x.Rows() {
			index, _ := x.Row(i)
			if !slices.IsSorted(index) || len(slices.Compact(slices.Clone(index))) != len(index) ||
				len(index) > 0 && (index[0] < 0 || int(index[len(index)-1]) >= x.Cols) {
				t.Fatalf("%q: row %d is %v", s, i, index)
			}
		}
	})
}
