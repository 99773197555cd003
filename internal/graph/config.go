package graph

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strconv"

	"github.com/loquat-dev/loquat/internal/pystr"
)

// spelled replaces float64 by numbers that keep their decimal point when they
// are written as JSON: 1.0 (all of something) is not 1 (one of it).
func spelled(v any) any {
	switch v := v.(type) {
	case Config:
		return spelled(map[string]any(v))
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, x := range v {
			out[k] = spelled(x)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, x := range v {
			out[i] = spelled(x)
		}
		return out
	case float64:
		if v == math.Trunc(v) && math.Abs(v) < 1e15 {
			return json.Number(strconv.FormatFloat(v, 'f', 1, 64))
		}
	}
	return v
}

// decodeConfig reads a JSON object so that whole numbers stay whole.
func decodeConfig(data []byte) (Config, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var c map[string]any
	if err := d.Decode(&c); err != nil {
		return nil, err
	}
	return pystr.Numbers(c).(map[string]any), nil
}

// Literal gives a setting as JSON, numbers with a decimal point where they have
// one: 1.0 is not 1. It is "" for a setting that is not there.
func (c Config) Literal(name string) string {
	v, ok := c[name]
	if !ok {
		return ""
	}
	data, err := json.Marshal(spelled(v))
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(data)
}
