package actionsdk

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"
	"reflect"
	"strconv"
	"strings"

	"github.com/loquat-dev/loquat/internal/pystr"
)

// decode reads one JSON value into plain Go values, with int64 for whole numbers.
func decode(data []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows the JSON value")
	}
	return pystr.Numbers(v), nil
}

// encode writes JSON as Python does: a float stays one, as in 5.0, so that a slot
// that came as a float goes back as one; NaN and infinities become null.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(withFloats(v)); err != nil {
		return nil, err
	}
	return bytes.TrimRight(b.Bytes(), "\n"), nil
}

// float is a float64 that keeps its fraction in JSON.
type float float64

// MarshalJSON writes 5.0 for 5.
func (f float) MarshalJSON() ([]byte, error) {
	if math.IsNaN(float64(f)) || math.IsInf(float64(f), 0) {
		return []byte("null"), nil
	}
	s := strconv.FormatFloat(float64(f), 'g', -1, 64)
	if !strings.ContainsAny(s, ".e") {
		s += ".0"
	}
	return []byte(s), nil
}

// withFloats replaces float64 in lists and maps; other values stay.
func withFloats(v any) any {
	switch v := v.(type) {
	case float64:
		return float(v)
	case float32:
		return float(v)
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, x := range v {
			out[k] = withFloats(x)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, x := range v {
			out[i] = withFloats(x)
		}
		return out
	}
	if r := reflect.ValueOf(v); r.Kind() == reflect.Slice && r.Type().Elem().Kind() == reflect.Float64 {
		out := make([]any, r.Len())
		for i := range out {
			out[i] = float(r.Index(i).Float())
		}
		return out
	}
	return v
}
