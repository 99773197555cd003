package nludata_test

import (
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/nludata"
	"github.com/loquat-dev/loquat/internal/yamlfile"
)

func TestProblemsPointIntoTheBlock(t *testing.T) {
	text := "nlu:\n- intent: i\n  examples: |\n    - fine\n    - bad [x]{entity: y}\n    oops\n"
	var problems diag.List
	nludata.Read(yamlfile.Parse([]byte(text), "nlu.yml", &problems), &problems)
	var got []string
	for _, p := range problems.All() {
		got = append(got, p.Pos.String()+" "+string(p.Code))
	}
	if diff := cmp.Diff([]string{"nlu.yml:5:11 invalid-annotation", "nlu.yml:6:5 no-dash"}, got); diff != "" {
		t.Error(diff)
	}
}

func FuzzAnnotation(f *testing.F) {
	f.Add(`a [b](c) d [e]{"entity":"f","value":1} [g][{"entity":"h"}]`)
	f.Fuzz(func(t *testing.T, input string) {
		text, entities, err := nludata.ParseAnnotated(input)
		if err != nil {
			return
		}
		n := utf8.RuneCountInString(text)
		for _, e := range entities {
			if e.Start < 0 || e.Start > e.End || e.End > n {
				t.Errorf("entity %+v lies outside of the %d code points of %q", e, n, text)
			}
		}
	})
}

// Each table finds its own entities, and what both list twice (Rasa 3.6).
func TestLookupTablesOfSeveralFilesStayApart(t *testing.T) {
	var problems diag.List
	read := func(file string) *nludata.TrainingData {
		text := "nlu:\n- lookup: city\n  examples: |\n    - Bonn\n- lookup: city\n  examples: |\n    - Rome\n"
		return nludata.Read(yamlfile.Parse([]byte(text), file, &problems), &problems)
	}
	data := nludata.Merge([]*nludata.TrainingData{read("a.yml"), read("b.yml")}, &problems)
	if len(data.Lookups) != 2 || len(data.Lookups[1].Values) != 2 {
		t.Errorf("tables %+v, want one of two values for each file", data.Lookups)
	}
	if _, err := data.Verified(); err != nil { // one file holds one table of that name
		t.Error(err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add("nlu:\n- intent: a/b\n  examples: |\n    - [x](y:z)\n- synonym: s\n  examples: |\n    - t\n- lookup: l\n  examples: |\n    - v\n")
	f.Add("nlu:\n- intent: i\n  examples:\n  - text: a [b]{\"entity\": \"c\"}\n    metadata: {d: 1}\nresponses:\n  utter_a/b:\n  - text: t\n")
	f.Fuzz(func(t *testing.T, text string) {
		var problems diag.List
		data := nludata.Read(yamlfile.Parse([]byte(text), "nlu.yml", &problems), &problems)
		both := nludata.Merge([]*nludata.TrainingData{data, data}, &problems)
		if len(both.Examples) != len(data.Examples) {
			t.Errorf("%d examples twice give %d", len(data.Examples), len(both.Examples))
		}
		for _, e := range data.Examples {
			for _, entity := range e.Entities {
				if entity.Start < 0 || entity.Start > entity.End || entity.End > utf8.RuneCountInString(e.Text) {
					t.Errorf("entity %+v lies outside of %q", entity, e.Text)
				}
			}
		}
	})
}
