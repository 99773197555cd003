package pyregexp

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"unicode"
)

// A set is a set of code points: sorted ranges that neither overlap nor touch,
// as pairs of first and last.
type set [][2]rune

const maxRune = unicode.MaxRune

func (s set) normal() set {
	if len(s) < 2 {
		return s
	}
	s = slices.Clone(s)
	slices.SortFunc(s, func(a, b [2]rune) int { return int(a[0]) - int(b[0]) })
	out := s[:1]
	for _, r := range s[1:] {
		last := &out[len(out)-1]
		if r[0] <= last[1]+1 {
			last[1] = max(last[1], r[1])
		} else {
			out = append(out, r)
		}
	}
	return out
}

func (s set) not() set {
	var out set
	next := rune(0)
	for _, r := range s.normal() {
		if r[0] > next {
			out = append(out, [2]rune{next, r[0] - 1})
		}
		next = r[1] + 1
	}
	if next <= maxRune {
		out = append(out, [2]rune{next, maxRune})
	}
	return out
}

// folded adds to a set what Python takes for the same letters in other case.
func (s set) folded() set {
	out := slices.Clone(s)
	for _, f := range caseVariants() {
		for _, r := range s {
			if r[0] <= f.letter && f.letter <= r[1] {
				for _, v := range f.variants {
					out = append(out, [2]rune{v, v})
				}
				break
			}
		}
	}
	return out.normal()
}

// nothing matches no character, in either engine.
const nothing = `[^\x00-\x{10FFFF}]`

// expr writes the set so that both engines read it the same way.
func (s set) expr() string {
	if m := s.members(); m != "" {
		return "[" + m + "]"
	}
	return nothing
}

// members is expr without brackets.
func (s set) members() string {
	var b strings.Builder
	for _, r := range s.normal() {
		for _, part := range withoutSurrogates(r) {
			writeRune(&b, part[0])
			if part[1] > part[0] {
				b.WriteByte('-')
				writeRune(&b, part[1])
			}
		}
	}
	return b.String()
}

// withoutSurrogates cuts out the code points that no Go string can hold.
func withoutSurrogates(r [2]rune) [][2]rune {
	const first, last = 0xD800, 0xDFFF
	if r[1] < first || r[0] > last {
		return [][2]rune{r}
	}
	var out [][2]rune
	if r[0] < first {
		out = append(out, [2]rune{r[0], first - 1})
	}
	if r[1] > last {
		out = append(out, [2]rune{last + 1, r[1]})
	}
	return out
}

// writeRune writes one code point of a set or of the pattern itself.
func writeRune(b *strings.Builder, r rune) {
	switch {
	case r < 0x20 || r == 0x7f:
		fmt.Fprintf(b, `\x%02x`, r)
	case r < 0x80 && !isASCIIWord(r) && r != ' ':
		b.WriteByte('\\')
		b.WriteRune(r)
	default:
		b.WriteRune(r)
	}
}

func isASCIIWord(r rune) bool {
	return r == '_' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
}

var (
	asciiDigits = set{{'0', '9'}}
	asciiWord   = set{{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}}
	asciiSpace  = set{{'\t', '\r'}, {' ', ' '}}

	// White space of Python's str: that of Unicode and the four separators of ASCII.
	unicodeSpace = set{{'\t', '\r'}, {0x1c, ' '}, {0x85, 0x85}, {0xa0, 0xa0}, {0x1680, 0x1680},
		{0x2000, 0x200a}, {0x2028, 0x2029}, {0x202f, 0x202f}, {0x205f, 0x205f}, {0x3000, 0x3000}}

	unicodeDigits = sync.OnceValue(func() set { return fromTables(unicode.Nd) })
	unicodeWord   = sync.OnceValue(func() set { return append(fromTables(unicode.L, unicode.N), [2]rune{'_', '_'}).normal() })
)

func fromTables(tables ...*unicode.RangeTable) set {
	var out set
	add := func(lo, hi, stride rune) {
		if stride == 1 {
			out = append(out, [2]rune{lo, hi})
			return
		}
		for r := lo; r <= hi; r += stride {
			out = append(out, [2]rune{r, r})
		}
	}
	for _, t := range tables {
		for _, r := range t.R16 {
			add(rune(r.Lo), rune(r.Hi), rune(r.Stride))
		}
		for _, r := range t.R32 {
			add(rune(r.Lo), rune(r.Hi), rune(r.Stride))
		}
	}
	return out.normal()
}

// category gives the set of \d, \s or \w, or of the complement for \D, \S, \W.
func category(c byte, ascii bool) set {
	var s set
	switch c | 0x20 {
	case 'd':
		s = asciiDigits
		if !ascii {
			s = unicodeDigits()
		}
	case 's':
		s = asciiSpace
		if !ascii {
			s = unicodeSpace
		}
	case 'w':
		s = asciiWord
		if !ascii {
			s = unicodeWord()
		}
	}
	if c < 'a' {
		return s.not()
	}
	return s
}

// categoryMembers writes \d and its like for use inside of brackets, alone
// there if it is a complement.
func categoryMembers(c byte, ascii bool) string {
	if ascii || c|0x20 == 's' {
		return category(c, ascii).members()
	}
	switch c {
	case 'd':
		return `\p{Nd}`
	case 'D':
		return `^\p{Nd}`
	case 'w':
		return `\p{L}\p{N}_`
	default:
		return `^\p{L}\p{N}_`
	}
}

// caseVariant is a letter that has others which Python takes for the same when
// case is ignored.
type caseVariant struct {
	letter   rune
	variants []rune
}

// caseVariants lists all such letters. Two letters are the same for Python if
// their simple lower-case forms are, or have the same simple upper-case form
// (σ and ς; i and ı).
var caseVariants = sync.OnceValue(func() []caseVariant {
	byKey := map[rune][]rune{}
	for _, r := range fromTables(unicode.L, unicode.M, unicode.Nl, unicode.So) {
		for c := r[0]; c <= r[1]; c++ {
			key := unicode.ToUpper(unicode.ToLower(c))
			if key != c || unicode.ToLower(c) != c {
				byKey[key] = append(byKey[key], c)
				if !slices.Contains(byKey[key], key) {
					byKey[key] = append(byKey[key], key)
				}
			}
		}
	}
	var out []caseVariant
	for _, class := range byKey {
		slices.Sort(class)
		class = slices.Compact(class)
		if len(class) < 2 {
			continue
		}
		for i, c := range class {
			others := slices.Concat(class[:i], class[i+1:])
			out = append(out, caseVariant{c, others})
		}
	}
	slices.SortFunc(out, func(a, b caseVariant) int { return int(a.letter) - int(b.letter) })
	return out
})

func variantsOf(r rune) []rune {
	all := caseVariants()
	i, found := slices.BinarySearchFunc(all, r, func(v caseVariant, r rune) int { return int(v.letter) - int(r) })
	if !found {
		return nil
	}
	return all[i].variants
}
