package nlu_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loquat-dev/loquat/internal/nlu"
)

// The recordings of Rasa 3.6 are compared in package golden; these are a few.

func parseTags(tags ...string) []nlu.Tag {
	var out []nlu.Tag
	for _, s := range tags {
		out = append(out, nlu.ParseTag(s))
	}
	return out
}

func TestBILOURepair(t *testing.T) {
	tags, confidence := parseTags("B-a", "I-b", "L-a"), []float64{0.3, 0.47, 0.64}
	nlu.RepairBILOU(tags, confidence)
	if d := cmp.Diff(parseTags("B-a", "I-a", "L-a"), tags); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if d := cmp.Diff([]float64{0.3, 0.55, 0.64}, confidence); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestTagsBecomeEntities(t *testing.T) {
	tokens := []nlu.Token{{Text: "Schönhauser", End: 11}, {Text: "175", Start: 12, End: 15}, {Text: "Berlin", Start: 17, End: 23}}
	layers := nlu.TagLayers{
		Entity: nlu.TokenTags{Tags: parseTags("address", "address", "address"), Confidence: []float64{0.9, 0.8, 0.7}},
		Role:   nlu.TokenTags{Tags: parseTags("from", "from", "O"), Confidence: []float64{0.6, 0.5, 0.4}},
	}
	low, high, role := 0.7, 0.8, 0.5
	want := []nlu.Entity{
		{Entity: "address", End: 15, Value: "Schönhauser 175", Role: "from", ConfidenceEntity: &high, ConfidenceRole: &role},
		{Entity: "address", Start: 17, End: 23, Value: "Berlin", ConfidenceEntity: &low},
	}
	got := nlu.Entities("Schönhauser 175, Berlin", tokens, layers, nlu.CommaSplit{Default: true})
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}
