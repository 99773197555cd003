// Package diag says what is wrong with a user's project: where, what, and what
// to do about it.
//
// Everything that reads a project collects Problems in a List instead of
// stopping at the first, so that one run shows all of them, sorted by file and
// line. The code in brackets is stable and documented in docs/problems.md.
package diag

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// Position is a place in a file. Line and Column count from 1, columns in code
// points; Line 0 means the file as a whole.
type Position struct {
	File   string
	Line   int
	Column int
}

// String gives "file:line:column", leaving out what is not known.
func (p Position) String() string {
	switch {
	case p.Line == 0:
		return p.File
	case p.Column == 0:
		return fmt.Sprintf("%s:%d", p.File, p.Line)
	default:
		return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
	}
}

// IsZero reports whether nothing is known about the place.
func (p Position) IsZero() bool { return p == Position{} }

// Severity says whether a project can be used in spite of a problem.
type Severity int

// The severities, worst first.
const (
	Error   Severity = iota // the project can't be used
	Warning                 // Rasa tolerates it and so do we
	Info                    // worth knowing, nothing is wrong
)

// Code names a kind of problem, such as "unknown-slot". Codes are stable.
type Code string

// Problem is one finding in a project.
type Problem struct {
	Pos      Position
	Severity Severity
	Code     Code
	Message  string // one sentence without a final full stop
	Hint     string // what to do; may be empty
}

// Error gives the text that users read:
//
//	domain.yml:42:7: slot "recipent" is not declared [unknown-slot]
//	    hint: did you mean "recipient" (domain.yml:18:3)?
func (p Problem) Error() string {
	var b strings.Builder
	if !p.Pos.IsZero() {
		b.WriteString(p.Pos.String())
		b.WriteString(": ")
	}
	switch p.Severity {
	case Warning:
		b.WriteString("warning: ")
	case Info:
		b.WriteString("note: ")
	}
	b.WriteString(p.Message)
	if p.Code != "" {
		fmt.Fprintf(&b, " [%s]", p.Code)
	}
	if p.Hint != "" {
		b.WriteString("\n    hint: ")
		b.WriteString(p.Hint)
	}
	return b.String()
}

// List collects problems. The zero value is ready; a List is safe for
// concurrent use.
type List struct {
	mu       sync.Mutex
	problems []Problem
	seen     map[Problem]bool
	errors   int
}

// Add puts a problem on the list. The same problem is kept once.
func (l *List) Add(p Problem) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.seen[p] {
		return
	}
	if l.seen == nil {
		l.seen = map[Problem]bool{}
	}
	l.seen[p] = true
	l.problems = append(l.problems, p)
	if p.Severity == Error {
		l.errors++
	}
}

// AddAll puts the problems of another list on this one.
func (l *List) AddAll(other *List) {
	for _, p := range other.All() {
		l.Add(p)
	}
}

// Errorf adds an error. The hint may be empty.
func (l *List) Errorf(pos Position, code Code, hint, format string, args ...any) {
	l.Add(Problem{pos, Error, code, fmt.Sprintf(format, args...), hint})
}

// Warnf adds a warning. The hint may be empty.
func (l *List) Warnf(pos Position, code Code, hint, format string, args ...any) {
	l.Add(Problem{pos, Warning, code, fmt.Sprintf(format, args...), hint})
}

// All returns the problems sorted by file, line and column.
func (l *List) All() []Problem {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := slices.Clone(l.problems)
	slices.SortStableFunc(out, func(a, b Problem) int {
		return cmp.Or(
			cmp.Compare(a.Pos.File, b.Pos.File),
			cmp.Compare(a.Pos.Line, b.Pos.Line),
			cmp.Compare(a.Pos.Column, b.Pos.Column),
			cmp.Compare(a.Code, b.Code),
			cmp.Compare(a.Message, b.Message),
		)
	})
	return out
}

// Errors returns the sorted problems of severity Error.
func (l *List) Errors() []Problem { return l.withSeverity(Error) }

// Warnings returns the sorted problems of severity Warning.
func (l *List) Warnings() []Problem { return l.withSeverity(Warning) }

// HasErrors reports whether any problem is an Error.
func (l *List) HasErrors() bool { return l.ErrorCount() > 0 }

// ErrorCount is the number of errors.
func (l *List) ErrorCount() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.errors
}

// Err returns nil when no problem is an Error, and otherwise one error that
// holds them all.
func (l *List) Err() error {
	if errs := l.Errors(); len(errs) > 0 {
		return Problems(errs)
	}
	return nil
}

func (l *List) withSeverity(s Severity) []Problem {
	return slices.DeleteFunc(l.All(), func(p Problem) bool { return p.Severity != s })
}

// Problems is an error that holds everything that is wrong at once.
type Problems []Problem

// Error gives one line (and its hint) for each problem.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.Error()
	}
	return strings.Join(lines, "\n")
}

// Of returns the problems that err holds, or nil when it holds none.
func Of(err error) []Problem {
	if ps, ok := errors.AsType[Problems](err); ok {
		return ps
	}
	if p, ok := errors.AsType[Problem](err); ok {
		return []Problem{p}
	}
	return nil
}
