// Package pystr has the methods of Python's str whose results projects can see:
// they decide about features, keywords and synonyms, and differ from Go's in
// corners that do occur, such as the Greek final sigma and superscript digits. It
// also prints and judges values as Python does, which shows in what assistants
// say. Reference: Python 3.11.
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
	return string(AppendLower(make([]byte, 0, len(s)+8), s))
}

// AppendLower appends s.lower() to dst.
func AppendLower(dst []byte, s string) []byte {
	for i, r := range s {
		switch r {
		case 'İ':
			dst = append(dst, "i\u0307"...)
		case 'Σ':
			dst = utf8.AppendRune(dst, lowerSigma(s, i))
		default:
			dst = utf8.AppendRune(dst, unicode.ToLower(r))
		}
	}
	return dst
}

// First is s[:n], the first n code points.
func First(s string, n int) string {
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}

// Last is s[-n:], the last n code points, for n greater than 0.
func Last(s string, n int) string {
	at := len(s)
	for ; n > 0 && at > 0; n-- {
		_, size := utf8.DecodeLastRuneInString(s[:at])
		at -= size
	}
	return s[at:]
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

func isLower(r rune) bool {
	if r < utf8.RuneSelf {
		return 'a' <= r && r <= 'z'
	}
	return unicode.IsLower(r) || unicode.Is(unicode.Other_Lowercase, r)
}

func isUpper(r rune) bool {
	if r < utf8.RuneSelf {
		return 'A' <= r && r <= 'Z'
	}
	return unicode.IsUpper(r) || unicode.Is(unicode.Other_Uppercase, r)
}

func isDigit(r rune) bool {
	if r < utf8.RuneSelf {
		return '0' <= r && r <= '9'
	}
	return unicode.Is(unicode.Nd, r) || unicode.Is(otherDigits, r)
}

func isCased(r rune) bool { return isLower(r) || isUpper(r) || unicode.IsTitle(r) }

// Case says how a string is written.
type Case struct {
	Lower bool // islower(): there is a letter with case, and all such are lower
	Upper bool // isupper(): there is a letter with case, and all such are upper
	Title bool // istitle(): upper case begins every run of letters with case, and lower case continues it
	Digit bool // isdigit(): nothing but digits, including superscripts and digits in circles
}

// CaseOf looks at a string once.
func CaseOf(s string) Case {
	c := Case{Digit: s != ""}
	lower, upper, title := false, false, true // occur; hold so far
	inside := false                           // a run of letters with case
	for _, r := range s {
		c.Digit = c.Digit && isDigit(r)
		switch {
		case isLower(r):
			title = title && inside
			lower, inside = true, true
		case isUpper(r):
			title = title && !inside
			upper, inside = true, true
		case unicode.IsTitle(r):
			title = title && !inside
			lower, upper, inside = true, true, true // neither all lower nor all upper
		default:
			inside = false
		}
	}
	c.Lower, c.Upper, c.Title = lower && !upper, upper && !lower, title && upper
	return c
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
