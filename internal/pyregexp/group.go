package pyregexp

import (
	"fmt"
	"strconv"
	"strings"
)

// group reads everything that begins with a parenthesis.
func (t *translator) group() (width int, repeatable bool) {
	t.at++ // the parenthesis
	if !t.accept("?") {
		return t.capture(), true
	}
	switch {
	case t.accept(":"):
		return t.body("(?:", "(?:"), true
	case t.accept("P<"):
		name := t.until('>')
		if !isName(name) {
			t.fail("bad character in group name %q", name)
		}
		if t.names[name] > 0 {
			t.fail("redefinition of group name %q", name)
		}
		t.names[name] = t.groups + 1
		return t.capture(), true
	case t.accept("P="):
		name := t.until(')')
		if t.names[name] == 0 {
			t.fail("unknown group name %q", name)
		}
		t.backReference(t.names[name])
		return 0, true
	case t.accept("#"):
		t.until(')')
		return 0, false
	case t.accept("="):
		return t.look("(?="), true
	case t.accept("!"):
		return t.look("(?!"), true
	case t.accept("<="):
		return t.look("(?<="), true
	case t.accept("<!"):
		return t.look("(?<!"), true
	case t.accept(">"):
		t.backtracking = true
		return t.body("(?:", "(?>"), true
	case t.accept("("):
		return t.conditional(), true
	}
	return t.inlineFlags()
}

func isName(s string) bool {
	for i, r := range s {
		if !(r == '_' || r >= 0x80 || isASCIIWord(r) && (i > 0 || r > '9')) {
			return false
		}
	}
	return s != ""
}

// body reads up to the closing parenthesis. Flags set inside end there.
func (t *translator) body(fast, slow string) int {
	flags := t.flags
	t.fast.WriteString(fast)
	t.slow.WriteString(slow)
	width := t.alternatives()
	if !t.accept(")") {
		t.fail("missing ), unterminated subpattern")
	}
	t.emit(")")
	t.flags = flags
	return width
}

func (t *translator) capture() int {
	t.groups++
	n := t.groups
	t.open[n] = true
	width := t.body("(", "(")
	delete(t.open, n)
	return width
}

func (t *translator) look(opening string) int {
	t.backtracking = true
	t.body("(?:", opening)
	return 0
}

// conditional reads (?(group)yes|no).
func (t *translator) conditional() int {
	name := t.until(')')
	n, err := strconv.Atoi(name)
	if err != nil {
		n = t.names[name]
	}
	if n < 1 || n > t.groups {
		t.fail("invalid group reference %s", name)
	}
	t.slowOnly(fmt.Sprintf("(?(%d)", n))
	t.fast.WriteString("(?:")
	width := t.sequence()
	if t.accept("|") {
		t.emit("|")
		width = min(width, t.sequence())
	} else {
		width = 0
	}
	if !t.accept(")") {
		t.fail("conditional backref with more than two branches")
	}
	t.emit(")")
	return width
}

var flagLetters = map[rune]Flags{'i': IgnoreCase, 'm': MultiLine, 's': DotAll, 'a': ASCII, 'x': Verbose, 'u': 0}

// inlineFlags reads (?i) at the very start of the pattern, and (?i-m:...).
func (t *translator) inlineFlags() (width int, repeatable bool) {
	start := t.at
	set, clear, minus := Flags(0), Flags(0), false
	for {
		c, ok := t.peek()
		if !ok {
			t.fail("missing -, : or )")
		}
		t.at++
		f, known := flagLetters[c]
		switch {
		case known && minus:
			clear |= f
		case known:
			set |= f
		case c == '-' && !minus:
			minus = true
		case c == ':':
			flags := t.flags
			t.flags = t.flags&^clear | set
			width = t.body("(?:", "(?:")
			t.flags = flags
			return width, true
		case c == ')' && !minus && t.at > start+1:
			if strings.TrimLeft(string(t.in[:start-2]), " \t\n\r\v\f") != "" && !onlyFlags(string(t.in[:start-2])) {
				t.fail("global flags not at the start of the expression")
			}
			t.flags |= set
			return 0, false
		default:
			t.fail("unknown extension ?%s", string(t.in[start:t.at]))
		}
	}
}

// onlyFlags reports whether a pattern's beginning is made of (?i)-like groups.
func onlyFlags(s string) bool {
	for strings.HasPrefix(s, "(?") {
		end := strings.IndexByte(s, ')')
		if end < 0 || strings.ContainsAny(s[:end], ":=!<>#P") {
			return false
		}
		s = s[end+1:]
	}
	return s == ""
}
