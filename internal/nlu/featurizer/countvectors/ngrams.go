package countvectors

import (
	"unicode/utf8"

	"github.com/loquat-dev/loquat/internal/pystr"
)

// analyzer takes texts apart.
type analyzer struct {
	kind     string // "word", "char" or "char_wb"
	min, max int
	stop     map[string]bool
}

// additive reports whether the n-grams of a text are those of its tokens.
func (a *analyzer) additive() bool {
	return a.kind == "char_wb" || a.kind == "word" && a.max == 1
}

// grams are buffers for taking one text apart.
type grams struct {
	spans [][2]int // words, or characters, of the text
	buf   []byte
}

// each calls yield with every n-gram of the text, which is valid until the next.
func (a *analyzer) each(text []byte, g *grams, yield func(gram []byte)) {
	switch a.kind {
	case "word":
		a.words(text, g, yield)
	case "char":
		g.buf = collapse(g.buf[:0], text)
		a.characters(g, yield)
	default:
		for start := 0; start < len(text); {
			r, size := decode(text[start:])
			if pystr.IsSpace(r) {
				start += size
				continue
			}
			end := start
			for end < len(text) {
				r, size := decode(text[end:])
				if pystr.IsSpace(r) {
					break
				}
				end += size
			}
			g.buf = append(append(append(g.buf[:0], ' '), text[start:end]...), ' ')
			a.padded(g, yield)
			start = end
		}
	}
}

func decode(b []byte) (rune, int) {
	if b[0] < utf8.RuneSelf {
		return rune(b[0]), 1
	}
	return utf8.DecodeRune(b)
}

// words yields runs of word characters and, from two on, runs of such words.
func (a *analyzer) words(text []byte, g *grams, yield func([]byte)) {
	g.spans = g.spans[:0]
	for start := 0; start < len(text); {
		r, size := decode(text[start:])
		if !pystr.IsWord(r) {
			start += size
			continue
		}
		end := start + size
		for end < len(text) {
			r, size := decode(text[end:])
			if !pystr.IsWord(r) {
				break
			}
			end += size
		}
		if !a.stop[string(text[start:end])] {
			g.spans = append(g.spans, [2]int{start, end})
		}
		start = end
	}
	for n := a.min; n <= min(a.max, len(g.spans)); n++ {
		for i := 0; i+n <= len(g.spans); i++ {
			if n == 1 {
				yield(text[g.spans[i][0]:g.spans[i][1]])
				continue
			}
			g.buf = g.buf[:0]
			for j, s := range g.spans[i : i+n] {
				if j > 0 {
					g.buf = append(g.buf, ' ')
				}
				g.buf = append(g.buf, text[s[0]:s[1]]...)
			}
			yield(g.buf)
		}
	}
}

// collapse appends the text with every run of two or more spaces made one.
func collapse(out, text []byte) []byte {
	for i := 0; i < len(text); {
		r, size := decode(text[i:])
		end := i + size
		if pystr.IsSpace(r) {
			spaces := 1
			for end < len(text) {
				r, size := decode(text[end:])
				if !pystr.IsSpace(r) {
					break
				}
				spaces++
				end += size
			}
			if spaces > 1 {
				out = append(out, ' ')
				i = end
				continue
			}
		}
		out = append(out, text[i:end]...)
		i = end
	}
	return out
}

// locate finds the characters of g.buf.
func (g *grams) locate() {
	g.spans = g.spans[:0]
	for i := 0; i < len(g.buf); {
		_, size := decode(g.buf[i:])
		g.spans = append(g.spans, [2]int{i, i + size})
		i += size
	}
}

func (a *analyzer) characters(g *grams, yield func([]byte)) {
	g.locate()
	for n := a.min; n <= min(a.max, len(g.spans)); n++ {
		for i := 0; i+n <= len(g.spans); i++ {
			yield(g.buf[g.spans[i][0]:g.spans[i+n-1][1]])
		}
	}
}

// padded yields the n-grams of a word between spaces. One that is not longer
// than n is yielded whole, and that was the last n.
func (a *analyzer) padded(g *grams, yield func([]byte)) {
	g.locate()
	for n := a.min; n <= a.max; n++ {
		if n >= len(g.spans) {
			yield(g.buf)
			return
		}
		for i := 0; i+n <= len(g.spans); i++ {
			yield(g.buf[g.spans[i][0]:g.spans[i+n-1][1]])
		}
	}
}
