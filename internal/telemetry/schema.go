package telemetry

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// fragment is the part of JSON Schema (2020-12) that describes reports. The
// published schemas, the validator and the documentation all read it.
type fragment struct {
	Schema      string               `json:"$schema,omitempty"`
	ID          string               `json:"$id,omitempty"`
	Title       string               `json:"title,omitempty"`
	Description string               `json:"description,omitempty"`
	Type        []string             `json:"type,omitempty"`
	Enum        []any                `json:"enum,omitempty"` // words, and null if that is allowed
	Pattern     string               `json:"pattern,omitempty"`
	MaxLength   int                  `json:"maxLength,omitempty"`
	Minimum     *int                 `json:"minimum,omitempty"`
	Maximum     *int                 `json:"maximum,omitempty"`
	MultipleOf  float64              `json:"multipleOf,omitempty"`
	MaxItems    int                  `json:"maxItems,omitempty"`
	Items       *fragment            `json:"items,omitempty"`
	Required    []string             `json:"required,omitempty"`
	Properties  map[string]*fragment `json:"properties,omitempty"`
	Additional  *bool                `json:"additionalProperties,omitempty"`

	match *regexp.Regexp // Pattern
	name  string         // of the class or list, for the documentation
	order []string       // of Properties, as declared
}

var eventType = reflect.TypeFor[event]()

// about gives what the tag of an event says: its name, when it is recorded, why that
// is of use, and local:"only" if it is never sent.
func about(e Event, key string) string {
	field, _ := reflect.TypeOf(e).FieldByName(eventType.Name())
	return field.Tag.Get(key)
}

// describe derives the schema of a type of reports. It panics on a type that is
// no value class: the test of the catalogue finds that before anybody else does.
func describe(t reflect.Type) *fragment {
	if f, ok := classes()[t]; ok {
		return &f
	}
	switch t.Kind() {
	case reflect.Pointer:
		f := describe(t.Elem())
		f.Type = append(slices.Clip(f.Type), "null")
		if f.Enum != nil {
			f.Enum = append(f.Enum, nil)
		}
		return f
	case reflect.Slice:
		return &fragment{Type: []string{"array"}, MaxItems: maxItems, Items: describe(t.Elem())}
	case reflect.Struct:
		if list, ok := reflect.Zero(t).Interface().(interface{ words() []any }); ok {
			return &fragment{Type: []string{"string"}, Enum: slices.Clip(list.words()), name: t.Name()}
		}
		return describeStruct(t)
	}
	panic(fmt.Sprintf("telemetry: %s is not a value class", t))
}

func describeStruct(t reflect.Type) *fragment {
	f := &fragment{Type: []string{"object"}, Properties: map[string]*fragment{}, Additional: new(false)}
	for i := range t.NumField() {
		field := t.Field(i)
		if field.Type == eventType {
			continue
		}
		name, option, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name == "" || field.Tag.Get("doc") == "" || !field.IsExported() {
			panic(fmt.Sprintf("telemetry: field %s of %s has no name, no doc, or is not exported", field.Name, t))
		}
		value, required := field.Type, option != "omitempty"
		if !required {
			value = value.Elem() // left out instead of null
		}
		f.add(name, describe(value), field.Tag.Get("doc"), required)
	}
	return f
}

func (f *fragment) add(name string, value *fragment, doc string, required bool) {
	if value.Description = doc; required {
		f.Required = append(f.Required, name)
	}
	f.Properties[name] = value
	f.order = append(f.order, name)
}

// schemas are those that are published, by name. A command needs two or three.
var schemas sync.Map

// schemaOf returns the schema of an event's properties, or for the name "envelope" of
// what is around them; else nil.
func schemaOf(name string) *fragment {
	if f, ok := schemas.Load(name); ok {
		return f.(*fragment)
	}
	var f *fragment
	switch e := eventNamed(name); {
	case e != nil:
		f = describe(reflect.TypeOf(e))
		f.add("metrics_id", describe(reflect.TypeFor[*ID]()), "the identifier of this installation, as userId", true)
		f.Description = about(e, "when")
	case name == "envelope":
		f = describe(reflect.TypeFor[envelope]())
		f.add("properties", &fragment{Type: []string{"object"}}, "those of the event, which have a schema of their own", true)
	default:
		return nil
	}
	f.Schema, f.Title = "https://json-schema.org/draft/2020-12/schema", name
	f.ID = fmt.Sprintf("urn:loquat:telemetry:%d:%s", SchemaSet, strings.ReplaceAll(strings.ToLower(name), " ", "-"))
	schemas.Store(name, f)
	return f
}

// Schema returns the JSON Schema of an event's properties, or for the name "envelope"
// of what is around them.
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
