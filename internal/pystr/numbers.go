package pystr

import (
	"encoding/json"
	"math"
	"strings"
)

// Numbers gives the numbers of a JSON value that was decoded with UseNumber the
// types that Python's json gives them: int64 where they are whole as written,
// float64 elsewhere. Whole numbers beyond 64 bits stay a json.Number, with all
// their digits; others that are out of range become the largest there is, where
// Python has infinity, which JSON can't express. Lists and maps are changed in
// place.
func Numbers(v any) any {
	switch v := v.(type) {
	case json.Number:
		return number(v)
	case map[string]any:
		for k, x := range v {
			v[k] = Numbers(x)
		}
	case []any:
		for i, x := range v {
			v[i] = Numbers(x)
		}
	}
	return v
}

func number(n json.Number) any {
	if i, err := n.Int64(); err == nil {
		return i
	}
	if !strings.ContainsAny(string(n), ".eE") {
		return n
	}
	f, _ := n.Float64()
	return min(max(f, -math.MaxFloat64), math.MaxFloat64)
}
