// Package golden compares what this engine does with recordings of Rasa 3.6.21.
//
// Each area has a file of its own with one Check for every file of recordings.
// Tests run the checks, and a command prints a line for each. The package is a
// tool: nothing that users run imports it.
package golden

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Report is the outcome of one comparison. A recording is equal, different,
// listed or not covered; the four add up to what the file holds.
type Report struct {
	File      string // below the folder of recordings, "project/domains.json"
	Equal     int
	Different int
	// Listed counts differences that docs/compatibility.md explains.
	Listed int
	// First tells the first difference.
	First string
	// All tells every difference.
	All []string
	// NotCovered gives the reason for each recording that was not compared.
	NotCovered []string
}

// Check compares one file of recordings.
type Check struct {
	File string
	// Run compares; dir is the folder that holds the recordings of all areas.
	Run func(dir string) Report
}

// OK reports whether nothing differs without an explanation.
func (r Report) OK() bool { return r.Different == 0 && r.First == "" }

// String is the line that the command prints.
func (r Report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-40s %5d equal", r.File, r.Equal)
	if r.Listed > 0 {
		fmt.Fprintf(&b, ", %d listed", r.Listed)
	}
	if r.Different > 0 {
		fmt.Fprintf(&b, ", %d different", r.Different)
	}
	if n := len(r.NotCovered); n > 0 {
		fmt.Fprintf(&b, ", %d not covered (%s)", n, r.NotCovered[0])
	}
	if r.First != "" {
		fmt.Fprintf(&b, "\n    first: %s", strings.ReplaceAll(r.First, "\n", "\n    "))
	}
	return b.String()
}

// equal counts a recording; a difference that is not "" makes it different.
func (r *Report) equal(name, difference string) {
	if difference == "" {
		r.Equal++
		return
	}
	r.Different++
	r.All = append(r.All, name+": "+difference)
	r.First = r.All[0]
}

// listed counts a recording that differs for a reason that is written down.
func (r *Report) listed() { r.Listed++ }

// notCovered counts a recording that was left out.
func (r *Report) notCovered(reason string) { r.NotCovered = append(r.NotCovered, reason) }

// fail makes a report of a recording that can't be read.
func fail(file string, err error) Report {
	return Report{File: file, Different: 1, First: err.Error()}
}

// load reads a recording in JSON.
func load(dir, file string, into any) error {
	data, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(file)))
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, into); err != nil {
		return fmt.Errorf("read recording %s: %w", file, err)
	}
	return nil
}

// botsDir is the folder with the assistants that the recordings are about.
func botsDir(dir string) string { return filepath.Join(filepath.Dir(dir), "bots") }
