package telemetry

import (
	"fmt"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"
)

// fragment is the part of JSON Schema (2020-12) that describes reports. The published
// schemas, the checks of reports and the documentation all come from it.
type fragment struct {
	Schema      string               `json:"$schema,omitempty"`
	ID          string               `json:"$id,omitempty"`
	Title       string               `json:"title,omitempty"` // of the event, the class or the list
	Description string               `json:"description,omitempty"`
	Type        []string             `json:"type"`
	Enum        []any                `json:"enum,omitempty"` // words, and null if that is allowed
	Pattern     string               `json:"pattern,omitempty"`
	MaxLength   int                  `json:"maxLength,omitempty"`
	Minimum     *int                 `json:"minimum,omitempty"`
	MaxItems    int                  `json:"maxItems,omitempty"`
	Items       *fragment            `json:"items,omitempty"`
	Required    []string             `json:"required,omitempty"`
	Properties  map[string]*fragment `json:"properties,omitempty"`
	Additional  *bool                `json:"additionalProperties,omitempty"`

	match *regexp.Regexp // Pattern
	order []string       // of Properties, as declared
}

var eventType = reflect.TypeFor[event]()

// about gives what the tag of an event says: its name, when it is recorded, why that
// is of use, and local:"only" if it is never sent.
func about(e Event, key string) string {
	field, _ := reflect.TypeOf(e).FieldByName(eventType.Name())
	return field.Tag.Get(key)
}

// describe derives the JSON Schema of a type of reports. It panics on a type that is
// no value class: the test of the catalogue finds that before anybody else does.
func describe(t reflect.Type) *fragment {
	if s, ok := classes()[t]; ok {
		return &s
	}
	switch t.Kind() {
	case reflect.Pointer:
		s := describe(t.Elem())
		if s.Type = append(slices.Clip(s.Type), "null"); s.Enum != nil {
			s.Enum = append(slices.Clip(s.Enum), nil)
		}
		return s
	case reflect.Slice:
		return &fragment{Type: []string{"array"}, MaxItems: maxItems, Items: describe(t.Elem())}
	case reflect.Struct:
		if list, ok := reflect.Zero(t).Interface().(interface{ words() []any }); ok {
			return &fragment{Type: []string{"string"}, Title: t.Name(), Enum: list.words()}
		}
		return describeStruct(t)
	}
	panic(fmt.Sprintf("telemetry: %s is not a value class", t))
}

func describeStruct(t reflect.Type) *fragment {
	s := &fragment{Type: []string{"object"}, Properties: map[string]*fragment{}, Additional: new(false)}
	for _, field := range reflect.VisibleFields(t) {
		if field.Anonymous {
			continue // what is in it counts
		}
		name, option, _ := strings.Cut(field.Tag.Get("json"), ",")
		value, doc := field.Type, field.Tag.Get("doc")
		if name == "" || doc == "" || !field.IsExported() {
			panic(fmt.Sprintf("telemetry: field %s of %s has no name, no doc, or is not exported", field.Name, t))
		}
		if option == "omitempty" {
			value = value.Elem() // left out instead of null
		} else {
			s.Required = append(s.Required, name)
		}
		s.order = append(s.order, name)
		s.Properties[name] = describe(value)
		s.Properties[name].Description = doc
	}
	return s
}

// schemas are those that are published, by name. A command needs two or three.
var schemas sync.Map

// schemaOf returns the schema of an event's properties, or for the name "envelope" of
// what is around them; else nil.
func schemaOf(name string) *fragment {
	if known, ok := schemas.Load(name); ok {
		return known.(*fragment)
	}
	t, description := reflect.TypeFor[envelope](), "What is around the properties of an event."
	if e := eventNamed(name); e != nil {
		t, description = reflect.TypeOf(e), about(e, "when")
	} else if name != "envelope" {
		return nil
	}
	s := describe(t)
	s.Schema, s.Title, s.Description = "https://json-schema.org/draft/2020-12/schema", name, description
	s.ID = fmt.Sprintf("urn:loquat:telemetry:%d:%s", SchemaSet, strings.ReplaceAll(strings.ToLower(name), " ", "-"))
	schemas.Store(name, s)
	return s
}

// Schema returns the JSON Schema (2020-12) of an event's properties, or for the name
// "envelope" of what is around them.
func Schema(name string) any { return schemaOf(name) }

// EventNames lists the events of the catalogue.
var EventNames = sync.OnceValue(func() []string {
	var names []string
	for _, e := range catalogue {
		names = append(names, about(e, "name"))
	}
	return slices.Clip(names)
})

// eventNamed returns an event of the catalogue, or nil.
func eventNamed(name string) Event {
	if i := slices.Index(EventNames(), name); i >= 0 {
		return catalogue[i]
	}
	return nil
}

// wrong finds the place of decoded JSON that the schema does not allow, "" if there is
// none. It never repeats what is there, which may be anything.
func (f *fragment) wrong(place string, value any) string {
	ok := false
	switch v := value.(type) {
	case nil:
		ok = slices.Contains(f.Type, "null")
	case bool:
		ok = f.Type[0] == "boolean"
	case string:
		ok = f.Type[0] == "string" && (f.Enum == nil || slices.Contains(f.Enum, value)) &&
			(f.match == nil || f.match.MatchString(v)) && (f.MaxLength == 0 || utf8.RuneCountInString(v) <= f.MaxLength)
	case float64:
		ok = f.Type[0] == "integer" && v >= 0 && v == math.Trunc(v) || f.Type[0] == "number" && slices.Contains(f.Enum, value)
	case []any:
		ok = f.Items != nil && len(v) <= f.MaxItems
		for i := 0; ok && i < len(v); i++ {
			if at := f.Items.wrong(fmt.Sprintf("%s[%d]", place, i), v[i]); at != "" {
				return at
			}
		}
	case map[string]any:
		return f.wrongObject(place, v)
	}
	if ok {
		return ""
	}
	return place
}

func (f *fragment) wrongObject(place string, object map[string]any) string {
	if f.Type[0] != "object" {
		return place
	}
	for _, name := range f.Required {
		if _, ok := object[name]; !ok {
			return place + "." + name
		}
	}
	for name, value := range object {
		if property := f.Properties[name]; property != nil {
			if at := property.wrong(place+"."+name, value); at != "" {
				return at
			}
		} else if f.Additional != nil {
			return place // what else there is has a name of somebody's choice
		}
	}
	return ""
}
