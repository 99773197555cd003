package pyregexp_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/loquat-dev/loquat/internal/pyregexp"
)

// The expected values were printed by Python 3.11:
// [m.span() for m in re.finditer(pattern, text, flags)].
func TestFindAllAgreesWithPython(t *testing.T) {
	for _, c := range findAllCases {
		r, err := pyregexp.Compile(c.pattern, c.flags)
		if err != nil {
			t.Errorf("%q: %v", c.pattern, err)
			continue
		}
		spans, err := r.FindAll(pyregexp.NewText(c.text), 0)
		if err != nil {
			t.Errorf("%q on %q: %v", c.pattern, c.text, err)
		}
		got := ""
		for _, s := range spans {
			got += fmt.Sprintf("%d-%d ", s.Start, s.End)
		}
		if got = strings.TrimSpace(got); got != c.want {
			t.Errorf("%q on %q: got %s, want %s", c.pattern, c.text, got, c.want)
		}
	}
}

func TestInvalidPatternsAreRefused(t *testing.T) {
	for _, p := range []string{"(", ")", "[", "[z-a]", "*a", "a**", `\y`, `\1`, "(?P<n>a)(?P<n>b)", "(?P=x)", "a{3,2}", "x(?i)", `\`, "(?<n>a)", "(?z)", `\N{DIGIT ONE}`} {
		if _, err := pyregexp.Compile(p, 0); err == nil {
			t.Errorf("%q was accepted", p)
		} else if _, ok := errors.AsType[*pyregexp.SyntaxError](err); !ok {
			t.Errorf("%q: %v is no SyntaxError", p, err)
		}
	}
}

func TestTimeLimitStopsCatastrophicPatterns(t *testing.T) {
	r, err := pyregexp.Compile(`^(\w+\s?)*(?=!)$`, 0)
	if err != nil {
		t.Fatal(err)
	}
	text := pyregexp.NewText(strings.Repeat("aaaa ", 30) + "?")
	if _, err := r.FindAll(text, 0); !errors.Is(err, pyregexp.ErrTimeLimit) {
		t.Errorf("got %v, want the time limit", err)
	}
	for range 10 { // patterns share a limit for each text
		if _, err := r.FindAll(text, 0); !errors.Is(err, pyregexp.ErrTimeLimit) {
			t.Errorf("got %v, want the time limit", err)
		}
	}
	// RE2 needs no limit for the same without look-ahead.
	r, err = pyregexp.Compile(`^(\w+\s?)+!$`, 0)
	if err != nil {
		t.Fatal(err)
	}
	if spans, err := r.FindAll(text, 0); err != nil || spans != nil {
		t.Errorf("got %v, %v", spans, err)
	}
}

func TestGroupsAndCut(t *testing.T) {
	r, err := pyregexp.Compile(`(\d+)(am|pm)?`, 0)
	if err != nil {
		t.Fatal(err)
	}
	text := pyregexp.NewText("ü 10pm, 7")
	spans, err := r.FindAll(text, 2)
	if err != nil || len(spans) != 2 || text.Cut(spans[0]) != "pm" || spans[1] != (pyregexp.Span{-1, -1}) {
		t.Errorf("got %v, %v", spans, err)
	}
}

func TestEscape(t *testing.T) {
	if got, want := pyregexp.Escape("St. Louis (C++) a-b_é"), `St\.\ Louis\ \(C\+\+\)\ a\-b_é`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func FuzzCompileAndFind(f *testing.F) {
	for _, c := range findAllCases {
		f.Add(c.pattern, c.text)
	}
	f.Fuzz(func(t *testing.T, pattern, text string) {
		r, err := pyregexp.Compile(pattern, 0)
		if err != nil {
			return
		}
		n := len([]rune(text))
		spans, _ := r.FindAll(pyregexp.NewText(text), 0)
		for _, s := range spans {
			if s.Start < 0 || s.End < s.Start || s.End > n {
				t.Errorf("%q on %q: %v", pattern, text, s)
			}
		}
	})
}
