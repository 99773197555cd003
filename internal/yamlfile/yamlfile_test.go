package yamlfile_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/yamlfile"
)

func parse(t *testing.T, text string) *yamlfile.Node {
	t.Helper()
	var problems diag.List
	n := yamlfile.Parse([]byte(text), "x.yml", &problems)
	if err := problems.Err(); err != nil {
		t.Fatalf("parse %q: %v", text, err)
	}
	return n
}

func TestScalarsFollowYAML12(t *testing.T) {
	t.Setenv("LOQUAT_TEST_HOST", "db.example")
	for text, want := range map[string]any{
		"yes": "yes", "on": "on", "012": int64(12), "1_000": int64(1000), "0o17": int64(15), "0x1F": int64(31),
		"1e3": 1000.0, ".5": 0.5, "-3": int64(-3), "True": true, "~": nil, `"1"`: "1",
		"2024-01-01": "2024-01-01", "1.2.3": "1.2.3",
		"http://${LOQUAT_TEST_HOST}/x": "http://db.example/x", `"${LOQUAT_TEST_HOST}"`: "${LOQUAT_TEST_HOST}",
		`\ud83d\ude00 hi`: "😀 hi",
	} {
		if diff := cmp.Diff(want, parse(t, "k: "+text).Get("k").Any()); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", text, diff)
		}
	}
}

func TestProblemsHavePlaces(t *testing.T) {
	for text, want := range map[string]string{
		"a: 1\nb: 2\na: 3\n":   `x.yml:3:1: the key "a" stands twice in one map [duplicate-key]` + "\n    hint: the first one is at x.yml:1:1",
		"a: ${LOQUAT_UNSET_X}": "x.yml:1:4: the environment variable LOQUAT_UNSET_X is not set [unset-variable]\n    hint: set it, or quote the value to use it as it stands",
		"a: b\x00":             "x.yml:1:5: the file is not UTF-8 text [invalid-encoding]\n    hint: save the file as UTF-8 text",
		"a: &x [*x]":           "x.yml:1:8: the alias *x refers to a value that contains it [yaml-alias-cycle]\n    hint: write the value out",
	} {
		var problems diag.List
		yamlfile.Parse([]byte(text), "x.yml", &problems)
		if err := problems.Err(); err == nil || err.Error() != want {
			t.Errorf("%q:\ngot  %v\nwant %s", text, err, want)
		}
	}
}

func TestMergeKeys(t *testing.T) {
	n := parse(t, "base: &b {x: 1, y: 2}\nd: {<<: *b, y: 3}\n")
	if diff := cmp.Diff(map[string]any{"x": int64(1), "y": int64(3)}, n.Get("d").Any()); diff != "" {
		t.Error(diff)
	}
}

func TestAliasesShareTheirValue(t *testing.T) {
	n := parse(t, "a: &a {x: [1, 2]}\nb: *a\n")
	if n.Get("b").Get("x") != n.Get("a").Get("x") || n.Get("b").Pos.Line != 2 {
		t.Error("an alias has a copy, or stands elsewhere")
	}
}

func FuzzParse(f *testing.F) {
	for _, text := range []string{
		"a: &x [1, *x]", "a: &a b\n? *a\n: c", "<<: [{a: 1}, {b: 2}]", "a: |\n  b\n c", "a: ${HOME}", "\\ud83d\\ude00", "--- a\n--- b", "a: !!str 1\nb: !x y", "[[[[", "a: 0x_\nb: 1e999\nc: -",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var problems diag.List
		n := yamlfile.Parse([]byte(text), "x.yml", &problems)
		if n == nil || n.IsNull() {
			return
		}
		if problems.HasErrors() {
			t.Errorf("a value beside the errors %v", problems.Err())
		}
		data, err := n.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		// What is written as JSON reads back as the same.
		again := yamlfile.Parse(data, "x.json", &problems)
		if err := problems.Err(); err != nil {
			t.Fatalf("%s: %v", data, err)
		}
		twice, _ := again.MarshalJSON()
		if string(twice) != string(data) {
			t.Errorf("first %s\nthen  %s", data, twice)
		}
	})
}
