package golden

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"regexp"
	"slices"
	"strings"
)

// placeholders are the values that differ from run to run, by what they stand
// for in a recording.
var placeholders = map[string]func(got any) bool{
	"<timestamp>":  isTime,
	"<message_id>": looksLike(`^[0-9a-f]{32}$`),
	"<model_id>":   looksLike(`^[0-9a-f]{32}$`),
	"<hex32>":      looksLike(`^[0-9a-f]{32}$`),
	"<uuid>":       looksLike(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`),
	"<model_name>": looksLike(`^\d{8}-\d{6}-[a-z]+-[a-z]+$`),
}

func looksLike(pattern string) func(any) bool {
	re := regexp.MustCompile(pattern)
	return func(got any) bool {
		s, ok := got.(string)
		return ok && re.MatchString(s)
	}
}

func isTime(got any) bool {
	n, ok := got.(json.Number)
	if !ok {
		return false
	}
	f, err := n.Float64()
	return err == nil && f > 1e9
}

// decodeJSON reads JSON, keeping numbers as they are written.
func decodeJSON(data []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	return v, nil
}

// jsonDifference compares a value with a recorded one and describes the first
// difference, "" if there is none. Objects compare without regard to order,
// numbers by value, placeholders match any value of their kind.
func jsonDifference(path string, want, got any) string {
	if want == "<not recorded>" {
		return ""
	}
	if name, ok := want.(string); ok {
		if match, known := placeholders[name]; known {
			if !match(got) {
				return fmt.Sprintf("%s: got %s, want a %s", path, showJSON(got), name)
			}
			return ""
		}
	}
	switch want := want.(type) {
	case map[string]any:
		got, ok := got.(map[string]any)
		if !ok {
			break
		}
		for _, key := range slices.Sorted(maps.Keys(want)) {
			value, present := got[key]
			if !present {
				return fmt.Sprintf("%s: no %q", path, key)
			}
			if d := jsonDifference(path+"."+key, want[key], value); d != "" {
				return d
			}
		}
		for _, key := range slices.Sorted(maps.Keys(got)) {
			if _, present := want[key]; !present {
				return fmt.Sprintf("%s: has %q = %s too", path, key, showJSON(got[key]))
			}
		}
		return ""
	case []any:
		got, ok := got.([]any)
		if !ok {
			break
		}
		for i := range min(len(want), len(got)) {
			if d := jsonDifference(fmt.Sprintf("%s[%d]", path, i), want[i], got[i]); d != "" {
				return d
			}
		}
		if len(want) != len(got) {
			return fmt.Sprintf("%s: %d elements, want %d", path, len(got), len(want))
		}
		return ""
	case json.Number:
		if got, ok := got.(json.Number); ok && sameNumber(want, got) {
			return ""
		}
	default:
		if want == got {
			return ""
		}
	}
	return fmt.Sprintf("%s: got %s, want %s", path, showJSON(got), showJSON(want))
}

func sameNumber(a, b json.Number) bool {
	x, ok1 := new(big.Rat).SetString(a.String())
	y, ok2 := new(big.Rat).SetString(b.String())
	return ok1 && ok2 && x.Cmp(y) == 0
}

func showJSON(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	s := string(data)
	if len(s) > 120 {
		s = strings.ToValidUTF8(s[:120], "") + "..."
	}
	return s
}
