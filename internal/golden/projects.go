package golden

import (
	"fmt"
	"maps"
	"slices"

	"github.com/google/go-cmp/cmp"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/domain"
	"github.com/loquat-dev/loquat/internal/project"
)

// projectRecord is an assistant as a whole.
type projectRecord struct {
	Config string         `json:"config"`
	Domain string         `json:"domain"`
	Data   *string        `json:"data"`
	Error  *recordedError `json:"error"`
	Counts map[string]any `json:"domain_counts"`
	NLU    nluCounts      `json:"nlu"`
	Story  struct {
		Blocks      int           `json:"story_steps"`
		Rules       int           `json:"rule_steps"`
		Trackers    trackerCounts `json:"trackers_augmentation_0"`
		Augmented50 trackerCounts `json:"trackers_augmentation_50"`
		Names       []string      `json:"fingerprint_free_order"`
	} `json:"stories"`
}

// withoutImports were recorded where the folders that they import were not found:
// Rasa 3.6 goes on in silence with what lies below the paths of the project itself,
// and gives exactly these counts and warnings. How it reads the imported folders is
// in training_started.json and data_validate.json.
var withoutImports = []string{"rasa-test-multi-domain"}

func projects(dir string) Report {
	report := Report{File: "project/projects.json"}
	var records map[string]projectRecord
	if err := load(dir, report.File, &records); err != nil {
		return fail(report.File, err)
	}
	for _, name := range slices.Sorted(maps.Keys(records)) {
		want := records[name]
		if slices.Contains(withoutImports, name) {
			want.Config = ""
		}
		report.equal(name, compareProject(botsDir(dir), want))
	}
	return report
}

func compareProject(bots string, want projectRecord) string {
	var problems diag.List
	paths := project.Paths{Config: want.Config, Domain: []string{want.Domain}}
	if want.Data != nil {
		paths.Data = []string{*want.Data}
	}
	p := project.Load(bots, paths, &problems)
	if want.Error != nil {
		if !problems.HasErrors() {
			return "accepted, but Rasa says: " + want.Error.Message
		}
		return ""
	}
	got := projectRecord{Config: want.Config, Domain: want.Domain, Data: want.Data, NLU: countNLU(p.NLU)}
	if problems.HasErrors() {
		if responses := want.Counts["responses"]; responses != 0.0 || len(p.OwnDomain.Responses) == 0 {
			return "refused: " + problems.Err().Error()
		}
		// Rasa goes on with an empty domain; here the problems end the command.
		p.Domain = domain.Read(nil, &problems)
	}
	got.NLU.Examples += len(p.Turns())
	d := p.Domain
	retrieval := []any{}
	for _, i := range d.Intents {
		if i.Retrieval {
			retrieval = append(retrieval, i.Name)
		}
	}
	got.Counts = map[string]any{
		"intents": len(d.IntentNames()), "entities": len(d.Entities), "slots": len(d.Slots), "forms": len(d.Forms), "responses": len(d.Responses),
		"actions": len(d.ActionNames()), "e2e_actions": len(d.E2EActions), "retrieval_intents": retrieval,
	}
	for _, b := range p.Stories.Blocks {
		got.Story.Blocks++
		if b.Rule {
			got.Story.Rules++
		}
		got.Story.Names = append(got.Story.Names, b.Name)
	}
	var err error
	if got.Story.Trackers, err = countTrackers(p.Stories, d, 0); err == nil {
		got.Story.Augmented50, err = countTrackers(p.Stories, d, 50)
	}
	if err != nil {
		return fmt.Sprint(err)
	}
	if len(want.Story.Names) == 0 {
		want.Story.Names = nil
	}
	want.NLU, got.NLU = want.NLU.normalized(), got.NLU.normalized()
	want.NLU.Warnings = nil
	if diff := cmp.Diff(plainValue(want.Counts), plainValue(got.Counts)); diff != "" {
		return diff
	}
	want.Counts, got.Counts = nil, nil
	return cmp.Diff(want, got)
}
