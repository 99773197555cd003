package synonyms_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loquat-dev/loquat/internal/graph"
	"github.com/loquat-dev/loquat/internal/nlu"
	"github.com/loquat-dev/loquat/internal/nlu/extractor/synonyms"
	"github.com/loquat-dev/loquat/internal/nludata"
)

func TestSynonymsAndAnnotationsAreLearned(t *testing.T) {
	var log bytes.Buffer
	env := graph.Env{Logger: slog.New(slog.NewTextHandler(&log, nil))}
	c, err := synonyms.Type().Build(env, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	data := &nlu.TrainingData{Source: &nludata.TrainingData{
		Synonyms:     map[string]string{"nyc": "New York", "NYC": "new york city"},
		SynonymOrder: []string{"nyc", "NYC"},
		Examples: []nludata.Example{{Text: "é to LA", Entities: []nludata.Entity{
			{Start: 5, End: 7, Entity: "city", Value: "Los Angeles"}, {Start: 0, End: 1, Entity: "n", Value: int64(4)},
		}}},
	}}
	if err := c.(nlu.Trainer).Train(context.Background(), data); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"nyc": "new york city", "new york": "New York", "new york city": "new york city",
		"la": "Los Angeles", "los angeles": "Los Angeles", "é": "4", "4": "4",
	}
	if d := cmp.Diff(want, c.(*synonyms.Mapper).Table()); d != "" {
		t.Error(d)
	}
	if !strings.Contains(log.String(), "synonym=nyc") {
		t.Errorf("no warning about the conflict: %s", log.String())
	}

	saved, err := c.(graph.Persister).Persist()
	if err != nil {
		t.Fatal(err)
	}
	if c, err = synonyms.Type().Build(env, nil, saved); err != nil {
		t.Fatal(err)
	}
	m := &nlu.Message{Entities: []nlu.Entity{
		{Value: "LOS ANGELES"}, {Value: "Berlin"}, {Value: int64(4)}, {Value: 4.0}, {Value: []any{"nyc"}},
	}}
	if err := c.(nlu.Processor).Process(context.Background(), []*nlu.Message{m}); err != nil {
		t.Fatal(err)
	}
	mapped := []string{"EntitySynonymMapper"}
	wantEntities := []nlu.Entity{
		{Value: "Los Angeles", Processors: mapped}, {Value: "Berlin"}, {Value: "4", Processors: mapped}, {Value: 4.0}, {Value: []any{"nyc"}},
	}
	if d := cmp.Diff(wantEntities, m.Entities); d != "" {
		t.Error(d)
	}
}

// As Rasa 3.6.21 does it: what was a synonym stays one.
func TestFineTuningKeepsSynonyms(t *testing.T) {
	env := graph.Env{Logger: slog.New(slog.DiscardHandler), Finetuning: true}
	c, err := synonyms.Type().Build(env, nil, graph.Resource{"synonyms.json": []byte(`{"roma": "Rome", "rome": "Rome"}`)})
	if err != nil {
		t.Fatal(err)
	}
	data := &nlu.TrainingData{Source: &nludata.TrainingData{Synonyms: map[string]string{"Rom": "Rome"}}}
	if err := c.(nlu.Trainer).Train(context.Background(), data); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"roma": "Rome", "rome": "Rome", "rom": "Rome"}
	if d := cmp.Diff(want, c.(*synonyms.Mapper).Table()); d != "" {
		t.Error(d)
	}
}
