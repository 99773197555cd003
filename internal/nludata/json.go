package nludata

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/yamlfile"
)

// jsonHint says how to get rid of what is wrong with the format.
const jsonHint = "write it as YAML"

// IsJSON reports whether data is a JSON object with the key rasa_nlu_data.
func IsJSON(data []byte) bool {
	var top map[string]json.RawMessage
	return json.Unmarshal(data, &top) == nil && top["rasa_nlu_data"] != nil
}

// ReadJSON takes NLU data in Rasa's JSON format, which is deprecated and still
// read by Rasa 3.6:
//
//	{"rasa_nlu_data": {
//	  "common_examples": [{"text", "intent", "entities": [{"start", "end", "value", "entity", "role", "group"}]}],
//	  "entity_synonyms": [{"value", "synonyms": […]}],
//	  "regex_features":  [{"name", "pattern"}],
//	  "lookup_tables":   [{"name", "elements": […] or the path of a file with a value on each line}]}}
//
// Offsets are code points of the text. Other keys are warned about.
func ReadJSON(data []byte, file string, problems *diag.List) *TrainingData {
	j := &jsonReader{reader: reader{data: New(), problems: problems, lookups: map[string]int{}}, file: file, text: data}
	var top struct {
		Data json.RawMessage `json:"rasa_nlu_data"`
	}
	if err := json.Unmarshal(data, &top); err != nil {
		problems.Errorf(diag.Position{File: file}, "invalid-nlu", jsonHint, "not a JSON object: %v", err)
		return j.data
	}
	start := bytes.Index(data, top.Data)
	problems.Warnf(j.at(start), "deprecated-format", jsonHint, "NLU data in JSON is deprecated")
	var sections map[string]json.RawMessage
	if !j.decode(top.Data, start, "rasa_nlu_data", &sections) {
		return j.data
	}
	readers := map[string]func(json.RawMessage, int){
		"common_examples": j.example, "entity_synonyms": j.synonym, "regex_features": j.regex, "lookup_tables": j.lookup,
	}
	for _, name := range slices.Sorted(maps.Keys(sections)) {
		// A section stands behind its key; within it, items stand in order.
		pos := start + max(0, bytes.Index(top.Data, []byte(`"`+name+`"`)))
		read := readers[name]
		if read == nil {
			j.unknownKey(name, pos, slices.Collect(maps.Keys(readers)))
			continue
		}
		pos += max(0, bytes.Index(data[pos:], sections[name]))
		var items []json.RawMessage
		if !j.decode(sections[name], pos, name, &items) {
			continue
		}
		for _, item := range items {
			pos += max(0, bytes.Index(data[pos:], item))
			read(item, pos)
			pos += len(item)
		}
	}
	j.data.finish()
	return j.data
}

// jsonReader takes one JSON file apart.
type jsonReader struct {
	reader
	file string
	text []byte

	// The last offset that was looked up, and its line: offsets mostly grow.
	offset, line int
}

// at is the position of a byte of the file.
func (j *jsonReader) at(offset int) diag.Position {
	if offset < j.offset {
		j.offset, j.line = 0, 0
	}
	j.line += bytes.Count(j.text[j.offset:offset], []byte("\n"))
	j.offset = offset
	before := j.text[bytes.LastIndexByte(j.text[:offset], '\n')+1 : offset]
	return diag.Position{File: j.file, Line: j.line + 1, Column: utf8.RuneCount(before) + 1}
}

// decode decodes one value. It reports false, with a complaint, for one of
// another type.
func (j *jsonReader) decode(data json.RawMessage, offset int, what string, into any) bool {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	err := d.Decode(into)
	if err == nil {
		return true
	}
	reason := err.Error()
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		reason = "it is of type " + wrong.Value
		if wrong.Field != "" {
			reason = fmt.Sprintf("%q is of type %s", wrong.Field, wrong.Value)
		}
	}
	j.problems.Errorf(j.at(offset), "invalid-nlu", jsonHint, "%s can't be read: %s", what, reason)
	return false
}

func (j *jsonReader) unknownKey(name string, offset int, known []string) {
	slices.Sort(known)
	hint := diag.DidYouMean(name, known)
	if hint == "" {
		hint = "keys: " + strings.Join(known, ", ")
	}
	j.problems.Warnf(j.at(offset), "unknown-key", hint, "the key %q is not read", name)
}

// keys warns about keys of an object that nothing reads.
func (j *jsonReader) keys(object json.RawMessage, offset int, known ...string) {
	var keys map[string]json.RawMessage
	if json.Unmarshal(object, &keys) != nil {
		return // decode has complained
	}
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		if !slices.Contains(known, key) {
			j.unknownKey(key, offset, known)
		}
	}
}

// jsonEntity is an annotation.
type jsonEntity struct {
	Start  *int   `json:"start"`
	End    *int   `json:"end"`
	Entity string `json:"entity"`
	Role   string `json:"role"`
	Group  string `json:"group"`
	Value  any    `json:"value"`
}

func (j *jsonReader) example(item json.RawMessage, offset int) {
	var in struct {
		Text     string          `json:"text"`
		Intent   string          `json:"intent"`
		Entities []jsonEntity    `json:"entities"`
		Metadata json.RawMessage `json:"metadata"`
	}
	if !j.decode(item, offset, "an example", &in) {
		return
	}
	j.keys(item, offset, "text", "intent", "entities", "metadata")
	e := Example{Text: in.Text, Pos: j.at(offset)}
	// As YAML, of which JSON is a part: whole numbers stay whole.
	if metadata, ok := yamlfile.ParseForeign(in.Metadata, j.file, j.problems).Any().(map[string]any); ok && len(metadata) > 0 {
		e.Metadata = metadata
	}
	if e.Text == "" {
		j.problems.Errorf(e.Pos, "invalid-examples", `add "text"`, "an example has no text")
		return
	}
	var ok bool
	if e.Intent, e.IntentResponseKey, ok = splitIntent(in.Intent); !ok {
		j.problems.Errorf(e.Pos, "invalid-intent", "write intent/key", "the intent %q has more than one slash", in.Intent)
		return
	}
	runes := []rune(e.Text)
	for _, given := range in.Entities {
		if given.Start == nil || given.End == nil || *given.Start < 0 || *given.Start >= min(*given.End, len(runes)) {
			j.problems.Errorf(e.Pos, "invalid-annotation", `write "start" and "end", counted in characters from 0`,
				"the entity %q does not lie inside of the text %q", given.Entity, shorten(e.Text))
			continue
		}
		if *given.End > len(runes) { // of no consequence in Rasa
			j.problems.Warnf(e.Pos, "entity-offsets", `correct "end", counted in characters from 0`,
				"the entity %q ends behind the text %q", given.Entity, shorten(e.Text))
			*given.End = len(runes)
		}
		if given.Entity == "" {
			j.problems.Errorf(e.Pos, "invalid-annotation", `add "entity"`, "an entity of %q has no name", shorten(e.Text))
			continue
		}
		value, err := annotationValue(given.Value)
		if err != nil {
			j.problems.Errorf(e.Pos, "invalid-annotation", "write a text or a number", "the entity %q of %q: %v", given.Entity, shorten(e.Text), err)
			continue
		}
		if value == nil {
			value = string(runes[*given.Start:*given.End])
		}
		e.Entities = append(e.Entities, Entity{
			Start: *given.Start, End: *given.End, Entity: given.Entity, Role: given.Role, Group: given.Group, Value: value,
		})
	}
	j.data.Examples = append(j.data.Examples, e)
}

func (j *jsonReader) synonym(item json.RawMessage, offset int) {
	var in struct {
		Value    string   `json:"value"`
		Synonyms []string `json:"synonyms"`
	}
	if !j.decode(item, offset, "a synonym", &in) {
		return
	}
	j.keys(item, offset, "value", "synonyms")
	for _, surface := range in.Synonyms {
		j.data.addSynonym(surface, in.Value, j.at(offset), j.problems)
	}
}

func (j *jsonReader) regex(item json.RawMessage, offset int) {
	var in struct {
		Name    string `json:"name"`
		Pattern string `json:"pattern"`
	}
	if !j.decode(item, offset, "a regular expression", &in) {
		return
	}
	j.keys(item, offset, "name", "pattern")
	j.data.Regexes = append(j.data.Regexes, Pattern{Name: in.Name, Pattern: in.Pattern, Pos: j.at(offset)})
}

func (j *jsonReader) lookup(item json.RawMessage, offset int) {
	var in struct {
		Name     string          `json:"name"`
		Elements json.RawMessage `json:"elements"`
	}
	if !j.decode(item, offset, "a lookup table", &in) {
		return
	}
	j.keys(item, offset, "name", "elements")
	var path string
	if json.Unmarshal(in.Elements, &path) == nil && path != "" {
		j.data.Lookups = append(j.data.Lookups, Lookup{Name: in.Name, File: path, Pos: j.at(offset)})
		return
	}
	if in.Elements == nil {
		j.problems.Errorf(j.at(offset), "invalid-nlu", `add "elements"`, "the lookup table %q has no elements", in.Name)
		return
	}
	var values []string
	if !j.decode(in.Elements, offset, fmt.Sprintf("the elements of the lookup table %q", in.Name), &values) {
		return
	}
	table := j.lookupTable(in.Name, j.at(offset))
	table.Values = append(table.Values, values...)
}
