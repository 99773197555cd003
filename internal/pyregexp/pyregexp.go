// Package pyregexp runs regular expressions written for Python's re module,
// because that is the dialect of every pattern in a Rasa project.
//
// A pattern is translated twice: for the standard library's RE2 engine, which
// runs in linear time, and for a backtracking engine that knows look-around and
// back-references. RE2 is used wherever it gives Python's answer; otherwise the
// backtracking engine runs, with a limit on its time. Neither engine's own idea
// of a word, a digit, white space or upper and lower case is used: those are
// spelled out as Python 3.11 has them.
//
// All offsets are code points, as in Python.
package pyregexp

import (
	"errors"
	"fmt"
	"regexp"
	"sync"
	"time"

	"github.com/dlclark/regexp2/v2"
)

// How long one pattern may search one text, and all patterns together. Only the
// backtracking engine ever comes near these limits.
const (
	TimeLimit = 250 * time.Millisecond
	TextLimit = time.Second
)

// stackLimit bounds the memory of one search of the backtracking engine.
var stackLimit = regexp2.OptionMaxBacktrackingStackSize(1 << 22)

// ErrTimeLimit says that a search was given up because of a limit.
var ErrTimeLimit = errors.New("the regular expression took too long on this text (time limit)")

// Flags change how a pattern is read; they correspond to Python's.
type Flags uint8

// The flags of Python's re module that matter here.
const (
	IgnoreCase Flags = 1 << iota
	MultiLine
	DotAll
	ASCII
	Verbose
)

// Regexp is a compiled pattern, safe for concurrent use.
type Regexp struct {
	pattern string
	groups  int
	prog    program

	literals *Literals      // set if the pattern is a list of texts; nothing else is then
	fast     *regexp.Regexp // nil if RE2 can't give Python's answer on any text

	once     sync.Once // guards the two below, which are made when first needed
	slow     *regexp2.Regexp
	nonEmpty *regexp2.Regexp // matches only at the start position, and more than nothing
}

// Span is a part of a text, in code points. {-1, -1} is a group that took no
// part in a match.
type Span struct{ Start, End int }

// Compile reads a pattern. Its errors say what is wrong and where, in the terms
// of Python's.
func Compile(pattern string, flags Flags) (*Regexp, error) {
	if l := literalsOf(pattern, flags); l != nil {
		return &Regexp{pattern: pattern, groups: 1, literals: l}, nil
	}
	prog, err := translate(pattern, flags)
	if err != nil {
		return nil, err
	}
	r := &Regexp{pattern: pattern, groups: prog.groups, prog: prog}
	if !prog.backtracking {
		// RE2 refuses what would make a program too large, such as x{5000}.
		if r.fast, err = regexp.Compile(prog.fast); err != nil {
			r.fast = nil
		}
	}
	if r.fast == nil {
		if _, err := regexp2.Compile(prog.slow, stackLimit); err != nil {
			return nil, fmt.Errorf("regular expression %q: %w", pattern, err)
		}
	}
	return r, nil
}

// String returns the pattern as it was written.
func (r *Regexp) String() string { return r.pattern }

// Groups returns the number of capture groups.
func (r *Regexp) Groups() int { return r.groups }

// FindAll returns all matches that do not overlap, from left to right, as
// Python's finditer does. Group 0 is the whole match. With ErrTimeLimit it
// returns what it had found.
func (r *Regexp) FindAll(t *Text, group int) ([]Span, error) {
	var spans []Span
	err := r.each(t, group, func(s Span) bool {
		spans = append(spans, s)
		return true
	})
	return spans, err
}

// Find returns the first match.
func (r *Regexp) Find(t *Text) (s Span, found bool, err error) {
	if r.fastFor(t) {
		if m := r.fast.FindStringIndex(t.text); m != nil {
			return t.span(m[0], m[1]), true, nil
		}
		return Span{}, false, nil
	}
	err = r.each(t, 0, func(first Span) bool {
		s, found = first, true
		return false
	})
	return s, found, err
}

// fastFor reports whether RE2 gives Python's answer for this text.
func (r *Regexp) fastFor(t *Text) bool {
	return r.fast != nil &&
		(t.ascii || !r.prog.asciiOnly) &&
		!(r.prog.dollar && t.endsInNewline())
}

// each calls yield with the spans of one group until it returns false.
func (r *Regexp) each(t *Text, group int, yield func(Span) bool) error {
	if r.literals != nil {
		r.literals.all(t, yield)
		return nil
	}
	if r.fastFor(t) {
		r.eachFast(t, group, yield)
		return nil
	}
	return r.eachSlow(t, group, yield)
}

func (r *Regexp) eachFast(t *Text, group int, yield func(Span) bool) {
	if group == 0 {
		// One match at a time would hide what comes before it from \b and ^.
		for _, m := range r.fast.FindAllStringIndex(t.text, -1) {
			if !yield(t.span(m[0], m[1])) {
				return
			}
		}
		return
	}
	for _, m := range r.fast.FindAllStringSubmatchIndex(t.text, -1) {
		if !yield(t.span(m[2*group], m[2*group+1])) {
			return
		}
	}
}

// eachSlow searches with the backtracking engine. After an empty match, Python
// looks at the same place again for a match that is not empty.
func (r *Regexp) eachSlow(t *Text, group int, yield func(Span) bool) error {
	r.compileSlow()
	runes, at := t.Runes(), 0
	begin := time.Now()
	deadline := begin.Add(min(TimeLimit, TextLimit-*t.spent))
	defer func() { *t.spent += time.Since(begin) }()
	again := false // the last match was empty and ended at 'at'
	for at <= len(runes) {
		if time.Now().After(deadline) {
			return ErrTimeLimit
		}
		m, err := r.next(runes, at, again)
		if err != nil {
			return ErrTimeLimit // the engine's only run-time error, beside a full stack
		}
		if m == nil {
			return nil
		}
		start, end := m.RuneIndex, m.RuneIndex+m.RuneLength
		if !yield(groupSpan(m, group)) {
			return nil
		}
		at, again = end, start == end
	}
	return nil
}

func (r *Regexp) next(runes []rune, at int, again bool) (*regexp2.Match, error) {
	if !again {
		return r.slow.FindRunesMatchStartingAt(runes, at)
	}
	if m, err := r.nonEmpty.FindRunesMatchStartingAt(runes, at); m != nil || err != nil {
		return m, err
	}
	if at == len(runes) {
		return nil, nil
	}
	return r.slow.FindRunesMatchStartingAt(runes, at+1)
}

func groupSpan(m *regexp2.Match, group int) Span {
	g := m.GroupByNumber(group)
	if g == nil || len(g.Captures) == 0 {
		return Span{-1, -1}
	}
	return Span{g.RuneIndex, g.RuneIndex + g.RuneLength}
}

func (r *Regexp) compileSlow() {
	r.once.Do(func() {
		// What RE2 accepted after translation, this engine accepts too.
		r.slow = regexp2.MustCompile(r.prog.slow, stackLimit)
		r.slow.MatchTimeout = TimeLimit
		r.nonEmpty = regexp2.MustCompile(`\G(?:`+r.prog.slow+`)(?!\G)`, stackLimit)
		r.nonEmpty.MatchTimeout = TimeLimit
	})
}
