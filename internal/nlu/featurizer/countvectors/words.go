package countvectors

import (
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/loquat-dev/loquat/internal/nlu"
	"github.com/loquat-dev/loquat/internal/pystr"
)

// text is an attribute's tokens as they are counted: prepared one by one and
// joined by spaces. Its buffers are used again and again.
type text struct {
	buf   []byte
	parts [][2]int // where each token lies in buf
	// spaced tells that some token may hold white space, or be empty.
	spaced bool
}

func (t *text) reset() { t.buf, t.parts, t.spaced = t.buf[:0], t.parts[:0], false }

func (t *text) part(i int) []byte { return t.buf[t.parts[i][0]:t.parts[i][1]] }

// preparer turns tokens into texts.
type preparer struct {
	lowercase bool
	lemma     bool
	accents   string // "ascii", "unicode" or ""
	oov       string // "" if there is none
	oovWords  map[string]bool
}

// prepare fills t with the tokens of an attribute. known is the vocabulary, nil
// while it is being learned.
func (p *preparer) prepare(t *text, a nlu.Attribute, tokens []nlu.Token, known *table) {
	t.reset()
	for i := range tokens {
		if i > 0 {
			t.buf = append(t.buf, ' ')
		}
		start := len(t.buf)
		word := tokens[i].Text
		if p.lemma {
			word = tokens[i].Lemma
		}
		t.buf = p.appendWord(t.buf, word, isLanguage(a))
		if p.oov != "" && p.unknown(t.buf[start:], known) {
			t.buf = append(t.buf[:start], p.oov...)
		}
		t.buf = p.finish(t.buf, start)
		t.parts = append(t.parts, [2]int{start, len(t.buf)})
		t.spaced = t.spaced || hasSpace(t.buf[start:])
	}
}

// hasSpace reports whether a word is empty or holds one of ASCII's white spaces.
func hasSpace(word []byte) bool {
	for _, c := range word {
		if c <= ' ' {
			return true
		}
	}
	return len(word) == 0
}

// isLanguage reports whether an attribute is running text rather than a label.
func isLanguage(a nlu.Attribute) bool {
	return a == nlu.Text || a == nlu.ResponseText || a == nlu.ActionText
}

// unknown reports whether a word is to be replaced by the token for unknown
// words: those that the vocabulary lacks if it knows that token, and otherwise
// those that the configuration lists.
func (p *preparer) unknown(word []byte, known *table) bool {
	if known != nil {
		if _, ok := known.index[p.oov]; ok {
			_, ok := known.find(word)
			return !ok
		}
	}
	return p.oovWords[string(word)]
}

// appendWord appends a word in the case that counts, numbers in running text
// replaced by one word.
func (p *preparer) appendWord(buf []byte, word string, language bool) []byte {
	ascii, digits := true, false
	for i := 0; i < len(word); i++ {
		ascii = ascii && word[i] < utf8.RuneSelf
		digits = digits || '0' <= word[i] && word[i] <= '9'
	}
	start := len(buf)
	if digits && language {
		buf = appendNumbers(buf, word)
	} else {
		buf = append(buf, word...)
	}
	switch {
	case !p.lowercase:
	case ascii:
		for i, c := range buf[start:] {
			if 'A' <= c && c <= 'Z' {
				buf[start+i] = c + 'a' - 'A'
			}
		}
	default:
		buf = append(buf[:start], pystr.Lower(string(buf[start:]))...)
	}
	return buf
}

// appendNumbers appends a word in which every run of the digits 0 to 9 that is a
// word of its own is replaced.
func appendNumbers(buf []byte, word string) []byte {
	before := ' '
	for i := 0; i < len(word); {
		r, size := utf8.DecodeRuneInString(word[i:])
		if r < '0' || r > '9' {
			buf = append(buf, word[i:i+size]...)
			before = r
			i += size
			continue
		}
		end := i
		for end < len(word) && '0' <= word[end] && word[end] <= '9' {
			end++
		}
		after, _ := utf8.DecodeRuneInString(word[end:])
		if !pystr.IsWord(before) && (end == len(word) || !pystr.IsWord(after)) {
			buf = append(buf, "__NUMBER__"...)
		} else {
			buf = append(buf, word[i:end]...)
		}
		before, i = '0', end
	}
	return buf
}

// finish removes accents from what was appended since start.
func (p *preparer) finish(buf []byte, start int) []byte {
	if p.accents == "" {
		return buf
	}
	word := string(buf[start:])
	buf = buf[:start]
	for _, r := range norm.NFKD.String(word) {
		switch {
		case p.accents == "ascii" && r >= utf8.RuneSelf:
		case r >= utf8.RuneSelf && isCombining(r):
		default:
			buf = utf8.AppendRune(buf, r)
		}
	}
	return buf
}

// isCombining reports whether a character has a combining class.
func isCombining(r rune) bool {
	return unicode.Is(unicode.M, r) && norm.NFKD.PropertiesString(string(r)).CCC() != 0
}
