package countvectors_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loquat-dev/loquat/internal/graph"
	"github.com/loquat-dev/loquat/internal/ml/sparse"
	"github.com/loquat-dev/loquat/internal/nlu"
	"github.com/loquat-dev/loquat/internal/nlu/featurizer/countvectors"
	"github.com/loquat-dev/loquat/internal/sharedtest"
)

func env() graph.Env {
	return graph.Env{NodeName: "train_CountVectorsFeaturizer1", Logger: slog.New(slog.DiscardHandler)}
}

func build(t *testing.T, config graph.Config) *countvectors.Featurizer {
	t.Helper()
	c, err := countvectors.Type().Build(env(), config, nil)
	if err != nil {
		t.Fatal(err)
	}
	return c.(*countvectors.Featurizer)
}

// message makes a message of words that are their own lemmas, or of pairs of
// text and lemma.
func message(tokens ...[2]string) *nlu.Message {
	m := &nlu.Message{}
	for i, t := range tokens {
		m.Tokens[nlu.Text] = append(m.Tokens[nlu.Text], nlu.Token{Text: t[0], Lemma: t[1], Start: i, End: i})
	}
	m.Values[nlu.Text] = "x"
	return m
}

func words(ws ...string) *nlu.Message {
	var pairs [][2]string
	for _, w := range ws {
		pairs = append(pairs, [2]string{w, w})
	}
	return message(pairs...)
}

func rows(f *countvectors.Featurizer, m *sparse.Matrix) []map[string]float32 {
	names := map[int32]string{}
	for gram, c := range f.Vocabulary(nlu.Text) {
		names[c] = gram
	}
	var out []map[string]float32
	for r := range m.Rows() {
		row := map[string]float32{}
		index, value := m.Row(r)
		for i, c := range index {
			row[names[c]] = value[i]
		}
		out = append(out, row)
	}
	return out
}

func TestLemmas(t *testing.T) {
	file, err := os.Open(sharedtest.Dir(t, "data", "golden", "nlu", "features_lemma.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		var r struct {
			UseLemma   bool `json:"use_lemma"`
			Analyzer   string
			Training   [][][2]string
			Vocabulary []string
			Tokens     [][2]string `json:"tokens_and_lemmas"`
			Sequence   []map[string]float32
		}
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
		config := graph.Config{"use_lemma": r.UseLemma, "analyzer": r.Analyzer}
		if r.Analyzer == "char_wb" {
			config["max_ngram"] = int64(2) // as recorded
		}
		f := build(t, config)
		data := &nlu.TrainingData{}
		for _, example := range r.Training {
			data.Messages = append(data.Messages, message(example...))
		}
		if err := f.Train(context.Background(), data); err != nil {
			t.Fatal(err)
		}
		if got := slices.Sorted(maps.Keys(f.Vocabulary(nlu.Text))); !slices.Equal(got, r.Vocabulary) {
			t.Errorf("vocabulary %v, want %v", got, r.Vocabulary)
		}
		m := message(r.Tokens...)
		if err := f.Process(context.Background(), []*nlu.Message{m}); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(r.Sequence, rows(f, m.Features[0].Sparse)); d != "" {
			t.Errorf("%v: %s", r.Tokens, d)
		}
	}
}

func TestPersistedFeaturizerIsTheSame(t *testing.T) {
	config := graph.Config{"analyzer": "char_wb", "max_ngram": int64(3), "OOV_words": []any{"Ü"}}
	f := build(t, config)
	data := &nlu.TrainingData{Messages: []*nlu.Message{words("hello", "wörld"), words("good", "bye")}}
	if err := f.Train(context.Background(), data); err != nil {
		t.Fatal(err)
	}
	saved, err := f.Persist()
	if err != nil {
		t.Fatal(err)
	}
	again, err := countvectors.Type().Build(env(), config, saved)
	if err != nil {
		t.Fatal(err)
	}
	a, b := words("Hello", "böd"), words("Hello", "böd")
	if err := f.Process(context.Background(), []*nlu.Message{a}); err != nil {
		t.Fatal(err)
	}
	if err := again.(nlu.Processor).Process(context.Background(), []*nlu.Message{b}); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(a.Features, b.Features); d != "" || len(a.Features) != 2 {
		t.Errorf("%d features; %s", len(a.Features), d)
	}
}

func TestFineTuningKeepsColumns(t *testing.T) {
	f := build(t, nil)
	if err := f.Train(context.Background(), &nlu.TrainingData{Messages: []*nlu.Message{words("m", "b")}}); err != nil {
		t.Fatal(err)
	}
	saved, err := f.Persist()
	if err != nil {
		t.Fatal(err)
	}
	e := env()
	e.Finetuning = true
	c, err := countvectors.Type().Build(e, nil, saved)
	if err != nil {
		t.Fatal(err)
	}
	g := c.(*countvectors.Featurizer)
	if err := g.Train(context.Background(), &nlu.TrainingData{Messages: []*nlu.Message{words("a", "m", "z")}}); err != nil {
		t.Fatal(err)
	}
	want := map[string]int32{"b": 0, "m": 1, "a": 2, "z": 3}
	if d := cmp.Diff(want, g.Vocabulary(nlu.Text)); d != "" {
		t.Error(d)
	}
}

func TestBadSettingsAreReportedTogether(t *testing.T) {
	errs := countvectors.Type().Check(graph.Config{"analyzer": "words", "min_ngram": int64(3), "max_df": 1.5, "strip_accents": "yes"})
	if len(errs) != 4 {
		t.Errorf("got %v, want 4 errors", errs)
	}
}

func TestSettingsWithoutEffectAreNamed(t *testing.T) {
	var log bytes.Buffer
	e := env()
	e.Logger = slog.New(slog.NewTextHandler(&log, nil))
	c, err := countvectors.Type().Build(e, graph.Config{"analyzer": "char", "stop_words": "english", "OOV_words": []any{"x"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.(nlu.Trainer).Train(context.Background(), &nlu.TrainingData{}); err != nil {
		t.Fatal(err)
	}
	if want := `settings="[stop_words OOV_words]"`; !strings.Contains(log.String(), want) {
		t.Errorf("the log lacks %s: %s", want, log.String())
	}
}
