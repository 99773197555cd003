package nlu

import (
	"strings"

	"github.com/loquat-dev/loquat/internal/nludata"
	"github.com/loquat-dev/loquat/internal/pyregexp"
)

// Pattern is a named regular expression in Python's dialect.
type Pattern struct {
	Name    string `json:"name"`
	Pattern string `json:"pattern"`
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
				out = append(out, Pattern{r.Name, r.Pattern})
			}
		}
	}
	if s.Lookups {
		for _, l := range data.Lookups {
			if wanted(l.Name) {
				out = append(out, Pattern{l.Name, s.alternation(l.Values)})
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
