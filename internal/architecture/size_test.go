package architecture_test

import (
	"go/scanner"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/loquat-dev/loquat/internal/sharedtest"
)

// TestTelemetryStaysSmall: whoever wants to know what usage reports can say, and
// when, has at most 2,000 lines to read: those of internal/telemetry and its receiver.
// The commands, and what makes events of a project's numbers, may have 700 more; from
// there nothing leaves. Lines that hold code count, imports included, for every
// operating system; comments, blank lines, tests and the word lists of words.txt don't.
func TestTelemetryStaysSmall(t *testing.T) {
	root := filepath.Join(sharedtest.ModuleRoot(t), "internal")
	for _, part := range []struct {
		folder, name string
		most         int
	}{{"telemetry", "", 2000}, {"", "telemetry", 700}} {
		total := 0
		err := filepath.WalkDir(filepath.Join(root, part.folder), func(path string, entry fs.DirEntry, err error) error {
			name := entry.Name()
			if err == nil && entry.IsDir() && name == "telemetry" && part.folder == "" {
				return fs.SkipDir // the first part
			}
			if err != nil || entry.IsDir() || !strings.HasPrefix(name, part.name) || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
				return err
			}
			source, err := os.ReadFile(path)
			total += linesOfCode(source)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if total > part.most {
			t.Errorf("usage telemetry has %d lines of code in internal/%s, at most %d are allowed: say it shorter, or leave something out", total, part.folder, part.most)
		}
		if total < part.most/2 {
			t.Errorf("only %d lines were counted", total)
		}
	}
}

// linesOfCode counts the lines that have a token of Go; of a text over several
// lines, each that is not blank.
func linesOfCode(source []byte) int {
	files := token.NewFileSet()
	file := files.AddFile("", files.Base(), len(source))
	var s scanner.Scanner
	s.Init(file, source, nil, 0) // skips comments
	lines := map[int]bool{}
	for {
		position, kind, text := s.Scan()
		if kind == token.EOF {
			return len(lines)
		}
		if kind == token.SEMICOLON && text == "\n" {
			continue // not written
		}
		first := file.Line(position)
		for i, line := range strings.Split(text, "\n") {
			if i == 0 || strings.TrimSpace(line) != "" {
				lines[first+i] = true
			}
		}
	}
}

func TestLinesOfCodeAreThoseWithTokens(t *testing.T) {
	const source = "package p\n\n// comment\nvar a = `x\n\ny` /* more\n*/ + z\n\nfunc f() {\n}\n"
	if got := linesOfCode([]byte(source)); got != 6 {
		t.Errorf("%d lines, want 6", got)
	}
}
