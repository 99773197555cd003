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
// when, has at most 2,000 lines to read. Those of internal/telemetry and its
// receiver count that hold code, imports included, for every operating system.
// Comments, blank lines, tests and the word lists of words.txt do not count, nor does
// what hands over numbers (app) and prints answers (cli), from where nothing leaves.
func TestTelemetryStaysSmall(t *testing.T) {
	const most = 2000
	total := 0
	root := filepath.Join(sharedtest.ModuleRoot(t), "internal", "telemetry")
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		source, err := os.ReadFile(path)
		total += linesOfCode(source)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if total > most {
		t.Errorf("internal/telemetry has %d lines of code, at most %d are allowed: say it shorter, or leave something out", total, most)
	}
	if total < most/2 {
		t.Errorf("only %d lines were counted", total)
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
