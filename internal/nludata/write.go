package nludata

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/yamlfile"
)

const versionLine = "version: \"3.1\"\n"

// YAML writes the training data, without responses, in the format that Read reads:
// neighbours of the same intent as lines of one block, then synonyms, regular
// expressions and lookup tables.
func (d *TrainingData) YAML() []byte {
	var b strings.Builder
	b.WriteString(versionLine + "nlu:\n")
	for i := 0; i < len(d.Examples); {
		first, from := &d.Examples[i], i
		for i < len(d.Examples) && d.Examples[i].Label() == first.Label() && reflect.DeepEqual(d.Examples[i].Metadata["intent"], first.Metadata["intent"]) {
			i++
		}
		writeIntent(&b, d.Examples[from:i])
	}
	forms := d.SynonymForms()
	for i := 0; i < len(forms); {
		value, from := d.Synonyms[forms[i]], i
		for i < len(forms) && d.Synonyms[forms[i]] == value {
			i++
		}
		writeTable(&b, "synonym", value, forms[from:i])
	}
	for i := 0; i < len(d.Regexes); {
		name := d.Regexes[i].Name
		var lines []string
		for ; i < len(d.Regexes) && d.Regexes[i].Name == name; i++ {
			lines = append(lines, d.Regexes[i].Pattern)
		}
		writeTable(&b, "regex", name, lines)
	}
	for _, l := range united(d.Lookups) {
		writeTable(&b, "lookup", l.Name, l.Values)
	}
	return yamlfile.File(b.String())
}

// ResponsesYAML writes the responses of the retrieval intents that examples are
// annotated with; nil if there are none.
func (d *TrainingData) ResponsesYAML() []byte {
	responses := &yamlfile.Node{Kind: yamlfile.Map}
	seen := map[string]bool{}
	for _, e := range d.Examples {
		name := "utter_" + e.IntentResponseKey
		if e.IntentResponseKey == "" || seen[name] || len(d.Responses[name]) == 0 {
			continue
		}
		seen[name] = true
		list := &yamlfile.Node{Kind: yamlfile.List}
		for _, v := range d.Responses[name] {
			list.Items = append(list.Items, v.Node)
		}
		responses.Pairs = append(responses.Pairs, yamlfile.Pair{Key: yamlfile.NewString(name), Value: list})
	}
	if len(responses.Pairs) == 0 {
		return nil
	}
	return yamlfile.File(versionLine + "responses:\n" + responses.YAML(2))
}

// Whole writes examples, tables and all responses to one file, read back and
// compared. An annotation with a value defines a synonym in YAML, which it does not
// in JSON: implied are the forms of those that are no synonyms of d.
func (d *TrainingData) Whole() (data []byte, implied []string, err error) {
	data = d.YAML()
	back, err := readBack(data)
	if err != nil {
		return nil, nil, err
	}
	for _, form := range back.SynonymForms() {
		if _, known := d.Synonyms[form]; !known {
			implied = append(implied, form)
			delete(back.Synonyms, form)
		}
	}
	if what := Same(d, back); what != "" {
		return nil, nil, fmt.Errorf("write NLU data: YAML can't hold %s", what)
	}
	if len(d.Responses) == 0 {
		return data, implied, nil
	}
	responses := &yamlfile.Node{Kind: yamlfile.Map}
	for _, name := range slices.Sorted(maps.Keys(d.Responses)) {
		list := &yamlfile.Node{Kind: yamlfile.List}
		for _, v := range d.Responses[name] {
			list.Items = append(list.Items, v.Node)
		}
		responses.Pairs = append(responses.Pairs, yamlfile.Pair{Key: yamlfile.NewString(name), Value: list})
	}
	return yamlfile.File(string(data) + "responses:\n" + responses.YAML(2)), implied, nil
}

// writeIntent writes examples of one intent: lines of a block, or a list where one
// has metadata or characters that a block can't hold.
func writeIntent(b *strings.Builder, examples []Example) {
	fmt.Fprintf(b, "- intent: %s\n", yamlfile.Scalar(examples[0].Label()))
	if m, ok := examples[0].Metadata["intent"]; ok {
		writeKey(b, "  metadata:", m, 4)
	}
	lines := make([]string, len(examples))
	asBlock := true
	for i := range examples {
		lines[i] = examples[i].Annotated()
		_, own := examples[i].Metadata["example"]
		asBlock = asBlock && !own && isLine(lines[i])
	}
	b.WriteString("  examples:")
	if asBlock {
		writeLines(b, lines)
		return
	}
	b.WriteString("\n")
	for i := range examples {
		fmt.Fprintf(b, "  - text: %s\n", yamlfile.Scalar(lines[i]))
		if m, ok := examples[i].Metadata["example"]; ok {
			writeKey(b, "    metadata:", m, 6)
		}
	}
}

func writeKey(b *strings.Builder, key string, value any, indent int) {
	n := yamlfile.Of(value)
	text := n.YAML(indent)
	if strings.HasSuffix(text, "\n") {
		b.WriteString(key + "\n" + text)
	} else {
		b.WriteString(key + " " + text + "\n")
	}
}

func writeTable(b *strings.Builder, kind, name string, lines []string) {
	fmt.Fprintf(b, "- %s: %s\n  examples:", kind, yamlfile.Scalar(name))
	if slices.ContainsFunc(lines, func(line string) bool { return !isLine(line) }) {
		b.WriteString(" " + yamlfile.Scalar("- "+strings.Join(lines, "\n- ")) + "\n")
		return
	}
	writeLines(b, lines)
}

func writeLines(b *strings.Builder, lines []string) {
	b.WriteString(" |\n")
	for _, line := range lines {
		b.WriteString("    - " + line + "\n")
	}
}

// isLine reports whether a text can stand in a line of a block.
func isLine(s string) bool { return s != "" && s == trim(s) && yamlfile.Printable(s) }

// Annotated is the text with its entities marked, as ParseAnnotated reads it.
func (e *Example) Annotated() string {
	runes := []rune(e.Text)
	var b strings.Builder
	from := 0
	for i := 0; i < len(e.Entities); {
		span, first := e.Entities[i], i
		for i < len(e.Entities) && e.Entities[i].Start == span.Start && e.Entities[i].End == span.End {
			i++
		}
		if span.Start < from {
			continue // overlapping annotations can't be written
		}
		b.WriteString(string(runes[from:span.Start]))
		b.WriteString(annotate(string(runes[span.Start:span.End]), e.Entities[first:i]))
		from = span.End
	}
	return b.String() + string(runes[from:])
}

// annotate marks a text with the entities that span it.
func annotate(surface string, entities []Entity) string {
	if e := entities[0]; len(entities) == 1 && e.Role == "" && e.Group == "" && e.Value == surface && simpleType.MatchString(e.Entity) {
		return "[" + surface + "](" + e.Entity + ")"
	}
	objects := make([]string, len(entities))
	for i, e := range entities {
		objects[i] = e.object(surface)
	}
	if len(objects) == 1 {
		return "[" + surface + "]" + objects[0]
	}
	return "[" + surface + "][" + strings.Join(objects, ",") + "]"
}

// simpleType are types that need no object.
var simpleType = regexp.MustCompile(`^[^:()\[\]{}]+$`)

// object is an entity as the JSON object of an annotation. The signs that end an
// annotation are escaped.
func (e Entity) object(surface string) string {
	var b strings.Builder
	add := func(key string, value any) {
		data, err := json.Marshal(value)
		if err != nil {
			return // not reached: values are strings and numbers
		}
		text := strings.NewReplacer("}", `\u007d`, "]", `\u005d`, "{", `\u007b`).Replace(string(data))
		b.WriteString(`, "` + key + `": ` + text)
	}
	add("entity", e.Entity)
	if e.Role != "" {
		add("role", e.Role)
	}
	if e.Group != "" {
		add("group", e.Group)
	}
	if e.Value != surface {
		add("value", e.Value)
	}
	return "{" + b.String()[2:] + "}"
}

// Same reports what differs between two pieces of training data, beside positions
// and responses; "" for nothing.
func Same(a, b *TrainingData) string {
	for i := range min(len(a.Examples), len(b.Examples)) {
		x, y := a.Examples[i], b.Examples[i]
		if x.Text != y.Text || !equal(&x, &y) {
			return fmt.Sprintf("the example %q", x.Text)
		}
	}
	switch {
	case len(a.Examples) != len(b.Examples):
		return fmt.Sprintf("%d and %d examples", len(a.Examples), len(b.Examples))
	case !reflect.DeepEqual(a.Synonyms, b.Synonyms):
		return "synonyms"
	case !slices.EqualFunc(a.Regexes, b.Regexes, func(x, y Pattern) bool { return x.Name == y.Name && x.Pattern == y.Pattern }):
		return "regular expressions"
	case !slices.EqualFunc(united(a.Lookups), united(b.Lookups), func(x, y Lookup) bool { return x.Name == y.Name && slices.Equal(x.Values, y.Values) }):
		return "lookup tables"
	}
	return ""
}

// united makes one table of those of one name, as one file has it.
func united(tables []Lookup) []Lookup {
	var out []Lookup
	for _, t := range tables {
		i := slices.IndexFunc(out, func(o Lookup) bool { return o.Name == t.Name })
		if i < 0 {
			out = append(out, t)
			continue
		}
		out[i].Values = append(slices.Clip(out[i].Values), t.Values...)
	}
	return out
}

// Verified is YAML, read back and compared: an error tells what the format can't
// hold.
func (d *TrainingData) Verified() ([]byte, error) {
	data := d.YAML()
	back, err := readBack(data)
	if err != nil {
		return nil, err
	}
	if what := Same(d, back); what != "" {
		return nil, fmt.Errorf("write NLU data: YAML can't hold %s", what)
	}
	return data, nil
}

func readBack(data []byte) (*TrainingData, error) {
	var problems diag.List
	back := Read(yamlfile.Parse(data, "written", &problems), &problems)
	if err := problems.Err(); err != nil {
		return nil, fmt.Errorf("write NLU data: %w", err)
	}
	return back, nil
}
