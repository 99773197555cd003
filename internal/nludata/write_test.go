package nludata_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/nludata"
	"github.com/loquat-dev/loquat/internal/yamlfile"
)

// written is what people get to read.
const written = `version: "3.1"
nlu:
- intent: greet
  metadata:
    sentiment: good
    weights:
      - 1
      - 2.5
  examples: |
    - hello: "you"
    - # hi ${HOME}
- intent: faq/ask
  examples:
  - text: who are you
    metadata: null
  - text: "two\nlines"
- intent: "true"
  examples: |
    - a [large](size) [pizza]{"entity": "dish", "role": "main", "value": "Pizza"}
    - 大 [炒饭][{"entity": "dish", "group": "1"},{"entity": "a:b", "value": 1.5}]
- synonym: Pizza
  examples: |
    - pizza
- synonym: "1.5"
  examples: |
    - 炒饭
- regex: size
  examples: |
    - (s|m|l)\d{2}
    - x
- lookup: dish
  examples: |
    - fish & chips
`

func TestWrittenDataIsMeantForPeople(t *testing.T) {
	d := read(t, written)
	if diff := cmp.Diff(written, string(d.YAML())); diff != "" {
		t.Errorf("written (-want +got):\n%s", diff)
	}
}

func read(t interface {
	Helper()
	Fatal(...any)
}, text string) *nludata.TrainingData {
	t.Helper()
	var problems diag.List
	d := nludata.Read(yamlfile.Parse([]byte(text), "nlu.yml", &problems), &problems)
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	return d
}

// Whatever is read is written so that it reads back the same.
func TestDataIsReadBackTheSame(t *testing.T) {
	word := rapid.SampledFrom([]string{
		"a", "pizza", "大", "é", "👍", " ", "  ", ":", "#", "-", "'", `"`, `\`, `\u0041`, "{", "}", "(", ")", "\t", "\n", "\u0085", "\u2028", "\ufeff", "&", "*", "|", "${HOME}", "null", "1", "~", "%",
	})
	text := rapid.Custom(func(t *rapid.T) string {
		return "x" + strings.Join(rapid.SliceOfN(word, 0, 6).Draw(t, "words"), "") + "x"
	})
	name := rapid.SampledFrom([]string{"greet", "true", "1", "a b", "größe", "a:b", "x)", "{", `q"`, "[b]", "faq/ask", "${HOME}"})
	rapid.Check(t, func(t *rapid.T) {
		d := nludata.New()
		for range rapid.IntRange(0, 6).Draw(t, "examples") {
			e := nludata.Example{Text: text.Draw(t, "text"), Intent: name.Draw(t, "intent")}
			if e.Intent == "faq/ask" {
				e.Intent, e.IntentResponseKey = "faq", "faq/ask"
			}
			if rapid.Bool().Draw(t, "entity") {
				end := rapid.IntRange(1, len([]rune(e.Text))).Draw(t, "end")
				if surface := string([]rune(e.Text)[:end]); !strings.Contains(surface, "\n") {
					e.Entities = []nludata.Entity{{End: end, Entity: name.Draw(t, "type"), Value: surface, Role: rapid.SampledFrom([]string{"", "r"}).Draw(t, "role")}}
					if rapid.Bool().Draw(t, "two") {
						e.Entities = append(e.Entities, nludata.Entity{End: end, Entity: "second", Value: "]}", Group: "g"})
					}
				}
			}
			switch rapid.IntRange(0, 3).Draw(t, "metadata") {
			case 1:
				e.Metadata = map[string]any{"intent": map[string]any{"k": []any{int64(1), 2.0, nil, true, text.Draw(t, "value")}}}
			case 2:
				e.Metadata = map[string]any{"example": text.Draw(t, "value")}
			}
			d.Examples = append(d.Examples, e)
		}
		for range rapid.IntRange(0, 2).Draw(t, "tables") {
			line := strings.ReplaceAll(text.Draw(t, "line"), "\n", " ")
			d.Regexes = append(d.Regexes, nludata.Pattern{Name: "r", Pattern: line})
			d.Lookups = []nludata.Lookup{{Name: "l", Values: []string{line}}}
			d.Synonyms[line] = name.Draw(t, "value")
		}
		d = nludata.Merge([]*nludata.TrainingData{d}, &diag.List{}) // leave out what is there twice
		var problems diag.List
		data := d.YAML()
		back := nludata.Read(yamlfile.Parse(data, "nlu.yml", &problems), &problems)
		if err := problems.Err(); err != nil {
			t.Fatalf("%v in\n%s", err, data)
		}
		for surface, value := range implied(d) { // annotations teach synonyms
			d.Synonyms[surface] = value
		}
		if what := nludata.Same(d, back); what != "" {
			t.Fatalf("%s differ in\n%s", what, data)
		}
	})
}

// implied are the synonyms that annotations teach and no table overrules.
func implied(d *nludata.TrainingData) map[string]string {
	out := map[string]string{}
	for _, e := range d.Examples {
		for _, a := range e.Entities {
			surface := string([]rune(e.Text)[a.Start:a.End])
			if value, ok := a.Value.(string); ok && value != surface && d.Synonyms[surface] == "" {
				out[surface] = value
			}
		}
	}
	return out
}

// What the format can't hold is an error, not another text.
func TestWhatYAMLCannotHold(t *testing.T) {
	d := nludata.New()
	d.Examples = []nludata.Example{{Text: "a ] b", Intent: "i", Entities: []nludata.Entity{{End: 5, Entity: "e", Value: "a ] b"}}}}
	if _, err := d.Verified(); err == nil || !strings.Contains(err.Error(), `YAML can't hold the example "a ] b"`) {
		t.Errorf("got %v", err)
	}
	if _, err := read(t, written).Verified(); err != nil {
		t.Error(err)
	}
}

func TestResponsesAreThoseOfTheExamples(t *testing.T) {
	d := read(t, `nlu:
- intent: faq/b
  examples: |
    - b
- intent: faq/a
  examples: |
    - a
- intent: faq/none
  examples: |
    - c
responses:
  utter_faq/a:
  - text: "a\nb"
    buttons:
    - {title: yes, payload: "/x{\"y\": 1}"}
  utter_faq/b:
  - text: b
  - custom: {n: 1.0, list: [[1, 2], []], empty: {}}
  utter_other:
  - text: other
`)
	want := `version: "3.1"
responses:
  utter_faq/b:
    - text: b
    - custom:
        "n": 1.0
        list:
          -
            - 1
            - 2
          - []
        empty: {}
  utter_faq/a:
    - text: "a\nb"
      buttons:
        - title: "yes"
          payload: "/x{\"y\": 1}"
`
	if diff := cmp.Diff(want, string(d.ResponsesYAML())); diff != "" {
		t.Errorf("written (-want +got):\n%s", diff)
	}
	if got := nludata.New().ResponsesYAML(); got != nil {
		t.Errorf("without responses: %q", got)
	}
}
