package golden

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/google/go-cmp/cmp"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/dialogue"
	"github.com/loquat-dev/loquat/internal/dialogue/trainingtracker"
	"github.com/loquat-dev/loquat/internal/domain"
	"github.com/loquat-dev/loquat/internal/project"
	"github.com/loquat-dev/loquat/internal/story"
	"github.com/loquat-dev/loquat/internal/yamlfile"
)

// Dialogue compares stories, what training makes of them, and what policies
// predict.
func Dialogue() []Check {
	return []Check{
		{"project/stories.json", stories},
		{"project/projects.json (stories)", storiesOfProjects},
		{"dialogue/verdicts.json", verdicts},
		{"dialogue/conversations (policies)", predictions},
	}
}

type storiesRecord struct {
	Domain      string         `json:"domain"`
	Error       *recordedError `json:"error"`
	Blocks      int            `json:"story_steps"`
	RuleBlocks  int            `json:"rule_steps"`
	Steps       []blockRecord  `json:"steps"`
	Trackers    trackerCounts  `json:"trackers_augmentation_0"`
	Augmented50 trackerCounts  `json:"trackers_augmentation_50"`
}

// blockRecord is one block of a story.
type blockRecord struct {
	Name       string         `json:"name"`
	Rule       bool           `json:"rule"`
	Start      []string       `json:"start"`
	End        []string       `json:"end"`
	Events     int            `json:"events"`
	EventTypes map[string]int `json:"event_types"`
}

// storiesOfProjects compares the stories of whole projects.
func storiesOfProjects(dir string) Report {
	report := Report{File: "project/projects.json (stories)"}
	var records map[string]struct {
		Domain  string          `json:"domain"`
		Stories *projectStories `json:"stories"`
	}
	if err := load(dir, "project/projects.json", &records); err != nil {
		return fail(report.File, err)
	}
	for _, name := range slices.Sorted(maps.Keys(records)) {
		r := records[name]
		if r.Stories == nil {
			report.notCovered(name + " can't be read by 3.6.21")
			continue
		}
		domainPath := strings.TrimPrefix(r.Domain, name+"/")
		p := project.Load(filepath.Join(botsDir(dir), name), project.Paths{Config: "config.yml", Domain: []string{domainPath}, Data: []string{"data"}}, &diag.List{})
		got, err := describeStories(p.Stories, p.Domain)
		if err != nil {
			return fail(report.File, err)
		}
		report.equal(name, cmp.Diff(*r.Stories, got))
	}
	return report
}

// projectStories is what projects.json records about a project's stories.
type projectStories struct {
	Blocks      int           `json:"story_steps"`
	RuleBlocks  int           `json:"rule_steps"`
	Trackers    trackerCounts `json:"trackers_augmentation_0"`
	Augmented50 trackerCounts `json:"trackers_augmentation_50"`
	Names       []string      `json:"fingerprint_free_order"`
}

func describeStories(graph *story.Graph, d *domain.Domain) (projectStories, error) {
	out := projectStories{Blocks: len(graph.Blocks), Names: []string{}}
	for _, b := range graph.Blocks {
		if b.Rule {
			out.RuleBlocks++
		}
		out.Names = append(out.Names, b.Name)
	}
	var err error
	if out.Trackers, err = countTrackers(graph, d, 0); err != nil {
		return out, err
	}
	out.Augmented50, err = countTrackers(graph, d, 50)
	return out, err
}

type trackerCounts struct{ Total, Rule, Augmented int }

func stories(dir string) Report {
	report := Report{File: "project/stories.json"}
	var records map[string]storiesRecord
	if err := load(dir, report.File, &records); err != nil {
		return fail(report.File, err)
	}
	bots := botsDir(dir)
	for _, name := range slices.Sorted(maps.Keys(records)) {
		report.equal(name, compareStories(bots, name, records[name]))
	}
	return report
}

func compareStories(bots, name string, want storiesRecord) string {
	var problems, ignored diag.List
	d := project.LoadDomain(bots, []string{want.Domain}, &ignored)
	reader := story.Reader{Domain: d, Problems: &problems}
	graph := reader.Read(yamlfile.Read(filepath.Join(bots, name), name, &problems))
	if refused := problems.Err(); (refused != nil) != (want.Error != nil) {
		return fmt.Sprintf("refused: %v, recorded: %v", refused, want.Error)
	}
	if want.Error != nil {
		return ""
	}
	got := storiesRecord{Domain: want.Domain, Blocks: len(graph.Blocks)}
	for _, b := range graph.Blocks {
		if b.Rule {
			got.RuleBlocks++
		}
		got.Steps = append(got.Steps, describeBlock(b))
	}
	var err error
	if got.Trackers, err = countTrackers(graph, d, 0); err == nil {
		got.Augmented50, err = countTrackers(graph, d, 50)
	}
	if err != nil {
		return err.Error()
	}
	if len(got.Steps) == 0 {
		got.Steps = want.Steps
	}
	return cmp.Diff(want, got)
}

func describeBlock(b *story.Block) blockRecord {
	r := blockRecord{
		Name: b.Name, Rule: b.Rule, Events: len(b.Events), EventTypes: map[string]int{},
		Start: checkpointNames(b.Start), End: checkpointNames(b.End),
	}
	for _, e := range b.Events {
		r.EventTypes[strings.TrimPrefix(reflect.TypeOf(e.Event).String(), "*tracker.")]++
	}
	return r
}

func checkpointNames(checkpoints []story.Checkpoint) []string {
	out := []string{}
	for _, c := range checkpoints {
		if c.Generated() {
			c.Name = "GENR_OR_*"
		}
		out = append(out, c.Name)
	}
	return out
}

func countTrackers(graph *story.Graph, d *domain.Domain, augmentation int) (trackerCounts, error) {
	trackers, err := trainingTrackers(graph, d, augmentation)
	counts := trackerCounts{Total: len(trackers)}
	for _, t := range trackers {
		if t.Rule {
			counts.Rule++
		}
		if t.Augmented {
			counts.Augmented++
		}
	}
	return counts, err
}

func trainingTrackers(graph *story.Graph, d *domain.Domain, augmentation int) ([]*dialogue.TrainingTracker, error) {
	settings := trainingtracker.Defaults()
	settings.AugmentationFactor = augmentation
	return trainingtracker.Generate(context.Background(), graph, d, settings, &diag.List{})
}
