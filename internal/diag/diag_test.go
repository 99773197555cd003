package diag_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/loquat-dev/loquat/internal/diag"
)

func TestProblemsAreSortedAndPrintedWithHints(t *testing.T) {
	var l diag.List
	l.Errorf(diag.Position{File: "b.yml", Line: 1, Column: 1}, "x", "", "last")
	l.Errorf(diag.Position{File: "a.yml", Line: 10, Column: 2}, "y", "try z", "second")
	l.Warnf(diag.Position{File: "a.yml", Line: 2}, "w", "", "first")
	l.Warnf(diag.Position{File: "a.yml", Line: 2}, "w", "", "first")

	var got string
	for _, p := range l.All() {
		got += p.Error() + "\n"
	}
	want := "a.yml:2: warning: first [w]\n" +
		"a.yml:10:2: second [y]\n    hint: try z\n" +
		"b.yml:1:1: last [x]\n"
	if got != want {
		t.Errorf("got:\n%swant:\n%s", got, want)
	}
}

func TestErrHoldsOnlyErrors(t *testing.T) {
	var l diag.List
	l.Warnf(diag.Position{}, "w", "", "harmless")
	if err := l.Err(); err != nil {
		t.Fatalf("warnings alone gave the error %v", err)
	}
	l.Errorf(diag.Position{}, "e", "", "bad")
	err := fmt.Errorf("read project: %w", l.Err())
	if ps := diag.Of(err); len(ps) != 1 || ps[0].Code != "e" {
		t.Errorf("Of gave %v, want the one problem e", ps)
	}
	if ps := diag.Of(errors.New("other")); ps != nil {
		t.Errorf("Of another error gave %v", ps)
	}
}

func TestNearest(t *testing.T) {
	for _, c := range []struct{ name, want string }{
		{"recipent", "recipient"},
		{"GREET", "greet"},
		{"zzz", ""},
	} {
		got, _ := diag.Nearest(c.name, []string{"recipient", "greet", "goodbye"})
		if got != c.want {
			t.Errorf("Nearest(%q) = %q, want %q", c.name, got, c.want)
		}
	}
}
