package wordpiece

import (
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// text adds the pieces of text[from:to], which has no special ones.
func (w *writer) text(text string, from, to int) {
	for i := from; i < to && !w.full; {
		r, size := utf8.DecodeRuneInString(text[i:to])
		w.rune(r, text[i:i+size], i, i+size)
		i += size
	}
	w.flush()
}

// rune takes one character of the text, which lies at start..end there.
func (w *writer) rune(r rune, text string, start, end int) {
	switch {
	case r < utf8.RuneSelf && r >= ' ' && r != 0x7f:
		if w.options.Lowercase && 'A' <= r && r <= 'Z' {
			r += 'a' - 'A'
		}
		w.plain(r, start, end)
	case r == utf8.RuneError || isControl(r):
		// Not part of the text, and no end of a word either.
	case w.options.SplitHan && isHan(r):
		w.flush()
		w.decomposed(r, text, start, end)
		w.flush()
	default:
		w.decomposed(r, text, start, end)
	}
}

// decomposed takes a character apart and leaves its accents out, if the
// vocabulary has none.
func (w *writer) decomposed(r rune, text string, start, end int) {
	if !w.options.StripAccents {
		w.lower(r, start, end)
		return
	}
	if hangulFirst <= r && r <= hangulLast {
		r -= hangulFirst
		w.lower(0x1100+r/(21*28), start, end)
		w.lower(0x1161+r%(21*28)/28, start, end)
		if tail := r % 28; tail != 0 {
			w.lower(0x11a7+tail, start, end)
		}
		return
	}
	parts := norm.NFD.PropertiesString(text).Decomposition()
	if parts == nil {
		w.unaccented(r, start, end)
		return
	}
	for len(parts) > 0 {
		part, size := utf8.DecodeRune(parts)
		w.unaccented(part, start, end)
		parts = parts[size:]
	}
}

// Korean syllables are taken apart by arithmetic. Source: The Unicode Standard,
// section 3.12.
const hangulFirst, hangulLast = 0xac00, 0xd7a3

func (w *writer) unaccented(r rune, start, end int) {
	if !unicode.Is(unicode.Mn, r) {
		w.lower(r, start, end)
	}
}

func (w *writer) lower(r rune, start, end int) {
	if w.options.Lowercase {
		r = unicode.ToLower(r)
	}
	w.plain(r, start, end)
}

// plain takes a character that is as the vocabulary wants it.
func (w *writer) plain(r rune, start, end int) {
	switch {
	case unicode.IsSpace(r):
		w.flush()
	case isPunctuation(r):
		w.flush()
		w.word.add(r, start, end)
		w.flush()
	default:
		w.word.add(r, start, end)
	}
}

// isControl tells of control and format characters, and of those that are
// private or not assigned, except white space.
func isControl(r rune) bool {
	if r == '\t' || r == '\n' || r == '\r' {
		return false
	}
	return !unicode.In(r, unicode.L, unicode.M, unicode.N, unicode.P, unicode.S, unicode.Z)
}

// isPunctuation tells of punctuation, to which BERT counts every ASCII symbol.
func isPunctuation(r rune) bool {
	if r < utf8.RuneSelf {
		return '!' <= r && r <= '/' || ':' <= r && r <= '@' || '[' <= r && r <= '`' || '{' <= r && r <= '~'
	}
	return unicode.IsPunct(r)
}

// isHan tells of the blocks of Chinese characters that BERT takes apart.
func isHan(r rune) bool {
	return 0x4e00 <= r && r <= 0x9fff || 0x3400 <= r && r <= 0x4dbf || 0xf900 <= r && r <= 0xfaff ||
		0x20000 <= r && r <= 0x2a6df || 0x2a700 <= r && r <= 0x2b81f || 0x2b820 <= r && r <= 0x2ceaf ||
		0x2f800 <= r && r <= 0x2fa1f
}

// word is the word being read, with its place in the text. It has no more than
// maxWord characters; a longer one is unknown.
type word struct {
	text       [maxWord * utf8.UTFMax]byte
	ends       [maxWord]int16 // where a character ends in text
	start, end [maxWord]int32 // where it is in the text that is read
	n          int            // characters
	last       int32          // where the word ends in the text that is read
	tooLong    bool
}

const maxWord = 100

func (w *word) add(r rune, start, end int) {
	w.last = int32(end)
	if w.n == maxWord {
		w.tooLong = true
		return
	}
	at := w.offset(w.n)
	w.ends[w.n] = int16(at + utf8.EncodeRune(w.text[at:], r))
	w.start[w.n], w.end[w.n] = int32(start), int32(end)
	w.n++
}

// offset is where character i begins in text, and character i−1 ends.
func (w *word) offset(i int) int {
	if i == 0 {
		return 0
	}
	return int(w.ends[i-1])
}

func (w *word) reset() { w.n, w.tooLong = 0, false }
