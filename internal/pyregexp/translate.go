package pyregexp

import (
	"fmt"
	"strconv"
	"strings"
)

// program is a pattern in the words of both engines.
type program struct {
	fast, slow string
	groups     int

	backtracking bool // RE2 can't do it, or would answer differently
	asciiOnly    bool // fast is right for ASCII texts only
	dollar       bool // fast is right for texts that don't end with a newline
}

// SyntaxError says what is wrong with a pattern.
type SyntaxError struct {
	Pattern string
	Message string
	Offset  int // in code points
}

// Error gives the message and the place.
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("regular expression %q: %s at position %d", e.Pattern, e.Message, e.Offset)
}

const maxNesting = 200

// translator reads a pattern from left to right and writes both programs.
type translator struct {
	pattern string
	in      []rune
	at      int
	flags   Flags
	depth   int

	fast, slow strings.Builder
	program
	open  map[int]bool // groups whose end has not been read
	names map[string]int
}

func translate(pattern string, flags Flags) (p program, err error) {
	t := &translator{pattern: pattern, in: []rune(pattern), flags: flags, open: map[int]bool{}, names: map[string]int{}}
	defer func() {
		if r := recover(); r != nil {
			e, ok := r.(*SyntaxError)
			if !ok {
				panic(r)
			}
			err = e
		}
	}()
	width := t.alternatives()
	if t.at < len(t.in) {
		t.fail("unbalanced parenthesis")
	}
	if width == 0 {
		t.backtracking = true // the engines go on differently after an empty match
	}
	t.program.fast, t.program.slow = t.fast.String(), t.slow.String()
	return t.program, nil
}

// fail ends the translation; translate recovers.
func (t *translator) fail(format string, args ...any) {
	panic(&SyntaxError{t.pattern, fmt.Sprintf(format, args...), t.at})
}

func (t *translator) has(f Flags) bool { return t.flags&f != 0 }

func (t *translator) emit(s string) {
	t.fast.WriteString(s)
	t.slow.WriteString(s)
}

// slowOnly emits what only the backtracking engine knows.
func (t *translator) slowOnly(s string) {
	t.slow.WriteString(s)
	t.backtracking = true
}

func (t *translator) peek() (rune, bool) {
	if t.at < len(t.in) {
		return t.in[t.at], true
	}
	return 0, false
}

func (t *translator) accept(s string) bool {
	r := []rune(s)
	if len(t.in)-t.at < len(r) || string(t.in[t.at:t.at+len(r)]) != s {
		return false
	}
	t.at += len(r)
	return true
}

// until returns what comes before the next end and moves behind it.
func (t *translator) until(end rune) string {
	for i := t.at; i < len(t.in); i++ {
		if t.in[i] == end {
			s := string(t.in[t.at:i])
			t.at = i + 1
			return s
		}
	}
	t.fail("missing %c, unterminated name", end)
	return ""
}

// alternatives reads a|b|c up to a closing parenthesis or the end and returns
// the length of the shortest text that it can match.
func (t *translator) alternatives() int {
	if t.depth++; t.depth > maxNesting {
		t.fail("nested too deeply")
	}
	defer func() { t.depth-- }()
	width := t.sequence()
	for t.accept("|") {
		t.emit("|")
		width = min(width, t.sequence())
	}
	return width
}

func (t *translator) sequence() int {
	width := 0
	for {
		t.skipVerbose()
		c, ok := t.peek()
		if !ok || c == '|' || c == ')' {
			return width
		}
		width = min(width+t.repeated(), 1<<20)
	}
}

// skipVerbose passes over white space and comments under the flag x.
func (t *translator) skipVerbose() {
	if !t.has(Verbose) {
		return
	}
	for t.at < len(t.in) {
		switch c := t.in[t.at]; {
		case strings.ContainsRune(" \t\n\r\v\f", c):
			t.at++
		case c == '#':
			for t.at < len(t.in) && t.in[t.at] != '\n' {
				t.at++
			}
		default:
			return
		}
	}
}

// repeated reads one item with the quantifier that follows it.
func (t *translator) repeated() int {
	if c, _ := t.peek(); strings.ContainsRune("*+?", c) || c == '{' && t.isQuantifier() {
		t.fail("nothing to repeat")
	}
	fastFrom, slowFrom := t.fast.Len(), t.slow.Len()
	width, repeatable := t.item()
	t.skipVerbose()
	lo, hi, ok := t.quantifier()
	if !ok {
		return width
	}
	if !repeatable {
		t.fail("nothing to repeat")
	}
	if width == 0 {
		t.backtracking = true // empty repetitions: the engines count them differently
	}
	// The item becomes a unit of its own, and so does the repetition.
	wrap(&t.fast, fastFrom)
	wrap(&t.slow, slowFrom)
	q := fmt.Sprintf("{%d,%d}", lo, hi)
	switch {
	case hi < 0 && lo == 0:
		q = "*"
	case hi < 0 && lo == 1:
		q = "+"
	case hi < 0:
		q = fmt.Sprintf("{%d,}", lo)
	case lo == 0 && hi == 1:
		q = "?"
	}
	switch {
	case t.accept("?"):
		t.emit(q + "?")
	case t.accept("+"): // possessive
		s := t.slow.String()
		t.slow.Reset()
		t.slow.WriteString(s[:slowFrom] + "(?>" + s[slowFrom:] + q + ")")
		t.backtracking = true
	default:
		t.emit(q)
	}
	t.skipVerbose()
	if c, _ := t.peek(); t.at < len(t.in) && (strings.ContainsRune("*+?", c) || c == '{' && t.isQuantifier()) {
		t.fail("multiple repeat")
	}
	return min(width*lo, 1<<20)
}

// wrap puts what was written since from into a group.
func wrap(b *strings.Builder, from int) {
	s := b.String()
	b.Reset()
	b.WriteString(s[:from] + "(?:" + s[from:] + ")")
}

func (t *translator) isQuantifier() bool {
	at := t.at
	_, _, ok := t.quantifier()
	t.at = at
	return ok
}

// quantifier reads * + ? {m} {m,} {,n} or {m,n}; hi is -1 for no limit.
func (t *translator) quantifier() (lo, hi int, ok bool) {
	switch {
	case t.accept("*"):
		return 0, -1, true
	case t.accept("+"):
		return 1, -1, true
	case t.accept("?"):
		return 0, 1, true
	}
	start := t.at
	if !t.accept("{") || t.accept("}") {
		t.at = start
		return 0, 0, false
	}
	from := t.digits()
	to := from
	comma := t.accept(",")
	if comma {
		to = t.digits()
	}
	if !t.accept("}") || !comma && from == "" {
		t.at = start
		return 0, 0, false
	}
	lo, hi = t.count(from, 0), t.count(to, -1)
	if hi >= 0 && hi < lo {
		t.fail("min repeat greater than max repeat")
	}
	return lo, hi, true
}

func (t *translator) digits() string {
	from := t.at
	for t.at < len(t.in) && t.in[t.at] >= '0' && t.in[t.at] <= '9' {
		t.at++
	}
	return string(t.in[from:t.at])
}

func (t *translator) count(s string, missing int) int {
	if s == "" {
		return missing
	}
	n, err := strconv.Atoi(s)
	if err != nil || n > 1<<24 {
		t.fail("the repetition number is too large")
	}
	return n
}

// literal emits one character in the case rules that hold here.
func (t *translator) literal(r rune) {
	if t.has(IgnoreCase) {
		if v := variantsOf(r); v != nil {
			s := set{{r, r}}
			for _, x := range v {
				if !t.has(ASCII) || x < 0x80 && r < 0x80 {
					s = append(s, [2]rune{x, x})
				}
			}
			t.emit(s.expr())
			return
		}
	}
	var b strings.Builder
	writeRune(&b, r)
	t.emit(b.String())
}
