package nludata_test

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/nludata"
	"github.com/loquat-dev/loquat/internal/sharedtest"
	"github.com/loquat-dev/loquat/internal/yamlfile"
)

type record struct {
	Input, Yaml, Via, Text string
	Error                  *struct{ Type string }
	Entities               []map[string]any
	Examples               []map[string]any
	Synonyms               map[string]any
	Regexes                []map[string]string
	Lookups                []map[string]any
	Responses              map[string]any
	Warnings               []string
}

// TestAnnotationsAsRecorded compares with what Rasa 3.6.21 makes of annotated
// texts and NLU files.
func TestAnnotationsAsRecorded(t *testing.T) {
	f, err := os.Open(filepath.Join(sharedtest.Dir(t, "data", "golden", "nlu"), "entity_annotation.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	scanner := bufio.NewScanner(f)
	scanner.Buffer(nil, 1<<20)
	for scanner.Scan() {
		var r record
		if err := json.Unmarshal(scanner.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
		if r.Via == "parser" {
			compareText(t, r)
		} else {
			compareFile(t, r)
		}
	}
}

func compareText(t *testing.T, r record) {
	t.Helper()
	text, entities, err := nludata.ParseAnnotated(r.Input)
	if (err != nil) != (r.Error != nil) {
		t.Errorf("%q: error %v, recorded %v", r.Input, err, r.Error)
		return
	}
	if err != nil {
		return
	}
	if diff := cmp.Diff(r.Text, text); diff != "" {
		t.Errorf("%q: %s", r.Input, diff)
	}
	if diff := cmp.Diff(r.Entities, objects(entities)); diff != "" {
		t.Errorf("%q: (-Rasa +ours)\n%s", r.Input, diff)
	}
}

func objects(entities []nludata.Entity) []map[string]any {
	out := []map[string]any{}
	for _, e := range entities {
		m := map[string]any{"start": float64(e.Start), "end": float64(e.End), "entity": e.Entity, "value": e.Value}
		if i, ok := e.Value.(int64); ok {
			m["value"] = float64(i)
		}
		if e.Role != "" {
			m["role"] = e.Role
		}
		if e.Group != "" {
			m["group"] = e.Group
		}
		out = append(out, m)
	}
	return out
}

func compareFile(t *testing.T, r record) {
	t.Helper()
	if strings.Contains(r.Yaml, "intent: ${NOT_SET_X}") {
		return // an unset variable is an error of its own here
	}
	var problems diag.List
	data := nludata.Read(yamlfile.Parse([]byte(r.Yaml), "x.yml", &problems), &problems)
	if problems.HasErrors() != (r.Error != nil) {
		t.Errorf("%s\nerrors %v, recorded %+v", r.Yaml, problems.Errors(), r.Error)
		return
	}
	if r.Error != nil {
		return
	}
	examples := []map[string]any{}
	for _, e := range data.Examples {
		m := map[string]any{"text": e.Text, "intent": e.Intent, "entities": objects(e.Entities)}
		if e.IntentResponseKey != "" {
			m["intent_response_key"] = e.IntentResponseKey
		}
		if e.Metadata != nil {
			m["metadata"] = e.Metadata
		}
		examples = append(examples, plain(m))
	}
	for _, m := range r.Examples {
		if list, ok := m["entities"].([]any); ok {
			entities := []map[string]any{}
			for _, x := range list {
				entities = append(entities, x.(map[string]any))
			}
			m["entities"] = entities
		}
		if m["intent"] == nil {
			m["intent"] = ""
		}
	}
	for i := range r.Examples {
		r.Examples[i] = plain(r.Examples[i])
	}
	if diff := cmp.Diff(r.Examples, examples); diff != "" {
		t.Errorf("%s\nexamples (-Rasa +ours)\n%s", r.Yaml, diff)
	}
	if len(r.Warnings) != len(problems.Warnings()) {
		t.Errorf("%s\nwarnings %v, recorded %q", r.Yaml, problems.Warnings(), r.Warnings)
	}
	for surface, value := range r.Synonyms {
		if got := data.Synonyms[surface]; got != strings.Trim(string(mustJSON(value)), `"`) {
			t.Errorf("%s\nsynonym %q is %q, recorded %v", r.Yaml, surface, got, value)
		}
	}
	if len(r.Synonyms) != len(data.Synonyms) || len(r.Regexes) != len(data.Regexes) || len(r.Lookups) != len(data.Lookups) || len(r.Responses) != len(data.Responses) {
		t.Errorf("%s\n%d synonyms, %d regexes, %d lookups, %d responses", r.Yaml, len(data.Synonyms), len(data.Regexes), len(data.Lookups), len(data.Responses))
		return
	}
	for i, p := range data.Regexes {
		if p.Name != r.Regexes[i]["name"] || p.Pattern != r.Regexes[i]["pattern"] {
			t.Errorf("%s\nregex %d is %+v", r.Yaml, i, p)
		}
	}
}

func plain(m map[string]any) map[string]any {
	var out map[string]any
	_ = json.Unmarshal(mustJSON(m), &out)
	return out
}

func mustJSON(v any) []byte {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return data
}

func TestProblemsPointIntoTheBlock(t *testing.T) {
	text := "nlu:\n- intent: i\n  examples: |\n    - fine\n    - bad [x]{entity: y}\n    oops\n"
	var problems diag.List
	nludata.Read(yamlfile.Parse([]byte(text), "nlu.yml", &problems), &problems)
	var got []string
	for _, p := range problems.All() {
		got = append(got, p.Pos.String()+" "+string(p.Code))
	}
	if diff := cmp.Diff([]string{"nlu.yml:5:11 entity-annotation", "nlu.yml:6:5 example-line"}, got); diff != "" {
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
