package golden

import (
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// uncovered tells what is missing for the recordings that nothing compares yet,
// by the beginning of their names.
var uncovered = []struct{ prefix, reason string }{
	{"http/action_server/sdk.json", "it is about rasa-sdk, another program"},
	{"dialogue/ted.json", "it is compared by go run ./bench dialogue"},
}

// All lists the comparisons with every recording below dir. The program answers
// the recorded requests of the HTTP API.
func All(dir string, program Program) ([]Check, error) {
	conversations, err := Conversations(dir)
	if err != nil {
		return nil, err
	}
	checks := slices.Concat(Project(), Engine(), Dialogue(), conversations, NLU(), HTTPChecks(program), Encoder(), ActionRequests(), []Check{ActionAnswers})
	rest, err := notCompared(dir, checks)
	if err != nil {
		return nil, err
	}
	checks = append(checks, rest...)
	slices.SortStableFunc(checks, func(a, b Check) int { return strings.Compare(a.File, b.File) })
	return checks, nil
}

// notCompared makes a check, which only says so, of each file of recordings that
// has none.
func notCompared(dir string, checks []Check) ([]Check, error) {
	var out []Check
	err := filepath.WalkDir(dir, func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, file)
		name = filepath.ToSlash(name)
		if entry.IsDir() {
			if name == "dialogue/bots" || name == "http/project" { // what the recordings are about
				return fs.SkipDir
			}
			return err
		}
		if ext := path.Ext(name); ext != ".json" && ext != ".jsonl" {
			return err
		}
		if !slices.ContainsFunc(checks, func(c Check) bool { return c.File == name }) {
			out = append(out, Check{name, func(string) Report {
				r := Report{File: name}
				r.notCovered(reasonFor(name))
				return r
			}})
		}
		return err
	})
	return out, err
}

func reasonFor(name string) string {
	for _, u := range uncovered {
		if strings.HasPrefix(name, u.prefix) {
			return u.reason
		}
	}
	return "nothing compares it"
}
