package telemetry

import (
	"encoding/json"
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
	Type        types                `json:"type,omitempty"`
	Enum        *enum                `json:"enum,omitempty"`
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
	name  string         // of the class, for the documentation
	order []string       // of Properties, as declared
}

// types are the JSON types that a value may have.
type types []string

// MarshalJSON writes one type as a string and several as a list.
func (t types) MarshalJSON() ([]byte, error) {
	if len(t) == 1 {
		return json.Marshal(t[0])
	}
	return json.Marshal([]string(t))
}

// enum are the words of a closed list, and null if that is allowed.
type enum struct {
	words []string
	null  bool
}

// MarshalJSON writes a list.
func (e enum) MarshalJSON() ([]byte, error) {
	values := make([]any, 0, len(e.words)+1)
	for _, word := range e.words {
		values = append(values, word)
	}
	if e.null {
		values = append(values, nil)
	}
	return json.Marshal(values)
}

var classType, eventType = reflect.TypeFor[class](), reflect.TypeFor[event]()

// about is what the tag of an event says.
type about struct {
	name, when string
	why        string // what the answer is used for
	localOnly  bool   // written to the local log and never sent
}

func aboutOf(e Event) about {
	field, _ := reflect.TypeOf(e).FieldByName(eventType.Name())
	tag := field.Tag
	return about{tag.Get("name"), tag.Get("when"), tag.Get("why"), tag.Get("local") == "only"}
}

// describe derives the schema of a type of reports. It panics on a type that is
// no value class: the test of the catalogue finds that before anybody else does.
func describe(t reflect.Type) *fragment {
	if t.Implements(classType) && t.Kind() != reflect.Pointer {
		f := reflect.Zero(t).Interface().(class).class()
		return &f
	}
	switch t.Kind() {
	case reflect.Bool:
		return &fragment{Type: types{"boolean"}, name: "yes or no"}
	case reflect.Pointer:
		f := describe(t.Elem())
		f.Type = append(slices.Clone(f.Type), "null")
		if f.Enum != nil {
			f.Enum = &enum{f.Enum.words, true}
		}
		return f
	case reflect.Slice:
		return &fragment{Type: types{"array"}, MaxItems: maxItems, Items: describe(t.Elem())}
	case reflect.Struct:
		f := object()
		for i := range t.NumField() {
			field := t.Field(i)
			if field.Type == eventType {
				continue
			}
			name, option, _ := strings.Cut(field.Tag.Get("json"), ",")
			if name == "" || field.Tag.Get("doc") == "" || !field.IsExported() {
				panic(fmt.Sprintf("telemetry: field %s of %s has no name, no doc, or is not exported", field.Name, t))
			}
			value := field.Type
			if option == "omitempty" {
				value = value.Elem() // left out instead of null
			}
			f.add(name, describe(value), field.Tag.Get("doc"), option != "omitempty")
		}
		return f
	}
	panic(fmt.Sprintf("telemetry: %s is not a value class", t))
}

func object() *fragment {
	closed := false
	return &fragment{Type: types{"object"}, Properties: map[string]*fragment{}, Additional: &closed}
}

func (f *fragment) add(name string, value *fragment, doc string, required bool) {
	if value.Description = doc; required {
		f.Required = append(f.Required, name)
	}
	f.Properties[name] = value
	f.order = append(f.order, name)
}

// describeEvent derives the schema of an event's properties.
func describeEvent(e Event) *fragment {
	f, about := describe(reflect.TypeOf(e)), aboutOf(e)
	f.add("metrics_id", describe(reflect.TypeFor[*ID]()), "the identifier of this installation, as userId", true)
	f.Title, f.Description = about.name, about.when
	return f
}

// describeEnvelope derives the schema of a whole report with one event.
func describeEnvelope(properties *fragment) *fragment {
	f := describe(reflect.TypeFor[envelope]())
	f.add("properties", properties, "those of the event", true)
	f.Title = "envelope"
	return f
}

// schemas are those of whole reports, by event. A command needs one or two.
var schemas sync.Map

// schemaOf returns the schema of whole reports of an event, or nil.
func schemaOf(name string) *fragment {
	if f, ok := schemas.Load(name); ok {
		return f.(*fragment)
	}
	e := eventNamed(name)
	if e == nil {
		return nil
	}
	f := describeEnvelope(describeEvent(e))
	schemas.Store(name, f)
	return f
}

// EventNames lists the events of the catalogue.
func EventNames() []string { return eventNames{}.words() }

// Schema returns the JSON Schema of an event's properties, or of what is around
// them for the name "envelope".
func Schema(name string) (json.Marshaler, bool) {
	f := describeEnvelope(object())
	if name != "envelope" {
		e := eventNamed(name)
		if e == nil {
			return nil, false
		}
		f = describeEvent(e)
	} else {
		f.Properties["properties"].Additional = nil // judged by the event's own schema
	}
	f.Schema = "https://json-schema.org/draft/2020-12/schema"
	f.ID = fmt.Sprintf("urn:loquat:telemetry:%d:%s", SchemaSet, strings.ReplaceAll(strings.ToLower(name), " ", "-"))
	return published{f}, true
}

type published struct{ *fragment }

// MarshalJSON writes the schema.
func (p published) MarshalJSON() ([]byte, error) { return json.Marshal(p.fragment) }

func eventNamed(name string) Event {
	for _, e := range catalogue {
		if aboutOf(e).name == name {
			return e
		}
	}
	return nil
}
