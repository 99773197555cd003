package evaluate

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/loquat-dev/loquat/internal/safefile"
)

// Files says which files an evaluation is written to.
type Files struct {
	Dir       string
	Successes bool
	NoErrors  bool
	// Plots draws pictures of an evaluation; nil for none.
	Plots func(*Evaluation) ([]File, error)
}

// File is a file to be written.
type File struct {
	Name string // without folder
	Data []byte
}

// Write writes the report, errors, successes and pictures of each evaluation and
// returns the paths. A file is there as a whole or not at all. Files of an earlier
// run that this one has no contents for, such as errors where there are none any
// more, are removed.
func (f Files) Write(evaluations []*Evaluation) ([]string, error) {
	if err := os.MkdirAll(f.Dir, 0o777); err != nil {
		return nil, fmt.Errorf("write reports: %w", err)
	}
	var written []string
	for _, e := range evaluations {
		files, stale, err := f.of(e)
		if err != nil {
			return written, err
		}
		for _, file := range files {
			path := filepath.Join(f.Dir, file.Name)
			if err := WriteFile(path, file.Data); err != nil {
				return written, err
			}
			written = append(written, path)
		}
		for _, name := range stale {
			if err := os.Remove(filepath.Join(f.Dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return written, fmt.Errorf("remove an earlier report: %w", err)
			}
		}
	}
	return written, nil
}

// of lists the files of one evaluation, and the names of those that it has none
// of.
func (f Files) of(e *Evaluation) (files []File, stale []string, err error) {
	add := func(kind string, contents any, wanted, empty bool) {
		name := e.Name + "_" + kind + ".json"
		switch {
		case !wanted:
		case empty:
			stale = append(stale, name)
		default:
			data, encodeErr := encode(contents)
			err = errors.Join(err, encodeErr)
			files = append(files, File{name, data})
		}
	}
	add("report", e.Report, true, false)
	add("successes", e.Successes, f.Successes, len(e.Successes) == 0)
	add("errors", e.Errors, !f.NoErrors, len(e.Errors) == 0)
	if f.Plots != nil && err == nil {
		var plots []File
		plots, err = f.Plots(e)
		files = append(files, plots...)
	}
	return files, stale, err
}

// encode writes JSON as Rasa does: indented, and in UTF-8.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return nil, fmt.Errorf("encode report: %w", err)
	}
	return b.Bytes(), nil
}

// WriteFile writes a file beside its place and renames it into it.
func WriteFile(path string, data []byte) error {
	return safefile.Replace(path, data, 0o644, false)
}
