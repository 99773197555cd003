package pystr

import "encoding/json"

// Numbers gives the numbers of a JSON value that was decoded with UseNumber the
// types that Python's json gives them: int64 where they are whole as written,
// float64 elsewhere. Lists and maps are changed in place.
func Numbers(v any) any {
	switch v := v.(type) {
	case json.Number:
		if i, err := v.Int64(); err == nil {
			return i
		}
		f, _ := v.Float64() // out of range is infinite, as in Python
		return f
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
