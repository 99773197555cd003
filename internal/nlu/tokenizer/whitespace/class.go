package whitespace

import (
	"strings"
	"unicode"
)

// class says what the rules need to know about a character.
type class uint8

const (
	sign       class = 1 << iota // neither a word character nor # @ &
	urlForeign                   // a sign that is not one of . _ ~ : / ? # [ ] ( ) @ ! $ & * + , ; = -
	white                        // white space of Unicode
	splits                       // where Python's split() splits: the same and U+001C to U+001F
	digit                        // 0 to 9
	emoji                        // in Rasa's emoji ranges
	gap                          // set while scanning: not part of a token
)

var asciiClass = func() (table [128]class) {
	for c := range table {
		table[c] = classify(rune(c))
	}
	return table
}()

func classify(r rune) class {
	var c class
	if !isWord(r) && r != '#' && r != '@' && r != '&' {
		c |= sign
		if !strings.ContainsRune("._~:/?#[]()@!$&*+,;=-", r) {
			c |= urlForeign
		}
	}
	if unicode.Is(unicode.White_Space, r) {
		c |= white | splits
	}
	if 0x1c <= r && r <= 0x1f {
		c |= splits
	}
	if '0' <= r && r <= '9' {
		c |= digit
	}
	if isEmoji(r) {
		c |= emoji
	}
	return c
}

// isWord follows the Python package regex, whose word characters are those of
// Unicode's annex 18: letters, marks, decimal digits, connectors and joiners.
func isWord(r rune) bool {
	if r < 0x80 {
		return r == '_' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
	}
	return unicode.In(r, unicode.L, unicode.M, unicode.Nd, unicode.Nl, unicode.Pc, unicode.Other_Alphabetic) ||
		r == 0x200c || r == 0x200d
}

// isEmoji has Rasa 3.6's ranges. The one from U+24C2 to U+1F251 is far too wide
// (it holds Chinese, Japanese and Korean) but projects depend on it.
func isEmoji(r rune) bool {
	switch {
	case 0x24c2 <= r && r <= 0x1f251,
		0x1f300 <= r && r <= 0x1f64f,
		0x1f680 <= r && r <= 0x1f6ff,
		r == 0x200c, r == 0x200d:
		return true
	}
	return 0x1f1e0 <= r && r <= 0x1f1ff || 0x2702 <= r && r <= 0x27b0
}
