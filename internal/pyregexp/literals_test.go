package pyregexp_test

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/loquat-dev/loquat/internal/pyregexp"
)

// A list of texts is recognised and searched in its own way. Written so that it
// isn't recognised, the same pattern must find the same.
func TestLiteralsFindWhatTheExpressionFinds(t *testing.T) {
	texts := rapid.SampledFrom([]string{"a", "ab", "a b", "b", "-a", "a-", "ß", "É", "é a", "ſ", "K", "k", "ΟΣ", "c++", "."})
	message := rapid.StringOfN(rapid.RuneFrom([]rune("aAbB -+.ßẞéÉſsSkKKcοσςΟΣ\u0301")), 0, 20, -1)
	rapid.Check(t, func(t *rapid.T) {
		list := rapid.SliceOfN(texts, 1, 5).Draw(t, "texts")
		boundary := rapid.SampledFrom([]string{"", `\b`}).Draw(t, "boundary")
		flags := rapid.SampledFrom([]pyregexp.Flags{0, pyregexp.IgnoreCase}).Draw(t, "flags")
		s := message.Draw(t, "message")
		var parts []string
		for _, x := range list {
			parts = append(parts, boundary+pyregexp.Escape(x)+boundary)
		}
		pattern := "(" + strings.Join(parts, "|") + ")"
		got, want := find(t, pattern, flags, s), find(t, "(?:"+pattern+")", flags, s)
		if !slices.Equal(got, want) {
			t.Errorf("%s on %q: literals give %v, the expression %v", pattern, s, got, want)
		}
	})
}

func find(t *rapid.T, pattern string, flags pyregexp.Flags, s string) []pyregexp.Span {
	r, err := pyregexp.Compile(pattern, flags)
	if err != nil {
		t.Fatal(err)
	}
	spans, err := r.FindAll(pyregexp.NewText(s), 0)
	if err != nil {
		t.Fatal(err)
	}
	return spans
}
