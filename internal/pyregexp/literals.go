package pyregexp

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/loquat-dev/loquat/internal/pystr"
)

// Literals finds any of a set of texts, such as the entries of a lookup table.
// The time does not depend on how many they are.
type Literals struct {
	index   map[string]int // folded text → its place in the list
	lengths []int          // that occur, in code points, ascending
	words   bool
	fold    bool
}

// NewLiterals makes a set of texts. With words, each matches only between word
// boundaries, as \b has them. An empty text is never found.
func NewLiterals(texts []string, words bool, flags Flags) *Literals {
	l := &Literals{index: make(map[string]int, len(texts)), words: words, fold: flags&IgnoreCase != 0}
	seen := map[int]bool{}
	for i, s := range texts {
		n := utf8.RuneCountInString(s)
		if n == 0 {
			continue
		}
		if l.fold {
			s = string(appendFolded(nil, s))
		}
		if _, ok := l.index[s]; !ok {
			l.index[s] = i
		}
		if !seen[n] {
			seen[n] = true
			l.lengths = append(l.lengths, n)
		}
	}
	slices.Sort(l.lengths)
	return l
}

// Place returns where a text of the list, or one that is the same but for case if
// case is ignored, comes first in it; -1 if it isn't there.
func (l *Literals) Place(text string) int {
	if l.fold {
		text = string(appendFolded(nil, text))
	}
	if i, ok := l.index[text]; ok {
		return i
	}
	return -1
}

// At returns the first of the list that is found at a place, false if none is.
func (l *Literals) At(t *Text, start int) (s Span, place int, found bool) {
	l.each(t, start, func(end, i int) {
		if !found || i < place {
			s, place, found = Span{start, end}, i, true
		}
	})
	return s, place, found
}

// Each yields the places in the list of all texts found at a place; see Place.
func (l *Literals) Each(t *Text, start int, yield func(place int)) {
	l.each(t, start, func(_, place int) { yield(place) })
}

func (l *Literals) each(t *Text, start int, yield func(end, place int)) {
	if l.words && !t.boundary(start) {
		return
	}
	v := t.view(l.fold)
	for _, n := range l.lengths {
		end := start + n
		if end > v.length() {
			return
		}
		if l.words && !t.boundary(end) {
			continue
		}
		if i, ok := l.index[v.cut(start, end)]; ok {
			yield(end, i)
		}
	}
}

// First returns the earliest of the list that is found anywhere in the text.
func (l *Literals) First(t *Text) (place int, found bool) {
	for p := range t.length() {
		if _, i, ok := l.At(t, p); ok && (!found || i < place) {
			place, found = i, true
		}
	}
	return place, found
}

// all yields matches that don't overlap, from left to right.
func (l *Literals) all(t *Text, yield func(Span) bool) {
	for p := 0; p < t.length(); {
		s, _, ok := l.At(t, p)
		if !ok {
			p++
			continue
		}
		if !yield(s) {
			return
		}
		p = s.End
	}
}

// foldRune gives the same rune for all that Python takes for the same letter
// when case is ignored.
func foldRune(r rune) rune {
	if r < utf8.RuneSelf {
		if 'a' <= r && r <= 'z' {
			r -= 'a' - 'A'
		}
		return r
	}
	return unicode.ToUpper(unicode.ToLower(r))
}

func appendFolded(b []byte, s string) []byte {
	for _, r := range s {
		b = utf8.AppendRune(b, foldRune(r))
	}
	return b
}

// view is a text that parts are cut from by code points.
type view struct {
	text string
	from []int32 // byte offset of each code point and of the end; nil: one byte each
}

func (v *view) length() int {
	if v.from == nil {
		return len(v.text)
	}
	return len(v.from) - 1
}

func (v *view) cut(start, end int) string {
	if v.from == nil {
		return v.text[start:end]
	}
	return v.text[v.from[start]:v.from[end]]
}

func newView(s string, ascii bool) *view {
	v := &view{text: s}
	if ascii {
		return v
	}
	v.from = make([]int32, 0, len(s)/2+1)
	for i := range s {
		v.from = append(v.from, int32(i))
	}
	v.from = append(v.from, int32(len(s)))
	return v
}

// view returns the text, folded or as it is.
func (t *Text) view(fold bool) *view {
	which := &t.plain
	if fold {
		which = &t.folded
	}
	if *which == nil {
		s := t.text
		if fold {
			s = string(appendFolded(make([]byte, 0, len(s)), s))
		}
		*which = newView(s, t.ascii)
	}
	return *which
}

func (t *Text) length() int { return t.view(false).length() }

// boundary reports whether \b holds at a place.
func (t *Text) boundary(at int) bool {
	if t.boundaries == nil {
		v := t.view(false)
		t.boundaries = make([]bool, v.length()+1)
		before, i := false, 0
		for _, r := range v.text {
			word := pystr.IsWord(r)
			t.boundaries[i] = word != before
			before = word
			i++
		}
		t.boundaries[i] = before
	}
	return t.boundaries[at]
}

// literalsOf recognises a group of alternative texts, all between \b or none:
// (\bapple\b|\bapple\ pie\b).
func literalsOf(pattern string, flags Flags) *Literals {
	body, ok := strings.CutPrefix(pattern, "(")
	if !ok || flags&^IgnoreCase != 0 {
		return nil
	}
	if body, ok = strings.CutSuffix(body, ")"); !ok {
		return nil
	}
	var texts []string
	words := strings.HasPrefix(body, `\b`)
	for {
		text, rest, ok := literalOf(body, words)
		if !ok || text == "" {
			return nil
		}
		texts = append(texts, text)
		if rest == "" {
			return NewLiterals(texts, words, flags)
		}
		body = rest[1:] // behind the bar
	}
}

// literalOf reads one alternative. rest begins with a bar, or is empty.
func literalOf(s string, words bool) (text, rest string, ok bool) {
	if words {
		if s, ok = strings.CutPrefix(s, `\b`); !ok {
			return "", "", false
		}
	}
	var b strings.Builder
	closed := !words // the second \b has been read
	for s != "" && s[0] != '|' {
		if words && closed {
			return "", "", false
		}
		r, size := utf8.DecodeRuneInString(s)
		switch {
		case words && strings.HasPrefix(s, `\b`):
			closed = true
			s = s[2:]
			continue
		case r == '\\':
			r, size = utf8.DecodeRuneInString(s[1:])
			if size == 0 || isASCIIWord(r) {
				return "", "", false
			}
			size++
		case strings.ContainsRune("()[]{}?*+^$.", r):
			return "", "", false
		}
		b.WriteRune(r)
		s = s[size:]
	}
	return b.String(), s, closed
}
