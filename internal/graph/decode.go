package graph

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strings"
)

// Decode stores the configuration in the struct that into points to, whose
// fields carry json tags. Settings without a field are left out. The error tells
// of every setting that doesn't fit its field, each in an error that begins with
// its name (see Unjoin); into is then of no use.
func (c Config) Decode(into any) error {
	data, err := json.Marshal(spelled(c))
	if err == nil {
		err = json.Unmarshal(data, into)
	}
	if err == nil {
		return nil
	}
	var wrong []error
	for _, name := range slices.Sorted(maps.Keys(c)) {
		if err := decodeSetting(name, c[name], into); err != nil {
			wrong = append(wrong, err)
		}
	}
	if wrong == nil {
		return fmt.Errorf("decode configuration: %w", err)
	}
	return errors.Join(wrong...)
}

// decodeSetting decodes one setting alone, and says in the words of someone who
// writes YAML what is wrong with it.
func decodeSetting(name string, value, into any) error {
	if number := unnumber(value); number != "" {
		return fmt.Errorf("%s: %s is no number to reckon with", name, number)
	}
	data, err := json.Marshal(spelled(map[string]any{name: value}))
	if err == nil {
		err = json.Unmarshal(data, into)
	}
	if mismatch, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		found := map[string]string{"string": "text", "array": "a list", "object": "a mapping", "bool": "true or false", "number": "a number"}[mismatch.Value]
		if found == "" {
			found = strings.TrimPrefix(mismatch.Value, "number ")
		}
		return fmt.Errorf("%s: %s stands where %s belongs", name, found, wordFor(mismatch.Type))
	}
	if err != nil && !strings.HasPrefix(err.Error(), name) {
		return fmt.Errorf("%s: %w", name, err)
	}
	return err
}

// unnumber finds an infinity or what is not a number, as YAML writes it.
func unnumber(value any) string {
	switch v := value.(type) {
	case float64:
		switch {
		case math.IsNaN(v):
			return ".nan"
		case math.IsInf(v, 1):
			return ".inf"
		case math.IsInf(v, -1):
			return "-.inf"
		}
	case []any:
		for _, item := range v {
			if found := unnumber(item); found != "" {
				return found
			}
		}
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			if found := unnumber(v[key]); found != "" {
				return found
			}
		}
	}
	return ""
}

// wordFor says what a field takes.
func wordFor(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Pointer:
		return wordFor(t.Elem())
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return "a whole number"
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return "a whole number that is not negative"
	case reflect.Float32, reflect.Float64:
		return "a number"
	case reflect.String:
		return "text"
	case reflect.Slice, reflect.Array:
		return "a list"
	default:
		return "a mapping"
	}
}

// Unjoin takes apart what errors.Join has put together.
func Unjoin(err error) []error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		return joined.Unwrap()
	}
	return []error{err}
}
