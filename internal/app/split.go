package app

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/evaluate"
	"github.com/loquat-dev/loquat/internal/nludata"
	"github.com/loquat-dev/loquat/internal/project"
	"github.com/loquat-dev/loquat/internal/telemetry"
)

// SplitNLUOptions are the options of data split nlu.
type SplitNLUOptions struct {
	NLU      string // file or folder
	Fraction float64
	Seed     uint64
	Out      string // folder

	Telemetry *telemetry.Recorder // may be nil
}

// SplitNLUResult is what a split made.
type SplitNLUResult struct {
	Training, Test int // numbers of examples
	OnlyTested     []string
	Files          []string
	Warnings       []diag.Problem
}

// SplitNLU divides NLU data into a part to train with and a part to test with.
func SplitNLU(o SplitNLUOptions) (result SplitNLUResult, err error) {
	var problems diag.List
	defer func() { result.Warnings = problems.Warnings() }()
	data := project.LoadNLU("", []string{o.NLU}, &problems)
	if err := problems.Err(); err != nil {
		return result, err
	}
	if len(data.Examples) == 0 {
		return result, fmt.Errorf("there are no NLU examples at %s; name a file or folder with NLU data: --nlu", o.NLU)
	}
	training, test := data.Split(o.Fraction, o.Seed)
	result.Training, result.Test = len(training.Examples), len(test.Examples)
	result.OnlyTested = onlyIn(test, training)
	result.Files, err = writeParts(o.Out, map[string]*nludata.TrainingData{"training_data.yml": training, "test_data.yml": test})
	if err == nil {
		o.Telemetry.Record(dataSplit(o.Fraction))
	}
	return result, err
}

// writeParts writes NLU data, and its responses in a file named nlg_ beside it.
// All contents are made before the first file is written.
func writeParts(dir string, parts map[string]*nludata.TrainingData) ([]string, error) {
	contents := map[string][]byte{}
	for name, part := range parts {
		data, err := part.Verified()
		if err != nil {
			return nil, err
		}
		contents[name], contents["nlg_"+name] = data, part.ResponsesYAML()
	}
	return writeSplit(dir, contents)
}

// splitMark begins every file that a split makes: the next split may write over it.
const splitMark = "# Made by data split, which writes it anew.\n"

// writeSplit writes the files of a split. Files that no split has made are an error,
// and then nothing is written.
func writeSplit(dir string, contents map[string][]byte) ([]string, error) {
	var foreign []string
	marked := map[string][]byte{}
	for _, name := range slices.Sorted(maps.Keys(contents)) {
		path := filepath.Join(dir, name)
		switch made, err := madeBySplit(path); {
		case err != nil:
			return nil, err
		case !made:
			foreign = append(foreign, filepath.ToSlash(path))
		}
		if marked[name] = contents[name]; contents[name] != nil {
			marked[name] = slices.Concat([]byte(splitMark), contents[name])
		}
	}
	if foreign != nil {
		return nil, fmt.Errorf("%s would be written over, and is not marked as made by this command; remove it, or name another folder: --out", strings.Join(foreign, ", "))
	}
	return writeContents(dir, marked)
}

// writeContents writes files into a folder, which is made if it is missing. Of
// those without contents, none is left from an earlier run.
func writeContents(dir string, contents map[string][]byte) ([]string, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("make folder: %w", err)
	}
	var written []string
	for _, name := range slices.Sorted(maps.Keys(contents)) {
		path := filepath.Join(dir, name)
		if contents[name] == nil {
			if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return written, err
			}
			continue
		}
		if err := evaluate.WriteFile(path, contents[name]); err != nil {
			return written, err
		}
		written = append(written, path)
	}
	return written, nil
}

// madeBySplit reports whether a file may be written over: a split has made it, or
// there is none.
func madeBySplit(path string) (bool, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	defer func() { _ = f.Close() }() // it was read
	start := make([]byte, len(splitMark))
	if _, err := io.ReadFull(f, start); err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return false, fmt.Errorf("read %s: %w", path, err)
	}
	return string(start) == splitMark, nil
}

// onlyIn are the intents that one part has and the other hasn't.
func onlyIn(part, other *nludata.TrainingData) []string {
	has := map[string]bool{}
	for _, e := range other.Examples {
		has[e.Label()] = true
	}
	var out []string
	for _, e := range part.Examples {
		if !has[e.Label()] {
			has[e.Label()] = true
			out = append(out, e.Label())
		}
	}
	return out
}
