package nludata_test

import (
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/nludata"
)

func TestJSONHasWhatYAMLHas(t *testing.T) {
	const text = `{"rasa_nlu_data": {
  "regex_features": [{"name": "zip", "pattern": "[0-9]{5}"}],
  "lookup_tables": [{"name": "city", "elements": ["Bonn", "Köln"]}, {"name": "street", "elements": "data/streets.txt"}],
  "entity_synonyms": [{"value": "Köln", "synonyms": ["cologne", "koeln"]}],
  "common_examples": [
    {"text": "🚲 nach Köln", "intent": " ride ", "entities": [
      {"start": 7, "end": 11, "entity": "city", "role": "to"},
      {"start": 0, "end": 1, "entity": "vehicle", "value": "bike", "group": "a"}]},
    {"text": "who are you", "intent": "faq/name"},
    {"text": "who are you", "intent": "faq/name"}
  ]}}`
	var problems diag.List
	if !nludata.IsJSON([]byte(text)) {
		t.Fatal("not recognised")
	}
	got := nludata.ReadJSON([]byte(text), "nlu.json", &problems)
	if len(problems.Errors()) > 0 || len(problems.Warnings()) != 1 {
		t.Errorf("problems: %v", problems.All())
	}
	want := []nludata.Example{
		{Text: "🚲 nach Köln", Intent: "ride", Pos: diag.Position{File: "nlu.json", Line: 6, Column: 5}, Entities: []nludata.Entity{
			{Start: 7, End: 11, Entity: "city", Role: "to", Value: "Köln"},
			{Start: 0, End: 1, Entity: "vehicle", Group: "a", Value: "bike"},
		}},
		{Text: "who are you", Intent: "faq", IntentResponseKey: "faq/name", Pos: diag.Position{File: "nlu.json", Line: 9, Column: 5}},
	}
	if diff := cmp.Diff(want, got.Examples); diff != "" {
		t.Errorf("examples (-want +got):\n%s", diff)
	}
	noPos := cmpopts.IgnoreTypes(diag.Position{})
	if diff := cmp.Diff([]nludata.Pattern{{Name: "zip", Pattern: "[0-9]{5}"}}, got.Regexes, noPos); diff != "" {
		t.Errorf("regular expressions (-want +got):\n%s", diff)
	}
	lookups := []nludata.Lookup{{Name: "city", Values: []string{"Bonn", "Köln"}}, {Name: "street", File: "data/streets.txt"}}
	if diff := cmp.Diff(lookups, got.Lookups, noPos); diff != "" {
		t.Errorf("lookup tables (-want +got):\n%s", diff)
	}
	if len(got.Synonyms) != 2 {
		t.Errorf("synonyms %v, want two", got.Synonyms)
	}
}

func FuzzReadJSON(f *testing.F) {
	f.Add([]byte(`{"rasa_nlu_data": {"common_examples": [{"text": "a b", "intent": "i/k", "entities": [{"start": 0, "end": 1, "entity": "e", "value": 1.5}]}]}}`))
	f.Add([]byte(`{"rasa_nlu_data": {"lookup_tables": [{"name": "l", "elements": ["v"]}], "entity_synonyms": [{"value": "v", "synonyms": ["w"]}], "x": 0}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if !nludata.IsJSON(data) {
			return
		}
		var problems diag.List
		for _, e := range nludata.ReadJSON(data, "nlu.json", &problems).Examples {
			for _, entity := range e.Entities {
				if entity.Start < 0 || entity.Start >= entity.End || entity.End > utf8.RuneCountInString(e.Text) {
					t.Errorf("entity %+v lies outside of %q", entity, e.Text)
				}
			}
		}
	})
}
