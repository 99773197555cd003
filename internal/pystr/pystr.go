// Package pystr has the methods of Python's str whose results projects can see:
// they decide about features, keywords and synonyms, and differ from Go's in
// corners that do occur, such as the Greek final sigma and superscript digits.
// Reference: Python 3.11.
package pystr

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Lower is s.lower().
func Lower(s string) string {
	if isASCII(s) {
		return strings.ToLower(s) // allocates only if there is something to change
	}
	var b strings.Builder
	b.Grow(len(s))
	for i, r := range s {
		switch r {
		case 'İ':
			b.WriteString("i\u0307")
		case 'Σ':
			b.WriteRune(lowerSigma(s, i))
		default:
			b.WriteRune(unicode.ToLower(r))
		}
	}
	return b.String()
}

// lowerSigma chooses between σ and the ς of word ends: after a letter with case
// and not before one, characters that case ignores aside.
func lowerSigma(s string, at int) rune {
	before := s[:at]
	for {
		r, size := utf8.DecodeLastRuneInString(before)
		if size == 0 || !ignoredByCase(r) && !isCased(r) {
			return 'σ'
		}
		if !ignoredByCase(r) {
			break
		}
		before = before[:len(before)-size]
	}
	for _, r := range s[at+len("Σ"):] {
		if !ignoredByCase(r) {
			if isCased(r) {
				return 'σ'
			}
			break
		}
	}
	return 'ς'
}

func ignoredByCase(r rune) bool {
	return strings.ContainsRune("'.:·’\u00ad^`¨¯´¸", r) || unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf, unicode.Lm, unicode.Sk)
}

func isASCII(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func isLower(r rune) bool { return unicode.IsLower(r) || unicode.Is(unicode.Other_Lowercase, r) }
func isUpper(r rune) bool { return unicode.IsUpper(r) || unicode.Is(unicode.Other_Uppercase, r) }
func isCased(r rune) bool { return isLower(r) || isUpper(r) || unicode.IsTitle(r) }

// IsLower is s.islower(): there is a letter with case, and all such are lower.
func IsLower(s string) bool {
	cased := false
	for _, r := range s {
		if isUpper(r) || unicode.IsTitle(r) {
			return false
		}
		cased = cased || isLower(r)
	}
	return cased
}

// IsUpper is s.isupper(): there is a letter with case, and all such are upper.
func IsUpper(s string) bool {
	cased := false
	for _, r := range s {
		if isLower(r) || unicode.IsTitle(r) {
			return false
		}
		cased = cased || isUpper(r)
	}
	return cased
}

// IsTitle is s.istitle(): upper case begins every run of letters with case, and
// nothing but lower case continues it.
func IsTitle(s string) bool {
	cased, inside := false, false
	for _, r := range s {
		switch {
		case isUpper(r) || unicode.IsTitle(r):
			if inside {
				return false
			}
			inside, cased = true, true
		case isLower(r):
			if !inside {
				return false
			}
			cased = true
		default:
			inside = false
		}
	}
	return cased
}

// IsDigit is s.isdigit(): nothing but digits, including superscripts and digits
// in circles.
func IsDigit(s string) bool {
	for _, r := range s {
		if !unicode.Is(unicode.Nd, r) && !unicode.Is(otherDigits, r) {
			return false
		}
	}
	return s != ""
}

// IsWord reports whether re's \w matches the character.
func IsWord(r rune) bool {
	if r < utf8.RuneSelf {
		return r == '_' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
	}
	return unicode.IsLetter(r) || unicode.Is(unicode.N, r)
}

// IsSpace reports whether split() and re's \s take the character for white space.
func IsSpace(r rune) bool {
	return unicode.Is(unicode.White_Space, r) || 0x1c <= r && r <= 0x1f
}

// Strip is s.strip().
func Strip(s string) string { return strings.TrimFunc(s, IsSpace) }

// otherDigits are digits that are not decimal: numeric type Digit in Unicode.
var otherDigits = &unicode.RangeTable{
	R16: []unicode.Range16{
		{0x00b2, 0x00b3, 1},
		{0x00b9, 0x00b9, 1},
		{0x1369, 0x1371, 1},
		{0x19da, 0x19da, 1},
		{0x2070, 0x2070, 1},
		{0x2074, 0x2079, 1},
		{0x2080, 0x2089, 1},
		{0x2460, 0x2468, 1},
		{0x2474, 0x247c, 1},
		{0x2488, 0x2490, 1},
		{0x24ea, 0x24ea, 1},
		{0x24f5, 0x24fd, 1},
		{0x24ff, 0x24ff, 1},
		{0x2776, 0x277e, 1},
		{0x2780, 0x2788, 1},
		{0x278a, 0x2792, 1},
	},
	R32: []unicode.Range32{
		{0x10a40, 0x10a43, 1},
		{0x10e60, 0x10e68, 1},
		{0x11052, 0x1105a, 1},
		{0x1f100, 0x1f10a, 1},
	},
	LatinOffset: 2,
}
