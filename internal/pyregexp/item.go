package pyregexp

import (
	"fmt"
	"strconv"
	"strings"
)

// item reads one thing that can be repeated, or an anchor, which can't. It
// returns the length of the shortest text that it matches.
func (t *translator) item() (width int, repeatable bool) {
	c := t.in[t.at]
	switch c {
	case '(':
		return t.group()
	case '[':
		t.at++
		t.bracket()
		return 1, true
	case '\\':
		return t.escape()
	case '.':
		t.at++
		if t.has(DotAll) {
			t.emit(`[\x00-` + string(rune(maxRune)) + `]`)
		} else {
			t.emit(`[^\n]`)
		}
		return 1, true
	case '^':
		t.at++
		if t.has(MultiLine) {
			t.emit(`(?m:^)`)
		} else {
			t.emit(`\A`)
		}
		return 0, false
	case '$':
		t.at++
		if t.has(MultiLine) {
			t.emit(`(?m:$)`)
		} else {
			t.fast.WriteString(`\z`)
			t.slow.WriteString(`(?=\n?\z)`)
			t.dollar = true
		}
		return 0, false
	}
	t.at++
	t.literal(c)
	return 1, true
}

// escape reads \ and what follows outside of brackets.
func (t *translator) escape() (width int, repeatable bool) {
	if t.at+1 >= len(t.in) {
		t.fail("bad escape (end of pattern)")
	}
	c := t.in[t.at+1]
	switch {
	case c == 'A':
		t.at += 2
		t.emit(`\A`)
		return 0, false
	case c == 'Z':
		t.at += 2
		t.emit(`\z`)
		return 0, false
	case c == 'b' || c == 'B':
		t.at += 2
		t.boundary(c == 'b')
		return 0, false
	case strings.ContainsRune("dDsSwW", c):
		t.at += 2
		t.category(byte(c))
		return 1, true
	case '1' <= c && c <= '9' && !t.octalAhead():
		t.at++
		number := t.digits()
		if len(number) > 2 {
			t.at -= len(number) - 2
			number = number[:2]
		}
		n, _ := strconv.Atoi(number)
		t.backReference(n)
		return 0, true
	}
	t.literal(t.character())
	return 1, true
}

// category emits \d and its like. RE2 gets the ASCII form, which is shorter and
// faster, with the remark that it holds for ASCII texts.
func (t *translator) category(c byte) {
	ascii := t.has(ASCII)
	t.slow.WriteString("[" + categoryMembers(c, ascii) + "]")
	if ascii || c|0x20 == 's' {
		t.fast.WriteString("[" + categoryMembers(c, ascii) + "]")
		return
	}
	t.fast.WriteString(category(c, true).expr())
	t.asciiOnly = true
}

func (t *translator) boundary(want bool) {
	word := "[" + categoryMembers('w', t.has(ASCII)) + "]"
	if want {
		t.fast.WriteString(`\b`)
		fmt.Fprintf(&t.slow, `(?:(?<=%[1]s)(?!%[1]s)|(?<!%[1]s)(?=%[1]s))`, word)
	} else {
		t.fast.WriteString(`\B`)
		fmt.Fprintf(&t.slow, `(?:(?<=%[1]s)(?=%[1]s)|(?<!%[1]s)(?!%[1]s))`, word)
	}
	t.asciiOnly = t.asciiOnly || !t.has(ASCII)
}

func (t *translator) backReference(n int) {
	if n > t.groups {
		t.fail("invalid group reference %d", n)
	}
	if t.open[n] {
		t.fail("cannot refer to an open group")
	}
	if t.has(IgnoreCase) {
		t.slowOnly(fmt.Sprintf(`(?i:\%d)`, n))
	} else {
		t.slowOnly(fmt.Sprintf(`(?:\%d)`, n))
	}
}

// octalAhead reports whether \ is followed by three octal digits, which are a
// character rather than a group.
func (t *translator) octalAhead() bool {
	if t.at+3 >= len(t.in) {
		return false
	}
	for _, c := range t.in[t.at+1 : t.at+4] {
		if c < '0' || c > '7' {
			return false
		}
	}
	return true
}

// character reads an escape that stands for one character, in or out of brackets.
func (t *translator) character() rune {
	c := t.in[t.at+1]
	t.at += 2
	if i := strings.IndexRune(`afnrtv\`, c); i >= 0 {
		return rune("\a\f\n\r\t\v\\"[i])
	}
	switch {
	case c == 'x':
		return t.hex(2)
	case c == 'u':
		return t.hex(4)
	case c == 'U':
		return t.hex(8)
	case c == '0' || '1' <= c && c <= '7' && t.octalBehind():
		t.at--
		return t.octal()
	case c == 'N':
		t.fail(`character names (\N{...}) are not supported; write the character itself`)
	case c < 0x80 && isASCIIWord(c) && c != '_':
		t.at -= 2
		t.fail(`bad escape \%c`, c)
	}
	return c
}

func (t *translator) octalBehind() bool {
	t.at -= 2
	ok := t.octalAhead()
	t.at += 2
	return ok
}

func (t *translator) octal() rune {
	n, count := rune(0), 0
	for ; count < 3 && t.at < len(t.in) && t.in[t.at] >= '0' && t.in[t.at] <= '7'; count++ {
		n = n*8 + t.in[t.at] - '0'
		t.at++
	}
	if n > 0o377 {
		t.fail("octal escape value outside of range 0-0o377")
	}
	return n
}

func (t *translator) hex(digits int) rune {
	if t.at+digits > len(t.in) {
		t.fail("incomplete escape")
	}
	n, err := strconv.ParseUint(string(t.in[t.at:t.at+digits]), 16, 32)
	if err != nil || n > maxRune {
		t.fail("incomplete escape")
	}
	t.at += digits
	return rune(n)
}

// bracket reads a set of characters after its opening bracket.
func (t *translator) bracket() {
	negated := t.accept("^")
	var letters set       // what is listed one by one or as ranges
	var categories []byte // d, s, w and their complements
	for first := true; ; first = false {
		if t.at >= len(t.in) {
			t.fail("unterminated character set")
		}
		if t.in[t.at] == ']' && !first {
			t.at++
			break
		}
		from, category := t.member()
		if category != 0 {
			categories = append(categories, category)
			continue
		}
		to := from
		if t.at+1 < len(t.in) && t.in[t.at] == '-' && t.in[t.at+1] != ']' {
			t.at++
			if to, category = t.member(); category != 0 || to < from {
				t.fail("bad character range")
			}
		}
		letters = append(letters, [2]rune{from, to})
	}
	if t.has(IgnoreCase) {
		letters = letters.folded()
	}
	wide := func(byte) bool { return !t.has(ASCII) }
	// For ASCII texts the short form will do; but Python's white space has four
	// characters of ASCII that RE2's lacks.
	narrow := func(c byte) bool { return !t.has(ASCII) && c|0x20 == 's' }
	t.slow.WriteString(bracketExpr(letters, categories, negated, wide))
	t.fast.WriteString(bracketExpr(letters, categories, negated, narrow))
	t.asciiOnly = t.asciiOnly || len(categories) > 0 && !t.has(ASCII)
}

// bracketExpr writes a set. Complements such as \W inside of it are spelled out:
// neither engine could otherwise mean Python's \w by them.
func bracketExpr(letters set, categories []byte, negated bool, unicode func(byte) bool) string {
	members := ""
	for _, c := range categories {
		if c >= 'a' {
			members += categoryMembers(c, !unicode(c))
			continue
		}
		letters = append(letters[:len(letters):len(letters)], category(c, !unicode(c))...)
	}
	if members == "" && negated {
		letters, negated = letters.not(), false
	}
	members = letters.members() + members
	switch {
	case members == "":
		return nothing
	case negated:
		return "[^" + members + "]"
	default:
		return "[" + members + "]"
	}
}

// member reads one character of a set, or a category such as \d.
func (t *translator) member() (c rune, category byte) {
	if t.at >= len(t.in) {
		t.fail("unterminated character set")
	}
	c = t.in[t.at]
	if c != '\\' {
		t.at++
		return c, 0
	}
	if t.at+1 >= len(t.in) {
		t.fail("bad escape (end of pattern)")
	}
	switch c := t.in[t.at+1]; {
	case c == 'b':
		t.at += 2
		return '\b', 0
	case strings.ContainsRune("dDsSwW", c):
		t.at += 2
		return 0, byte(c)
	}
	return t.character(), 0
}
