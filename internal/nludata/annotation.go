package nludata

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"
)

// annotation finds [text](type), [text](type:value), [text]{…} and [text][…]. A
// text holds no "]", a type neither ":" nor ")", and an object no "}".
var (
	annotation = regexp.MustCompile(`\[([^\]]+?)\](?:\(([^:)]+?)(?::([^)]+))?\)|\{([^}]+?)\}|\[(.*?)\])`)
	object     = regexp.MustCompile(`\{([^}]+?)\}`)
)

// AnnotationError says what is wrong with an entity annotation.
type AnnotationError struct {
	Offset int // of the annotation in the annotated text, in code points
	Text   string
	Reason string
}

// Error quotes the annotation.
func (e *AnnotationError) Error() string {
	return fmt.Sprintf("entity annotation %s: %s", e.Text, e.Reason)
}

// ParseAnnotated splits a text with entity annotations into the plain text and
// the entities, whose offsets are code points of the plain text (nlu.md §2.1,
// Rasa 3.6.21). An error is an *AnnotationError.
func ParseAnnotated(text string) (string, []Entity, error) {
	if !strings.Contains(text, "[") {
		return text, nil, nil
	}
	var plain strings.Builder
	var entities []Entity
	length, from := 0, 0
	for _, m := range annotation.FindAllStringSubmatchIndex(text, -1) {
		group := func(i int) string {
			if m[2*i] < 0 {
				return ""
			}
			return text[m[2*i]:m[2*i+1]]
		}
		before := text[from:m[0]]
		plain.WriteString(before)
		length += utf8.RuneCountInString(before)
		from = m[1]

		surface := group(1)
		span := Entity{Start: length, End: length + utf8.RuneCountInString(surface), Value: surface}
		plain.WriteString(surface)
		length = span.End

		found, err := annotated(span, group(2), group(3), group(4), group(5), m[10] >= 0)
		if err != nil {
			return "", nil, &AnnotationError{Offset: utf8.RuneCountInString(text[:m[0]]), Text: text[m[0]:m[1]], Reason: err.Error()}
		}
		entities = append(entities, found...)
	}
	plain.WriteString(text[from:])
	return plain.String(), entities, nil
}

// annotated makes the entities of one annotation from its parts, of which one
// form is there.
func annotated(span Entity, kind, value, single, list string, isList bool) ([]Entity, error) {
	switch {
	case kind != "":
		span.Entity = kind
		if value != "" {
			span.Value = value
		}
		return []Entity{span}, nil
	case isList:
		var out []Entity
		for _, o := range object.FindAllString(list, -1) {
			e, err := fromObject(span, o)
			if err != nil {
				return nil, err
			}
			out = append(out, e)
		}
		return out, nil
	default:
		e, err := fromObject(span, "{"+single+"}")
		return []Entity{e}, err
	}
}

// fromObject fills an entity from the JSON object of its annotation.
func fromObject(span Entity, text string) (Entity, error) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var o map[string]any
	if err := d.Decode(&o); err != nil {
		return span, fmt.Errorf("not a JSON object: %w", err)
	}
	for key, into := range map[string]*string{"entity": &span.Entity, "role": &span.Role, "group": &span.Group} {
		v, given := o[key]
		if !given {
			if key == "entity" {
				return span, fmt.Errorf(`it lacks "entity"`)
			}
			continue
		}
		s, ok := v.(string)
		if !ok {
			return span, fmt.Errorf("%q is not a string", key)
		}
		*into = s
	}
	v, given := o["value"]
	if !given {
		return span, nil
	}
	value, err := annotationValue(v)
	if value == nil && err == nil {
		err = errNoValue
	}
	span.Value = value
	return span, err
}

var errNoValue = errors.New(`"value" is neither a string nor a number`)

// annotationValue is the value of an entity: a string, a number, or nil when none
// is given.
func annotationValue(v any) (any, error) {
	switch v := v.(type) {
	case nil, string:
		return v, nil
	case json.Number:
		if i, err := v.Int64(); err == nil {
			return i, nil
		}
		f, err := v.Float64()
		if err != nil {
			return nil, errNoValue
		}
		return f, nil
	}
	return nil, errNoValue
}
