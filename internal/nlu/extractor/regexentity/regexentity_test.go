package regexentity_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loquat-dev/loquat/internal/graph"
	"github.com/loquat-dev/loquat/internal/nlu"
	"github.com/loquat-dev/loquat/internal/nlu/extractor/regexentity"
	"github.com/loquat-dev/loquat/internal/nludata"
)

func train(t testing.TB, config graph.Config) nlu.Processor {
	t.Helper()
	env := graph.Env{Logger: slog.New(slog.DiscardHandler)}
	c, err := regexentity.Type().Build(env, config, nil)
	if err != nil {
		t.Fatal(err)
	}
	data := &nlu.TrainingData{Source: &nludata.TrainingData{
		Examples: []nludata.Example{{Entities: []nludata.Entity{{Entity: "zip"}, {Entity: "city"}}}},
		Regexes:  []nludata.Pattern{{Name: "other", Pattern: `\w+`}, {Name: "zip", Pattern: `\d{5}(?!\d)`}},
		Lookups:  []nludata.Lookup{{Name: "city", Values: []string{"Köln", "New York"}}},
	}}
	if err := c.(nlu.Trainer).Train(context.Background(), data); err != nil {
		t.Fatal(err)
	}
	saved, err := c.(graph.Persister).Persist()
	if err != nil {
		t.Fatal(err)
	}
	if c, err = regexentity.Type().Build(env, config, saved); err != nil {
		t.Fatal(err)
	}
	return c.(nlu.Processor)
}

func TestEntitiesOfAnnotatedNamesAreFound(t *testing.T) {
	m := &nlu.Message{Entities: []nlu.Entity{{Entity: "x", Extractor: "earlier"}}}
	m.Values[nlu.Text] = "50667 KÖLN, kölner, new york"
	if err := train(t, nil).Process(context.Background(), []*nlu.Message{m}); err != nil {
		t.Fatal(err)
	}
	const name = "RegexEntityExtractor"
	want := []nlu.Entity{
		{Entity: "x", Extractor: "earlier"},
		{Entity: "zip", Start: 0, End: 5, Value: "50667", Extractor: name},
		{Entity: "city", Start: 6, End: 10, Value: "KÖLN", Extractor: name},
		{Entity: "city", Start: 20, End: 28, Value: "new york", Extractor: name},
	}
	if d := cmp.Diff(want, m.Entities); d != "" {
		t.Error(d)
	}
}

// A pattern that backtracks for ever costs its time limit, and says so.
func TestCatastrophicPatternIsStopped(t *testing.T) {
	var log strings.Builder
	c, err := regexentity.Type().Build(graph.Env{Logger: slog.New(slog.NewTextHandler(&log, nil))}, nil,
		graph.Resource{"regex.json": []byte(`[{"name": "bad", "pattern": "^(a+a?)*(?=!).$"}, {"name": "good", "pattern": "b"}]`)})
	if err != nil {
		t.Fatal(err)
	}
	m := &nlu.Message{}
	m.Values[nlu.Text] = strings.Repeat("a", 100) + "b"
	if err := c.(nlu.Processor).Process(t.Context(), []*nlu.Message{m}); err != nil {
		t.Fatal(err)
	}
	if len(m.Entities) != 1 || m.Entities[0].Entity != "good" || !strings.Contains(log.String(), "regex=bad") {
		t.Errorf("%+v\n%s", m.Entities, log.String())
	}
}

func FuzzEntitiesLieInTheText(f *testing.F) {
	p := train(f, graph.Config{"use_word_boundaries": false})
	for _, s := range []string{"50667 köln", "\xff12345", "newyork NEW YORK", "ſ"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		m := &nlu.Message{}
		m.Values[nlu.Text] = s
		if err := p.Process(context.Background(), []*nlu.Message{m}); err != nil {
			t.Fatal(err)
		}
		runes := []rune(s)
		for _, e := range m.Entities {
			if got := string(runes[e.Start:e.End]); got != e.Value {
				t.Fatalf("%q: %+v spans %q", s, e, got)
			}
		}
	})
}
