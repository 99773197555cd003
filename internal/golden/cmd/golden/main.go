// Command golden compares this engine with the recordings of Rasa 3.6.21: a line
// for each file says how much is equal, what differs first, and what is not
// covered yet. The exit code is 1 when something differs without an explanation in
// docs/compatibility.md.
package main

import (
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/loquat-dev/loquat/internal/golden"
	"github.com/loquat-dev/loquat/internal/sharedtest"
)

// areas are the folders of recordings that belong to what is built.
var areas = []string{"project", "http", "nlu", "dialogue"}

// uncovered says why a file of recordings has no comparison yet.
var uncovered = map[string]string{
	"project/training_started.json": "comes with usage telemetry",
	"dialogue/ted.json":             "TEDPolicy is not built yet",
	"nlu/crf_features.jsonl":        "CRFEntityExtractor is not built yet",
	"http/action_server/sdk.json":   "records rasa-sdk itself, which is another program",
}

func main() {
	binary := flag.String("binary", "bin/loquat", "the program under test")
	flag.Parse()
	dir, ok := sharedtest.Find("data", "golden")
	if !ok {
		fmt.Printf("skipped: no recordings at %s\n", dir)
		return
	}
	different, err := compare(dir, *binary)
	if err != nil {
		fmt.Fprintln(os.Stderr, "golden:", err)
		os.Exit(1)
	}
	if different > 0 {
		fmt.Printf("%d files differ\n", different)
		os.Exit(1)
	}
}

func compare(dir, binary string) (different int, err error) {
	binary, err = filepath.Abs(binary)
	if err != nil {
		return 0, err
	}
	conversations, err := golden.Conversations(dir)
	if err != nil {
		return 0, err
	}
	checks := slices.Concat(
		golden.Project(), golden.Dialogue(), golden.ActionRequests(), []golden.Check{golden.ActionAnswers},
		golden.NLU(), golden.HTTPChecks(golden.Program{Path: binary}), conversations,
	)
	slices.SortStableFunc(checks, func(a, b golden.Check) int { return strings.Compare(a.File, b.File) })
	seen := map[string]bool{}
	for _, c := range checks {
		seen[c.File] = true
		report := c.Run(dir)
		fmt.Println(report)
		if !report.OK() {
			different++
		}
	}
	return different, listRest(dir, seen)
}

// listRest names the files of recordings that nothing compares.
func listRest(dir string, seen map[string]bool) error {
	for _, area := range areas {
		err := filepath.WalkDir(filepath.Join(dir, area), func(path string, entry fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if entry.IsDir() && (entry.Name() == "bots" || entry.Name() == "project" && area == "http") {
				return filepath.SkipDir // inputs
			}
			name, err := filepath.Rel(dir, path)
			name = filepath.ToSlash(name)
			if err != nil || entry.IsDir() || seen[name] || !strings.HasPrefix(filepath.Ext(name), ".json") {
				return err
			}
			reason := uncovered[name]
			if reason == "" {
				reason = "nothing compares it"
			}
			fmt.Printf("%-40s not covered yet: %s\n", name, reason)
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
