package nlu

import (
	"errors"
	"fmt"
	"strings"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/nludata"
	"github.com/loquat-dev/loquat/internal/pyregexp"
)

// Pattern is a named regular expression in Python's dialect.
type Pattern struct {
	Name    string        `json:"name"`
	Pattern string        `json:"pattern"`
	Pos     diag.Position `json:"-"` // where it is written, if that is known
}

// PatternSource says what patterns are made of.
type PatternSource struct {
	Regexes        bool
	Lookups        bool
	WordBoundaries bool // entries of lookup tables match whole words only
	// Names restricts the patterns to these names; nil means all.
	Names map[string]bool
}

// Patterns returns the regular expressions of the training data, then one
// pattern for each lookup table: any of its entries, taken literally.
func (s PatternSource) Patterns(data *nludata.TrainingData) []Pattern {
	var out []Pattern
	wanted := func(name string) bool { return s.Names == nil || s.Names[name] }
	if s.Regexes {
		for _, r := range data.Regexes {
			if wanted(r.Name) {
				out = append(out, Pattern{r.Name, r.Pattern, r.Pos})
			}
		}
	}
	if s.Lookups {
		for _, l := range data.Lookups {
			if wanted(l.Name) {
				out = append(out, Pattern{l.Name, s.alternation(l.Values), l.Pos})
			}
		}
	}
	return out
}

// alternation matches any of the values. Without any, it matches where a word
// begins or ends, or everywhere, as in Rasa.
func (s PatternSource) alternation(values []string) string {
	escaped := make([]string, len(values))
	for i, v := range values {
		escaped[i] = pyregexp.Escape(v)
	}
	if s.WordBoundaries {
		return `(\b` + strings.Join(escaped, `\b|\b`) + `\b)`
	}
	return "(" + strings.Join(escaped, "|") + ")"
}

// CompilePatterns compiles patterns. Its error holds a diag.Problem for each that
// is invalid.
func CompilePatterns(patterns []Pattern, caseSensitive bool) ([]*pyregexp.Regexp, error) {
	flags := pyregexp.IgnoreCase
	if caseSensitive {
		flags = 0
	}
	var problems diag.List
	compiled := make([]*pyregexp.Regexp, len(patterns))
	for i, p := range patterns {
		r, err := pyregexp.Compile(p.Pattern, flags)
		if err != nil {
			what := err.Error()
			if bad, ok := errors.AsType[*pyregexp.SyntaxError](err); ok {
				what = fmt.Sprintf("%s at character %d", bad.Message, bad.Offset+1)
			}
			problems.Errorf(p.Pos, "invalid-regex", "regular expressions are those of Python's module re", "regex %q is invalid: %s", p.Name, what)
		}
		compiled[i] = r
	}
	return compiled, problems.Err()
}
