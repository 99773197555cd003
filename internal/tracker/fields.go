package tracker

import (
	"encoding/json"
	"fmt"
)

// reader takes fields out of an event's object and keeps the first error.
type reader struct {
	keepUnknown bool // types that are not known are no error

	m    map[string]any
	name string
	err  error
}

func (r *reader) fail(field, reason string) {
	if r.err == nil {
		r.err = &EventError{Event: r.name, Field: field, Reason: reason}
	}
}

func (r *reader) string(field string) (s string, ok bool) {
	v := r.m[field]
	if v == nil {
		return "", false
	}
	if s, ok = v.(string); !ok {
		r.fail(field, "is not a string")
	}
	return s, ok
}

func (r *reader) requiredString(field string) string {
	s, ok := r.string(field)
	if !ok {
		r.fail(field, "is missing")
	}
	return s
}

func (r *reader) float(field string) float64 {
	switch v := r.m[field].(type) {
	case nil:
	case float64:
		return v
	case int64:
		return float64(v)
	case json.Number:
		f, err := v.Float64()
		if err == nil {
			return f
		}
		r.fail(field, "is out of range")
	default:
		r.fail(field, "is not a number")
	}
	return 0
}

func (r *reader) bool(field string) bool {
	switch v := r.m[field].(type) {
	case nil:
	case bool:
		return v
	default:
		r.fail(field, "is not true or false")
	}
	return false
}

func (r *reader) object(field string) map[string]any {
	switch v := r.m[field].(type) {
	case nil:
	case map[string]any:
		return v
	default:
		r.fail(field, "is not an object")
	}
	return nil
}

func (r *reader) entities(field string, v any, required bool) []Entity {
	list, ok := v.([]any)
	if !ok {
		if v != nil || required {
			r.fail(field, "is missing or no list")
		}
		return nil
	}
	out := make([]Entity, 0, len(list))
	for i, x := range list {
		e, ok := x.(map[string]any)
		if !ok {
			r.fail(fmt.Sprintf("%s[%d]", field, i), "is not an object")
			return nil
		}
		if _, ok := e["entity"].(string); !ok {
			r.fail(fmt.Sprintf("%s[%d].entity", field, i), "is missing or no string")
		}
		if _, ok := e["value"]; !ok {
			r.fail(fmt.Sprintf("%s[%d].value", field, i), "is missing")
		}
		out = append(out, e)
	}
	return out
}
