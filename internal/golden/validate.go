package golden

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/google/go-cmp/cmp"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/project"
	"github.com/loquat-dev/loquat/internal/validate"
)

// validateRun is one run of rasa data validate. Messages may be a word that says
// that they are those of another run.
type validateRun struct {
	ExitCode int             `json:"exit_code"`
	Messages json.RawMessage `json:"messages"`
}

// complaints turns what Rasa says into our codes, with what it is about.
var complaints = []struct {
	pattern *regexp.Regexp
	code    diag.Code // "" for what ours leaves out on purpose
}{
	{regexp.MustCompile(`^The config file is missing the '(.*)' mandatory key`), "missing-key"},
	{regexp.MustCompile(`^The intent '(.*)' is listed in the domain file, but is not found`), "intent-without-examples"},
	{regexp.MustCompile(`^The intent '(.*)' is not used in any`), "unused-intent"},
	{regexp.MustCompile(`^The utterance '(.*)' is not used in any`), "unused-response"},
	{regexp.MustCompile(`labeled with intent '(.*)'\. This intent is not listed`), "unlisted-intent"},
	{regexp.MustCompile(`^The intent '(.*)' is used in your stories, but it is not listed`), "unknown-intent"},
	{regexp.MustCompile(`Found intent '(.*)' in stories which is not part`), "unknown-intent"},
	{regexp.MustCompile(`(?s)^The example '(.*)' was found labeled with multiple`), "ambiguous-example"},
	{regexp.MustCompile(`^Training data file (\S*) has a lower format version`), "older-version"},
	{regexp.MustCompile(`'(?:regex|lookup|synonym): (.*)' doesn't have any examples`), "no-examples"},
	{regexp.MustCompile(`^Story structure conflict after (?:intent|action|text) '(.*)'`), "story-conflict"},
	{regexp.MustCompile(`^The MultiProjectImporter is|^Project validation completed|^The following duplicated`), ""},
}

// duplicated is what Rasa says about declarations in several domain files. It
// also says it about what it adds to the domain itself; ours does not
// (docs/compatibility.md, "Validation").
var duplicated = regexp.MustCompile(`The following duplicated (intent|response|slot)s have been found across multiple domain files: ([^\n]*)`)

var quoted = regexp.MustCompile(`"((?:[^"\\]|\\.)*)"`)

func dataValidate(dir string) Report {
	report := Report{File: "project/data_validate.json"}
	var records map[string]json.RawMessage
	if err := load(dir, report.File, &records); err != nil {
		return fail(report.File, err)
	}
	for _, name := range slices.Sorted(maps.Keys(records)) {
		var runs map[string]validateRun
		if err := json.Unmarshal(records[name], &runs); err != nil {
			report.equal(name, err.Error())
			continue
		}
		for _, run := range slices.Sorted(maps.Keys(runs)) {
			difference, listed := compareValidation(botsDir(dir), name, run, runs)
			if difference == "" && listed {
				report.listed()
				continue
			}
			report.equal(name+" "+run, difference)
		}
	}
	return report
}

// compareValidation also reports whether Rasa says more about duplicates than is
// true.
func compareValidation(bots, name, run string, runs map[string]validateRun) (difference string, listed bool) {
	want, duplicates, err := recordedComplaints(runs[run].Messages)
	if err != nil { // the same as another run
		want, duplicates, err = recordedComplaints(runs["validate"].Messages)
	}
	if err != nil {
		return err.Error(), false
	}
	paths := project.DefaultPaths()
	dir := filepath.Join(bots, name)
	if info, err := os.Stat(filepath.Join(dir, "domain")); err == nil && info.IsDir() {
		paths.Domain = []string{"domain"}
	}
	if _, err := os.Stat(filepath.Join(dir, "data")); err != nil {
		paths.Data = nil
	}
	options := validate.Options{StoriesOnly: strings.HasPrefix(run, "validate_stories")}
	if run == "validate_stories_max_history_3" {
		options.MaxHistory = 3
	}
	var problems diag.List
	p := project.Load(dir, paths, &problems)
	found, err := validate.Check(context.Background(), p, options)
	if err != nil {
		return err.Error(), false
	}
	problems.AddAll(found)
	exit := 0
	if validate.Failed(problems.All(), run == "validate_fail_on_warnings") {
		exit = 1
	}
	if exit != runs[run].ExitCode {
		difference = fmt.Sprintf("exit code %d, recorded %d\n%v\n", exit, runs[run].ExitCode, problems.Err())
	}
	var got []string
	known := 0
	for _, p := range problems.All() {
		complaint := ourComplaint(p)
		if slices.Contains(duplicates, complaint) {
			known++
			continue
		}
		got = append(got, complaint)
	}
	slices.Sort(got)
	return difference + cmp.Diff(want, slices.Compact(got)), known < len(duplicates)
}

// recordedComplaints gives what Rasa complains about, duplicates apart.
func recordedComplaints(messages json.RawMessage) (complaints, duplicates []string, err error) {
	var list []struct{ Message string }
	if err := json.Unmarshal(messages, &list); err != nil {
		return nil, nil, err
	}
	for _, m := range list {
		for _, d := range duplicated.FindAllStringSubmatch(m.Message, -1) {
			for name := range strings.SplitSeq(d[2], ", ") {
				duplicates = append(duplicates, "duplicate-"+d[1]+" "+strings.TrimSpace(name))
			}
		}
		if c := theirComplaint(m.Message); c != "" {
			complaints = append(complaints, c)
		}
	}
	slices.Sort(complaints)
	slices.Sort(duplicates)
	return slices.Compact(complaints), slices.Compact(duplicates), nil
}

func theirComplaint(message string) string {
	for _, c := range complaints {
		if m := c.pattern.FindStringSubmatch(message); m != nil {
			if c.code == "" {
				return ""
			}
			return string(c.code) + " " + m[1]
		}
	}
	return "unknown complaint: " + message
}

// ourComplaint is the code with the first name in quotes, or the file.
func ourComplaint(p diag.Problem) string {
	subject := p.Pos.File
	if m := quoted.FindStringSubmatch(p.Message); m != nil && p.Code != "older-version" {
		_ = json.Unmarshal([]byte(m[0]), &subject)
	}
	return string(p.Code) + " " + subject
}
