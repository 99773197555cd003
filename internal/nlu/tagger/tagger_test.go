package tagger_test

import (
	"slices"
	"testing"

	"github.com/loquat-dev/loquat/internal/nlu"
	"github.com/loquat-dev/loquat/internal/nlu/tagger"
)

func annotated(entities ...nlu.Entity) *nlu.Message {
	m := &nlu.Message{Entities: entities}
	m.Tokens[nlu.Text] = []nlu.Token{{Text: "New", End: 3}, {Text: "York", Start: 4, End: 8}, {Text: "p.m", Start: 9, End: 12}}
	return m
}

func TestAnnotationsBecomeTags(t *testing.T) {
	const extractor = "CRFEntityExtractor"
	city := nlu.Entity{Entity: "city", End: 8, Role: "to"}
	state := nlu.Entity{Entity: "state", End: 8}
	inner := nlu.Entity{Entity: "name", Start: 4, End: 8}
	for _, c := range []struct {
		name     string
		entities []nlu.Entity
		layer    int
		bilou    bool
		want     []string
	}{
		{"types", []nlu.Entity{city}, tagger.Entities, true, []string{"B-city", "L-city", "O"}},
		{"roles", []nlu.Entity{city}, tagger.Roles, true, []string{"B-to", "L-to", "O"}},
		{"no groups", []nlu.Entity{city}, tagger.Groups, true, []string{"O", "O", "O"}},
		{"the last counts", []nlu.Entity{city, state}, tagger.Entities, true, []string{"B-state", "L-state", "O"}},
		{"the last has no role", []nlu.Entity{city, state}, tagger.Roles, true, []string{"O", "O", "O"}},
		{"one within another", []nlu.Entity{city, inner}, tagger.Entities, true, []string{"B-city", "U-name", "O"}},
		{"without BILOU the first counts", []nlu.Entity{state, city}, tagger.Entities, false, []string{"state", "state", "O"}},
		{"without BILOU the first's role counts", []nlu.Entity{state, city}, tagger.Roles, false, []string{"O", "O", "O"}},
		{"with the full stop", []nlu.Entity{{Entity: "time", Start: 9, End: 13}}, tagger.Entities, true, []string{"O", "O", "U-time"}},
		{"inside of a word", []nlu.Entity{{Entity: "x", Start: 5, End: 7}}, tagger.Entities, true, []string{"O", "O", "O"}},
		{"inside of a word without BILOU", []nlu.Entity{{Entity: "x", Start: 5, End: 7}}, tagger.Entities, false, []string{"O", "x", "O"}},
		{"beyond the text", []nlu.Entity{{Entity: "x", Start: 20, End: 30}}, tagger.Entities, true, []string{"O", "O", "O"}},
		{"from its end to its beginning", []nlu.Entity{{Entity: "x", Start: 8, End: 0}}, tagger.Entities, true, []string{"O", "O", "O"}},
		{"another's", []nlu.Entity{{Entity: "x", End: 8, Extractor: "DucklingEntityExtractor"}}, tagger.Entities, true, []string{"O", "O", "O"}},
		{"its own", []nlu.Entity{{Entity: "x", End: 3, Extractor: extractor}}, tagger.Entities, true, []string{"U-x", "O", "O"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for _, tag := range tagger.AnnotatedTags(annotated(c.entities...), c.layer, extractor, c.bilou) {
				got = append(got, tag.String())
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

func TestLabelsAreThoseOfTheData(t *testing.T) {
	g := tagger.Annotated([]*nlu.Message{
		annotated(nlu.Entity{Entity: "time", Start: 9, End: 12}),
		annotated(nlu.Entity{Entity: "city", End: 8, Role: "to"}, nlu.Entity{Entity: "time", Start: 9, End: 12}),
	}, "", true)
	want := [tagger.NumLayers][]string{{"city", "time"}, {"to"}, nil}
	for l := range want {
		if !slices.Equal(g.Labels[l], want[l]) {
			t.Errorf("%s: %v, want %v", tagger.LayerNames[l], g.Labels[l], want[l])
		}
	}
}
