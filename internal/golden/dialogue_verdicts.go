package golden

import (
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/graph"
)

// verdicts compares which assistants training refuses, and which rules and
// stories it names.
func verdicts(dir string) Report {
	report := Report{File: "dialogue/verdicts.json"}
	var records map[string]struct {
		Policies []graph.Config `json:"policies"`
		Refused  *recordedError `json:"refused"`
	}
	if err := load(dir, report.File, &records); err != nil {
		return fail(report.File, err)
	}
	for _, name := range slices.Sorted(maps.Keys(records)) {
		assistant := filepath.Join(dir, "dialogue", "bots", name[:strings.LastIndexByte(name, '.')])
		if !strings.HasPrefix(name, "gen-") {
			assistant = filepath.Join(botsDir(dir), filepath.Base(assistant))
		}
		var got, want []string
		if _, err := trainPolicies(assistant, records[name].Policies); err != nil {
			got = contradictions(err)
		}
		if refused := records[name].Refused; refused != nil {
			if want = recordedGaps(refused.Message); len(want) > 0 {
				got = gaps(got) // Rasa looks no further; ours says all at once
			} else {
				want = recordedContradictions(refused.Message)
			}
		}
		difference := ""
		if !slices.Equal(got, want) {
			difference = fmt.Sprintf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		report.equal(name, difference)
	}
	return report
}

var (
	recordedLine = regexp.MustCompile(`the prediction of the action '([^']*)' in (story|rule) '(.*?)' is contradicting with rule\(s\) '(.*?)' which predicted action '([^']*)'`)
	problemLine  = regexp.MustCompile(`^(story|rule) "(.*?)" goes on with "([^"]*)", but (.*) predicts "([^"]*)" here$`)
	ruleName     = regexp.MustCompile(`rule "(.*?)"`)
)

var (
	recordedGap = regexp.MustCompile(`the (?:action|form) '([^']*)' in rule '(.*?)' does not set (some of the slots|the 'active_loop')`)
	gapLine     = regexp.MustCompile(`rule "(.*?)" leaves open which (value slots?|loop).* after action "([^"]*)"`)
)

// recordedGaps describes the rules that Rasa calls incomplete: what one leaves open
// after which action.
func recordedGaps(message string) []string {
	var out []string
	for _, m := range recordedGap.FindAllStringSubmatch(message, -1) {
		out = append(out, fmt.Sprintf("rule %s: %s: %s", m[2], m[1], m[3]))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// gaps picks the incomplete rules among our problems.
func gaps(problems []string) []string {
	var out []string
	for _, p := range problems {
		if m := gapLine.FindStringSubmatch(p); m != nil {
			what := map[string]string{"value slot": "some of the slots", "value slots": "some of the slots", "loop": "the 'active_loop'"}[m[2]]
			out = append(out, fmt.Sprintf("rule %s: %s: %s", m[1], m[3], what))
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func recordedContradictions(message string) []string {
	var out []string
	for _, m := range recordedLine.FindAllStringSubmatch(message, -1) {
		rules := strings.Split(m[4], ", ")
		slices.Sort(rules)
		out = append(out, fmt.Sprintf("%s %s: %s, %v: %s", m[2], m[3], m[1], rules, m[5]))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// contradictions describes our problems in the same way. Anything else that is
// wrong comes as it is.
func contradictions(err error) []string {
	problems := diag.Of(err)
	if problems == nil {
		return []string{err.Error()}
	}
	var out []string
	for _, p := range problems {
		m := problemLine.FindStringSubmatch(p.Message)
		if m == nil {
			out = append(out, p.Error())
			continue
		}
		var rules []string
		for _, r := range ruleName.FindAllStringSubmatch(m[4], -1) {
			rules = append(rules, r[1])
		}
		slices.Sort(rules)
		out = append(out, fmt.Sprintf("%s %s: %s, %v: %s", m[1], m[2], m[3], rules, m[5]))
	}
	slices.Sort(out)
	return slices.Compact(out)
}
