package pystr_test

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/loquat-dev/loquat/internal/pystr"
)

func TestValuesPrintAsInPython(t *testing.T) {
	for _, c := range []struct {
		value any
		want  string
	}{
		{nil, "None"}, {true, "True"}, {int64(-3), "-3"}, {"it's", "it's"},
		{5.0, "5.0"}, {0.1, "0.1"}, {1e16, "1e+16"}, {1e15, "1000000000000000.0"}, {0.00001, "1e-05"}, {math.Inf(-1), "-inf"}, {math.Copysign(0, -1), "-0.0"},
		{[]any{"a", int64(1), nil, "it's"}, `['a', 1, None, "it's"]`},
		{[]any{"\n\x00\u200b", `'"`}, `['\n\x00\u200b', '\'"']`},
		{map[string]any{"b": []any{}, "a": map[string]any{}}, "{'a': {}, 'b': []}"},
	} {
		if got := pystr.Str(c.value); got != c.want {
			t.Errorf("%#v: got %s, want %s", c.value, got, c.want)
		}
	}
}

func TestTruthIsPythons(t *testing.T) {
	for _, v := range []any{nil, false, "", int64(0), 0.0, []any{}, map[string]any{}} {
		if pystr.Truth(v) {
			t.Errorf("%#v is true", v)
		}
	}
	for _, v := range []any{true, "0", int64(-1), 0.5, []any{nil}, map[string]any{"a": nil}} {
		if !pystr.Truth(v) {
			t.Errorf("%#v is false", v)
		}
	}
}

func TestNumbersKeepWhatJSONHolds(t *testing.T) {
	for text, want := range map[string]any{
		"1": int64(1), "1.0": 1.0, "1e2": 100.0, "-0": int64(0), "12345678901234567890": json.Number("12345678901234567890"),
		"1e999": math.MaxFloat64, "-1e999": -math.MaxFloat64,
	} {
		if got := pystr.Numbers(json.Number(text)); got != want {
			t.Errorf("%s: got %#v, want %#v", text, got, want)
		}
	}
	if got := pystr.Str([]any{json.Number("12345678901234567890")}); got != "[12345678901234567890]" {
		t.Error(got)
	}
}
