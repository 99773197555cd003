package telemetry

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"
)

// Validate checks a whole report against the schemas of its event and envelope.
// The report is decoded JSON with numbers as json.Number.
func Validate(report map[string]any) error {
	name, _ := report["event"].(string)
	schema := schemaOf(name)
	if schema == nil {
		return errors.New("event: unknown")
	}
	return schema.check("report", report)
}

// check tells what is wrong with a value. It names the place and never repeats
// the value, which may be anything.
func (f *fragment) check(place string, value any) error {
	kind := kindOf(value)
	if !slices.Contains(f.Type, kind) && !(kind == "integer" && slices.Contains(f.Type, "number")) {
		return fmt.Errorf("%s: is %s, not %v", place, kind, []string(f.Type))
	}
	switch v := value.(type) {
	case string:
		switch {
		case f.Enum != nil && !slices.Contains(f.Enum.words, v):
			return fmt.Errorf("%s: is not on the list", place)
		case f.Pattern != "" && !f.match.MatchString(v):
			return fmt.Errorf("%s: does not match %s", place, f.Pattern)
		case f.MaxLength > 0 && utf8.RuneCountInString(v) > f.MaxLength:
			return fmt.Errorf("%s: is longer than %d", place, f.MaxLength)
		}
	case json.Number:
		n, err := v.Float64()
		if err != nil || f.Minimum != nil && n < float64(*f.Minimum) || f.Maximum != nil && n > float64(*f.Maximum) {
			return fmt.Errorf("%s: is out of range", place)
		}
		if tenths := n * 10; f.MultipleOf != 0 && math.Abs(tenths-math.Round(tenths)) > 1e-9 {
			return fmt.Errorf("%s: has more than one decimal", place)
		}
	case []any:
		if len(v) > f.MaxItems {
			return fmt.Errorf("%s: has more than %d items", place, f.MaxItems)
		}
		for i, item := range v {
			if err := f.Items.check(fmt.Sprintf("%s[%d]", place, i), item); err != nil {
				return err
			}
		}
	case map[string]any:
		return f.checkObject(place, v)
	}
	return nil
}

func (f *fragment) checkObject(place string, v map[string]any) error {
	for _, name := range f.Required {
		if _, ok := v[name]; !ok {
			return fmt.Errorf("%s: %s is missing", place, name)
		}
	}
	for name, value := range v {
		property, ok := f.Properties[name]
		if !ok {
			return fmt.Errorf("%s: has an undeclared property", place)
		}
		if err := property.check(place+"."+name, value); err != nil {
			return err
		}
	}
	return nil
}

// kindOf gives the JSON type of a decoded value.
func kindOf(value any) string {
	switch v := value.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case string:
		return "string"
	case json.Number:
		if _, err := strconv.Atoi(v.String()); err != nil {
			return "number"
		}
		return "integer"
	case []any:
		return "array"
	case map[string]any:
		return "object"
	}
	return "unknown"
}

// Sendable reports whether an event, given by its name, may leave a machine.
func Sendable(name any) bool {
	text, _ := name.(string)
	e := eventNamed(text)
	return e != nil && !aboutOf(e).localOnly
}
