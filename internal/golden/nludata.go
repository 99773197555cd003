package golden

import (
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/go-cmp/cmp"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/nludata"
	"github.com/loquat-dev/loquat/internal/project"
	"github.com/loquat-dev/loquat/internal/yamlfile"
)

// nluCounts is what the recordings count of NLU data.
type nluCounts struct {
	Examples    int               `json:"training_examples"`
	NLUExamples int               `json:"nlu_examples"`
	WithIntent  int               `json:"intent_examples"`
	WithEntity  int               `json:"entity_examples"`
	WithKey     int               `json:"response_examples"`
	PerIntent   map[string]int    `json:"examples_per_intent"`
	PerKey      map[string]int    `json:"examples_per_response"`
	PerEntity   map[string]int    `json:"examples_per_entity"`
	Roles       []string          `json:"entity_roles"`
	Groups      []string          `json:"entity_groups"`
	Regexes     [][2]string       `json:"regexes"`
	Lookups     map[string]any    `json:"lookups"` // sizes; of JSON that names a file, "file"
	Synonyms    int               `json:"synonyms"`
	Responses   map[string]int    `json:"responses"`
	Error       *recordedError    `json:"error"`
	Warnings    []json.RawMessage `json:"warnings"`
}

func nluFiles(dir string) Report {
	report := Report{File: "project/nlu.json"}
	var records map[string]nluCounts
	if err := load(dir, report.File, &records); err != nil {
		return fail(report.File, err)
	}
	for _, name := range slices.Sorted(maps.Keys(records)) {
		report.equal(name, compareNLUFile(botsDir(dir), name, records[name]))
	}
	return report
}

func compareNLUFile(bots, name string, want nluCounts) string {
	var problems diag.List
	path := filepath.Join(bots, filepath.FromSlash(name))
	data := yamlfile.ReadBytes(path, name, &problems)
	var root *yamlfile.Node
	var got *nludata.TrainingData
	isJSON := strings.HasSuffix(name, ".json")
	if isJSON {
		got = nludata.ReadJSON(data, name, &problems)
	} else {
		root = yamlfile.Parse(data, name, &problems)
		got = nludata.Read(root, &problems)
	}
	refused := problems.HasErrors() || !project.Recognize(name, data, root).NLU
	if refused != (want.Error != nil) {
		return fmt.Sprintf("problems %v, recorded error %v", problems.Errors(), want.Error)
	}
	if refused {
		return ""
	}
	// Unread keys and offsets of JSON are warned about here only.
	warnings := slices.DeleteFunc(problems.Warnings(), func(p diag.Problem) bool {
		return isJSON && (p.Code == "unknown-key" || p.Code == "entity-offsets")
	})
	if len(want.Warnings) != len(warnings) {
		return fmt.Sprintf("warnings %v, recorded %s", warnings, want.Warnings)
	}
	want.Warnings = nil
	return cmp.Diff(want.normalized(), countNLU(got).normalized())
}

// normalized drops what is empty.
func (c nluCounts) normalized() nluCounts {
	for _, list := range []*[]string{&c.Roles, &c.Groups} {
		slices.Sort(*list)
		*list = append([]string(nil), *list...)
	}
	for _, m := range []*map[string]int{&c.PerIntent, &c.PerKey, &c.PerEntity, &c.Responses} {
		if len(*m) == 0 {
			*m = nil
		}
	}
	if len(c.Lookups) == 0 {
		c.Lookups = nil
	}
	if len(c.Regexes) == 0 {
		c.Regexes = nil
	}
	return c
}

// countNLU counts as the recordings do: roles and groups are labels of their own,
// each counted once an example.
func countNLU(d *nludata.TrainingData) nluCounts {
	c := nluCounts{
		PerIntent: map[string]int{}, PerKey: map[string]int{}, PerEntity: map[string]int{}, Lookups: map[string]any{}, Responses: map[string]int{},
		Examples: len(d.Examples), Synonyms: len(d.Synonyms),
	}
	for _, e := range d.Examples {
		if e.Text != "" && (e.Intent != "" || e.IntentResponseKey != "") {
			c.NLUExamples++
		}
		if e.Intent != "" {
			c.WithIntent++
			c.PerIntent[e.Intent]++
		}
		if e.IntentResponseKey != "" {
			c.WithKey++
			c.PerKey[e.IntentResponseKey]++
		}
		if len(e.Entities) > 0 {
			c.WithEntity++
		}
		for _, entity := range e.Entities {
			c.PerEntity["entity '"+entity.Entity+"'"]++
			if entity.Role != "" {
				c.PerEntity["role '"+entity.Role+"'"]++
				c.Roles = append(c.Roles, entity.Role)
			}
			if entity.Group != "" {
				c.PerEntity["group '"+entity.Group+"'"]++
				c.Groups = append(c.Groups, entity.Group)
			}
		}
	}
	slices.Sort(c.Roles)
	slices.Sort(c.Groups)
	c.Roles, c.Groups = slices.Compact(c.Roles), slices.Compact(c.Groups)
	for _, p := range d.Regexes {
		c.Regexes = append(c.Regexes, [2]string{p.Name, p.Pattern})
	}
	for _, l := range d.Lookups {
		c.Lookups[l.Name] = float64(len(l.Values))
		if l.File != "" {
			c.Lookups[l.Name] = "file"
		}
	}
	for name, variations := range d.Responses {
		c.Responses[name] = len(variations)
	}
	return c
}

// annotationRecord is an annotated text, or a whole NLU file.
type annotationRecord struct {
	Via       string
	Input     string
	Yaml      string
	Error     *recordedError
	Text      string
	Entities  []map[string]any
	Examples  []map[string]any
	Synonyms  map[string]any
	Regexes   []map[string]string
	Lookups   []map[string]any
	Responses map[string]any
	Warnings  []string
}

func annotations(dir string) Report {
	report := Report{File: "nlu/entity_annotation.jsonl"}
	err := eachRecord(dir, report.File, func(r *annotationRecord) {
		if r.Via == "parser" {
			report.equal(r.Input, compareAnnotated(r))
		} else {
			report.equal(r.Yaml, compareNLUText(r))
		}
	})
	if err != nil {
		return fail(report.File, err)
	}
	return report
}

func compareAnnotated(want *annotationRecord) string {
	text, entities, err := nludata.ParseAnnotated(want.Input)
	if (err != nil) != (want.Error != nil) {
		return fmt.Sprintf("error %v, recorded %v", err, want.Error)
	}
	if err != nil {
		return ""
	}
	return cmp.Diff(want.Text, text) + cmp.Diff(plainValue(want.Entities), plainValue(entityObjects(entities)))
}

func entityObjects(entities []nludata.Entity) []map[string]any {
	out := []map[string]any{}
	for _, e := range entities {
		m := map[string]any{"start": e.Start, "end": e.End, "entity": e.Entity, "value": e.Value}
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

func compareNLUText(want *annotationRecord) string {
	var problems diag.List
	got := nludata.Read(yamlfile.Parse([]byte(want.Yaml), "nlu.yml", &problems), &problems)
	if problems.HasErrors() != (want.Error != nil) {
		return fmt.Sprintf("errors %v, recorded %v", problems.Errors(), want.Error)
	}
	if want.Error != nil {
		return ""
	}
	if len(want.Warnings) != len(problems.Warnings()) {
		return fmt.Sprintf("warnings %v, recorded %q", problems.Warnings(), want.Warnings)
	}
	examples := []map[string]any{}
	for _, e := range got.Examples {
		m := map[string]any{"text": e.Text, "intent": e.Intent, "entities": entityObjects(e.Entities)}
		if e.IntentResponseKey != "" {
			m["intent_response_key"] = e.IntentResponseKey
		}
		if e.Metadata != nil {
			m["metadata"] = e.Metadata
		}
		examples = append(examples, m)
	}
	for _, m := range want.Examples {
		if m["intent"] == nil {
			m["intent"] = ""
		}
	}
	synonyms := map[string]any{}
	for surface, value := range want.Synonyms {
		synonyms[surface] = fmt.Sprint(value) // ours are texts, as EntitySynonymMapper makes them
	}
	gotSynonyms := map[string]any{}
	for surface, value := range got.Synonyms {
		gotSynonyms[surface] = value
	}
	regexes := []map[string]string{}
	for _, p := range got.Regexes {
		regexes = append(regexes, map[string]string{"name": p.Name, "pattern": p.Pattern})
	}
	lookups := []map[string]any{}
	for _, l := range got.Lookups {
		lookups = append(lookups, map[string]any{"name": l.Name, "elements": l.Values})
	}
	responses := map[string]any{}
	for name, variations := range got.Responses {
		list := []any{}
		for _, v := range variations {
			list = append(list, v.Node.Any())
		}
		responses[name] = list
	}
	return cmp.Diff(
		plainValue([]any{want.Examples, synonyms, want.Regexes, want.Lookups, want.Responses}),
		plainValue([]any{examples, gotSynonyms, regexes, lookups, responses}))
}

// plainValue converts a value to what its JSON reads back as.
func plainValue(v any) any {
	var out any
	if err := throughJSON(v, &out); err != nil {
		return err
	}
	return out
}
