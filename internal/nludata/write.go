package nludata

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// YAML writes the training data in the format that Read reads.
func (d *TrainingData) YAML() []byte {
	var b strings.Builder
	b.WriteString("version: \"3.1\"\nnlu:\n")
	for _, e := range d.Examples {
		name := e.Intent
		if e.IntentResponseKey != "" {
			name = e.IntentResponseKey
		}
		fmt.Fprintf(&b, "- intent: %s\n  examples:\n  - text: %s\n", quote(name), quote(e.Annotated()))
		if m, ok := e.Metadata["example"]; ok {
			fmt.Fprintf(&b, "    metadata: %s\n", quote(m))
		}
	}
	table := func(kind, name string, lines []string) {
		fmt.Fprintf(&b, "- %s: %s\n  examples: %s\n", kind, quote(name), quote("- "+strings.Join(lines, "\n- ")))
	}
	bySynonym := map[string][]string{}
	for surface, value := range d.Synonyms {
		bySynonym[value] = append(bySynonym[value], surface)
	}
	for _, value := range slices.Sorted(maps.Keys(bySynonym)) {
		table("synonym", value, slices.Sorted(slices.Values(bySynonym[value])))
	}
	for _, p := range d.Regexes {
		table("regex", p.Name, []string{p.Pattern})
	}
	for _, l := range d.Lookups {
		table("lookup", l.Name, l.Values)
	}
	return []byte(b.String())
}

// Annotated is the text with its entities marked, as ParseAnnotated reads it.
func (e *Example) Annotated() string {
	runes := []rune(e.Text)
	var b strings.Builder
	from := 0
	for i := 0; i < len(e.Entities); {
		span := e.Entities[i]
		var objects []string
		for ; i < len(e.Entities) && e.Entities[i].Start == span.Start && e.Entities[i].End == span.End; i++ {
			objects = append(objects, e.Entities[i].object(string(runes[span.Start:span.End])))
		}
		if span.Start < from {
			continue // overlapping annotations can't be written
		}
		annotation := objects[0]
		if len(objects) > 1 {
			annotation = "[" + strings.Join(objects, ",") + "]"
		}
		fmt.Fprintf(&b, "%s[%s]%s", string(runes[from:span.Start]), string(runes[span.Start:span.End]), annotation)
		from = span.End
	}
	return b.String() + string(runes[from:])
}

// object is an entity as the JSON object of an annotation.
func (e Entity) object(surface string) string {
	o := map[string]any{"entity": e.Entity}
	if e.Role != "" {
		o["role"] = e.Role
	}
	if e.Group != "" {
		o["group"] = e.Group
	}
	if e.Value != surface {
		o["value"] = e.Value
	}
	return quote(o)
}

// quote gives a value as JSON, which YAML reads too.
func quote(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		return "null" // not reached: values come from YAML and JSON
	}
	return string(data)
}
