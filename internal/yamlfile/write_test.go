package yamlfile_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/yamlfile"
)

// Any value is written so that it reads back the same, kind by kind.
func TestValuesAreReadBackTheSame(t *testing.T) {
	text := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{
		"", "null", "True", "no", "1", "1.5", "2024-01-01", "a: b", "a #b", "- a", "${HOME}", `\u0041`, "[", "{", "é", " a", "a ", "a  b", "~", "!x", "&x", "*x", "|", ">", "%", "@", "`", "a\r\nb", "\x00", "\u2028",
	}))
	var value func(depth int) *rapid.Generator[any]
	value = func(depth int) *rapid.Generator[any] {
		scalars := []*rapid.Generator[any]{
			rapid.Just[any](nil), rapid.Map(rapid.Bool(), func(b bool) any { return b }), rapid.Map(rapid.Int64(), func(i int64) any { return i }),
			rapid.Map(rapid.Float64(), func(f float64) any { return f }), rapid.Map(text, func(s string) any { return s }),
		}
		if depth > 0 {
			scalars = append(scalars,
				rapid.Map(rapid.SliceOfN(value(depth-1), 0, 3), func(l []any) any { return l }),
				rapid.Map(rapid.MapOfN(text, value(depth-1), 0, 3), func(m map[string]any) any { return m }))
		}
		return rapid.OneOf(scalars...)
	}
	rapid.Check(t, func(t *rapid.T) {
		want := yamlfile.Of(map[string]any{"key": value(3).Draw(t, "value")})
		data := yamlfile.File(want.YAML(0))
		var problems diag.List
		got := yamlfile.Parse(data, "x.yml", &problems)
		if err := problems.Err(); err != nil {
			t.Fatalf("%v in\n%s", err, data)
		}
		a, _ := want.MarshalJSON()
		b, _ := got.MarshalJSON()
		if string(a) != string(b) {
			t.Fatalf("got  %s\nwant %s\nin\n%s", b, a, data)
		}
	})
}

// What came over a network learns nothing about the environment.
func TestForeignTextDoesNotReadTheEnvironment(t *testing.T) {
	t.Setenv("LOQUAT_TEST_SECRET", "secret")
	var problems diag.List
	root := yamlfile.ParseForeign([]byte("a: ${LOQUAT_TEST_SECRET}\nb: $LOQUAT_TEST_SECRET ${LOQUAT_TEST_UNSET}\nc: 1\nd: ["), "body", &problems)
	if root != nil || !problems.HasErrors() {
		t.Error("broken YAML was read")
	}
	problems = diag.List{}
	root = yamlfile.ParseForeign([]byte("a: ${LOQUAT_TEST_SECRET}\nb: $LOQUAT_TEST_SECRET ${LOQUAT_TEST_UNSET}\nc: 1"), "body", &problems)
	data, err := root.MarshalJSON()
	if want := `{"a":"${LOQUAT_TEST_SECRET}","b":"$LOQUAT_TEST_SECRET ${LOQUAT_TEST_UNSET}","c":1}`; err != nil || string(data) != want || problems.HasErrors() {
		t.Errorf("got %s (%v, %v), want %s", data, err, problems.All(), want)
	}
}
