package regexfeaturizer_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/graph"
	"github.com/loquat-dev/loquat/internal/nlu"
	"github.com/loquat-dev/loquat/internal/nlu/featurizer/regexfeaturizer"
	"github.com/loquat-dev/loquat/internal/nlu/tokenizer/whitespace"
	"github.com/loquat-dev/loquat/internal/nludata"
)

func train(t testing.TB, env graph.Env, saved graph.Resource, source *nludata.TrainingData) *regexfeaturizer.Featurizer {
	t.Helper()
	c, err := regexfeaturizer.Type().Build(env, nil, saved)
	if err != nil {
		t.Fatal(err)
	}
	f := c.(*regexfeaturizer.Featurizer)
	if err := f.Train(context.Background(), &nlu.TrainingData{Source: source}); err != nil {
		t.Fatal(err)
	}
	return f
}

func logTo(w *bytes.Buffer) graph.Env {
	return graph.Env{NodeName: "train_RegexFeaturizer1", Logger: slog.New(slog.NewTextHandler(w, nil))}
}

func message(text string) *nlu.Message {
	m := &nlu.Message{}
	m.Values[nlu.Text] = text
	m.Tokens[nlu.Text] = whitespace.Split(text)
	return m
}

func TestAllInvalidPatternsAreReported(t *testing.T) {
	c, err := regexfeaturizer.Type().Build(logTo(new(bytes.Buffer)), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	source := &nludata.TrainingData{Regexes: []nludata.Pattern{
		{Name: "zip", Pattern: "(", Pos: diag.Position{File: "nlu.yml", Line: 7, Column: 5}}, {Name: "ok", Pattern: "a"},
		{Name: "year", Pattern: "[9-1]", Pos: diag.Position{File: "nlu.yml", Line: 3, Column: 5}},
	}}
	err = c.(nlu.Trainer).Train(context.Background(), &nlu.TrainingData{Source: source})
	problems := diag.Of(err)
	if len(problems) != 2 || problems[0].Pos.Line != 3 || !strings.Contains(problems[1].Error(), `nlu.yml:7:5: regex "zip" is invalid`) {
		t.Errorf("got %v", err)
	}
}

// A pattern that backtracks for ever costs its time limit, and says so.
func TestCatastrophicPatternIsStopped(t *testing.T) {
	var log bytes.Buffer
	f := train(t, logTo(&log), nil, &nludata.TrainingData{Regexes: []nludata.Pattern{
		{Name: "bad", Pattern: `^(\w+\s?)*(?=!)$`}, {Name: "good", Pattern: "b"},
	}})
	m := message(strings.Repeat("aaaa ", 30) + "b?")
	if err := f.Process(context.Background(), []*nlu.Message{m}); err != nil {
		t.Fatal(err)
	}
	columns, _ := m.Features[1].Sparse.Row(0)
	if !slices.Equal(columns, []int32{1}) {
		t.Errorf("columns %v, want those of the good pattern", columns)
	}
	if !strings.Contains(log.String(), "regex=bad") {
		t.Errorf("the log does not name the pattern: %s", log.String())
	}
}

func TestFineTuningKeepsColumns(t *testing.T) {
	env := logTo(new(bytes.Buffer))
	f := train(t, env, nil, &nludata.TrainingData{Regexes: []nludata.Pattern{{Name: "b", Pattern: "1"}, {Name: "c", Pattern: "2"}}})
	saved, err := f.Persist()
	if err != nil {
		t.Fatal(err)
	}
	env.Finetuning = true
	f = train(t, env, saved, &nludata.TrainingData{Regexes: []nludata.Pattern{{Name: "a", Pattern: "0"}, {Name: "c", Pattern: "3"}}})
	want := []nlu.Pattern{{Name: "b", Pattern: "1"}, {Name: "c", Pattern: "3"}, {Name: "a", Pattern: "0"}}
	if !slices.Equal(f.Patterns(), want) {
		t.Errorf("got %v, want %v", f.Patterns(), want)
	}
}

func TestTrainingDataStaysAsItIs(t *testing.T) {
	f := train(t, logTo(new(bytes.Buffer)), nil, &nludata.TrainingData{Regexes: []nludata.Pattern{{Name: "n", Pattern: `\d`}}})
	m := message("room 5")
	data := &nlu.TrainingData{Messages: []*nlu.Message{m}}
	out, err := f.ProcessTrainingData(context.Background(), data)
	if err != nil {
		t.Fatal(err)
	}
	if m.Features != nil || m.Tokens[nlu.Text][1].Patterns != nil {
		t.Error("the argument was changed")
	}
	if !out.Messages[0].Tokens[nlu.Text][1].Patterns["n"] {
		t.Error("the result lacks the pattern")
	}
}

func TestLongMessagesAreQuick(t *testing.T) {
	f := train(t, logTo(new(bytes.Buffer)), nil, &nludata.TrainingData{Regexes: []nludata.Pattern{{Name: "word", Pattern: `\w+`}, {Name: "a", Pattern: "a"}}})
	m := message(strings.Repeat("a b ", 25_000))
	if err := f.Process(context.Background(), []*nlu.Message{m}); err != nil {
		t.Fatal(err)
	}
	if n := len(m.Features[0].Sparse.Index); n != 75_000 {
		t.Errorf("%d values, want 75000", n)
	}
}

func BenchmarkProcess(b *testing.B) {
	source := &nludata.TrainingData{Regexes: []nludata.Pattern{{Name: "zip", Pattern: `\b\d{5}\b`}, {Name: "mail", Pattern: `[\w.]+@[\w.]+`}}}
	lookup := nludata.Lookup{Name: "city"}
	for i := range 5000 {
		lookup.Values = append(lookup.Values, fmt.Sprintf("city number %d", i))
	}
	source.Lookups = []nludata.Lookup{lookup}
	f := train(b, logTo(new(bytes.Buffer)), nil, source)
	for name, text := range map[string]string{
		"ascii":   "I'd like to book a table for 2 people at 19:30, please!",
		"unicode": "Ich möchte für übermorgen einen Flug nach Köln buchen",
	} {
		b.Run(name, func(b *testing.B) {
			m := message(text)
			b.ReportAllocs()
			for b.Loop() {
				m.Features = m.Features[:0]
				if err := f.Process(context.Background(), []*nlu.Message{m}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// Whatever a text is, a token has the columns of the patterns that touch it, and
// the sentence has those of all its tokens.
func FuzzProcess(f *testing.F) {
	featurizer := train(f, logTo(new(bytes.Buffer)), nil, &nludata.TrainingData{
		Regexes: []nludata.Pattern{{Name: "digits", Pattern: `\d+`}, {Name: "words", Pattern: `(?<=a)\w+\s\w`}, {Name: "empty", Pattern: `x*`}},
		Lookups: []nludata.Lookup{{Name: "city", Values: []string{"Köln", "New York", "東京"}}},
	})
	for _, s := range []string{"Köln 42", "", "in New York", "東京 a１２ b", "👨‍👩‍👧 abc d", "Ko\u0308ln"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		m := message(nlu.CleanText(s))
		if err := featurizer.Process(t.Context(), []*nlu.Message{m}); err != nil {
			t.Fatal(err)
		}
		tokens, sequence, sentence := m.Tokens[nlu.Text], m.Features[0].Sparse, m.Features[1].Sparse
		seen := map[int32]bool{}
		for i := range tokens {
			columns, _ := sequence.Row(i)
			for _, c := range columns {
				seen[c] = true
				if p := featurizer.Patterns()[c]; !tokens[i].Patterns[p.Name] {
					t.Errorf("%q: %q has the column of %s and not its flag", s, tokens[i].Text, p.Name)
				}
			}
		}
		all, _ := sentence.Row(0)
		if sequence.Rows() != len(tokens) || sentence.Rows() != 1 || len(all) != len(seen) {
			t.Errorf("%q: %d rows, columns %v and %v", s, sequence.Rows(), all, seen)
		}
	})
}
