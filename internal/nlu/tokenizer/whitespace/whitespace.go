// Package whitespace is Rasa's WhitespaceTokenizer: words are what stands between
// white space, without the punctuation around them, while web and e-mail
// addresses, hyphenated words, decimals and signed numbers stay whole.
package whitespace

import (
	"sync"
	"unicode/utf8"

	"github.com/loquat-dev/loquat/internal/graph"
	"github.com/loquat-dev/loquat/internal/nlu"
	"github.com/loquat-dev/loquat/internal/nlu/tokenizer"
)

// Type describes the component.
func Type() graph.Type {
	t := graph.Type{
		Name:         "WhitespaceTokenizer",
		ClassPath:    "rasa.nlu.tokenizers.whitespace_tokenizer.WhitespaceTokenizer",
		Kinds:        []graph.Kind{graph.Tokenizer},
		Version:      1,
		NotLanguages: []string{"zh", "ja", "th"},
		Check:        tokenizer.Check,
		Fns:          nlu.Fns(),
	}
	return graph.Define(t, tokenizer.Defaults(), func(env graph.Env, c tokenizer.Config, _ graph.Resource) (any, error) {
		return tokenizer.New(env, c, Split)
	})
}

// Split cuts a text into tokens.
//
// It does in one pass what Rasa 3.6 does by replacing matches of a regular
// expression with spaces and splitting there. At each place the first of three
// rules that applies makes a run of characters a gap ("sign" is any character
// but word characters and # @ &, so it can be white space):
//
//  1. signs up to the last white space among them, or to the end of the text
//  2. at the start or after white space: signs, up to the last of them that a
//     character other than white space and digits follows
//  3. after a character other than white space and digits: characters that are
//     signs and not part of a URL, up to the last that is followed likewise
func Split(text string) []nlu.Token {
	s := pool.Get().(*scanner)
	defer pool.Put(s)
	s.read(text)
	s.markGaps()
	return s.tokens(text)
}

var pool = sync.Pool{New: func() any { return new(scanner) }}

// scanner holds a text's characters by index: what kind they are, where they
// begin, and whether they belong to a gap between tokens.
type scanner struct {
	class []class
	from  []int32 // byte offset of each character, then the length of the text
}

func (s *scanner) read(text string) {
	s.class, s.from = s.class[:0], s.from[:0]
	for i := 0; i < len(text); {
		if c := text[i]; c < utf8.RuneSelf {
			s.class = append(s.class, asciiClass[c])
			s.from = append(s.from, int32(i))
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(text[i:])
		s.class = append(s.class, classify(r))
		s.from = append(s.from, int32(i))
		i += size
	}
	s.from = append(s.from, int32(len(text)))
}

// run remembers the run of signs around a place, so that a long one is looked at
// once: where it ends, its last white space, and its last other character.
type run struct{ end, lastSpace, lastOther int }

func (s *scanner) runAt(p int, kind class, r run) run {
	if p < r.end {
		return r
	}
	r = run{end: p, lastSpace: -1, lastOther: -1}
	for r.end < len(s.class) && s.class[r.end]&kind != 0 {
		if s.class[r.end]&white != 0 {
			r.lastSpace = r.end
		} else {
			r.lastOther = r.end
		}
		r.end++
	}
	return r
}

func (s *scanner) markGaps() {
	n := len(s.class)
	var signs, foreign run // foreign: signs that no URL contains
	for p := 0; p < n; {
		end := -1
		if s.class[p]&sign != 0 {
			signs = s.runAt(p, sign, signs)
			switch {
			case signs.end == n:
				end = n
			case signs.lastSpace > p:
				end = signs.lastSpace
			case s.class[p]&white != 0 && p+1 < n:
				end = s.leading(p+1, &signs)
			}
			if end < 0 && p == 0 {
				end = s.leading(0, &signs)
			}
			if end < 0 && p > 0 && s.class[p]&urlForeign != 0 && s.class[p-1]&(white|digit) == 0 {
				foreign = s.runAt(p, urlForeign, foreign)
				end = s.before(foreign, p)
			}
		}
		if end < 0 {
			p++
			continue
		}
		for ; p < end; p++ {
			s.class[p] |= gap
		}
	}
}

// leading applies the second rule to the signs that begin at p.
func (s *scanner) leading(p int, signs *run) int {
	if s.class[p]&sign == 0 {
		return -1
	}
	*signs = s.runAt(p, sign, *signs)
	return s.before(*signs, p)
}

// before gives the end of the longest part of a run, from p on, that is followed
// by a character other than white space and digits; -1 if there is none.
func (s *scanner) before(r run, p int) int {
	if r.end < len(s.class) && s.class[r.end]&(white|digit) == 0 {
		return r.end
	}
	if r.lastOther > p {
		return r.lastOther
	}
	return -1
}

// tokens collects what lies between gaps and white space, without words that are
// nothing but emoji. If nothing is left, the whole text is one token.
func (s *scanner) tokens(text string) []nlu.Token {
	count := 0
	s.words(func(int, int) { count++ })
	if count == 0 {
		return []nlu.Token{{Text: text, Start: 0, End: len(s.class), Lemma: text}}
	}
	out := make([]nlu.Token, 0, count)
	s.words(func(start, end int) {
		w := text[s.from[start]:s.from[end]]
		out = append(out, nlu.Token{Text: w, Start: start, End: end, Lemma: w})
	})
	return out
}

func (s *scanner) words(yield func(start, end int)) {
	for p := 0; p < len(s.class); {
		if s.class[p]&(gap|splits) != 0 {
			p++
			continue
		}
		start, all := p, emoji
		for ; p < len(s.class) && s.class[p]&(gap|splits) == 0; p++ {
			all &= s.class[p]
		}
		if all == 0 {
			yield(start, p)
		}
	}
}
