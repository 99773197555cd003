package keyword

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/loquat-dev/loquat/internal/pyregexp"
)

// finder looks for keywords between word boundaries. Those without special
// characters, which are nearly all, are found together.
type finder struct {
	keywords []Keyword
	plain    *pyregexp.Literals
	at       []int // keyword number of each plain text
	regex    []expression
	// literal lists the keywords that are no valid regular expression.
	literal []string
}

type expression struct {
	keyword int
	regexp  *pyregexp.Regexp
}

func newFinder(keywords []Keyword, caseSensitive bool) *finder {
	flags := pyregexp.IgnoreCase
	if caseSensitive {
		flags = 0
	}
	f := &finder{keywords: keywords}
	var texts []string
	for i, w := range keywords {
		if !strings.ContainsAny(w.Text, `()[]{}?*+|^$\.`) {
			texts = append(texts, w.Text)
			f.at = append(f.at, i)
			continue
		}
		r, err := pyregexp.Compile(`\b`+w.Text+`\b`, flags)
		if err != nil {
			f.literal = append(f.literal, w.Text)
			texts = append(texts, w.Text)
			f.at = append(f.at, i)
			continue
		}
		f.regex = append(f.regex, expression{i, r})
	}
	f.plain = pyregexp.NewLiterals(texts, true, flags)
	return f
}

// first returns the number of the first keyword that occurs in the text. The
// error tells about keywords that were given up; the others still count.
func (f *finder) first(s string) (keyword int, found bool, err error) {
	text := pyregexp.NewText(s)
	if i, ok := f.plain.First(text); ok {
		keyword, found = f.at[i], true
	}
	var errs []error
	for _, e := range f.regex {
		if found && e.keyword > keyword {
			break
		}
		_, ok, err := e.regexp.Find(text)
		if err != nil {
			errs = append(errs, fmt.Errorf("keyword %q: %w", f.keywords[e.keyword].Text, err))
		}
		if ok {
			return e.keyword, true, errors.Join(errs...)
		}
	}
	return keyword, found, errors.Join(errs...)
}

// contained tells for each keyword whether it occurs in one of another intent.
func (f *finder) contained(keywords []Keyword) []bool {
	same := map[int][]int{} // keywords that are the same but for case, by the place of the first
	for _, k := range f.at {
		p := f.plain.Place(keywords[k].Text)
		same[p] = append(same[p], k)
	}
	out := make([]bool, len(keywords))
	stopped := map[int]bool{} // one that took too long on a keyword is contained in none
	for _, w := range keywords {
		text := pyregexp.NewText(w.Text)
		for start := range utf8.RuneCountInString(w.Text) {
			f.plain.Each(text, start, func(place int) {
				for _, k := range same[place] {
					out[k] = out[k] || keywords[k].Intent != w.Intent
				}
			})
		}
		for _, e := range f.regex {
			if out[e.keyword] || stopped[e.keyword] || keywords[e.keyword].Intent == w.Intent {
				continue
			}
			_, ok, err := e.regexp.Find(text)
			out[e.keyword], stopped[e.keyword] = ok, err != nil
		}
	}
	return out
}
