package golden

import (
	"maps"
	"slices"

	"github.com/google/go-cmp/cmp"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/project"
)

// startedRecord is the event "Training Started" that Rasa computes for an
// assistant. Rasa counts an assistant as its record in projects.json names it.
type startedRecord struct {
	Error   *recordedError `json:"error"`
	Started map[string]any `json:"training_started"`
}

// readTwice names the folders of an assistant that lie below data and are imported
// too. Rasa 3.6 reads such a folder twice and adds up the stories, regexes and lookup
// tables; ours reads each file once (docs/compatibility.md, "Imported projects").
var readTwice = map[string][]string{"rasa-test-multi-domain": {"data/MoodBot", "data/GreetBot"}}

// statistics compares the counts, language, recipe and flag of each assistant
// without flows. What else the event has follows Rasa's documented sample instead
// (docs/compatibility.md, "Usage telemetry").
func statistics(dir string) Report {
	report := Report{File: "project/training_started.json"}
	var records map[string]startedRecord
	var projects map[string]projectRecord
	if err := load(dir, report.File, &records); err != nil {
		return fail(report.File, err)
	}
	if err := load(dir, "project/projects.json", &projects); err != nil {
		return fail(report.File, err)
	}
	for _, name := range slices.Sorted(maps.Keys(records)) {
		want := records[name]
		if len(want.Started) == 0 || want.Error != nil {
			continue // Rasa stops before the event, or after it for want of flows
		}
		bots := botsDir(dir)
		again := countAgain(bots, name, readTwice[name])
		difference := compareStarted(bots, projects[name], want.Started, again)
		if difference == "" && len(again) > 0 {
			report.listed()
			continue
		}
		report.equal(name, difference)
	}
	return report
}

// countAgain counts what is in the folders that Rasa reads twice, and adds up.
func countAgain(bots, name string, folders []string) map[string]float64 {
	again := map[string]float64{}
	for _, folder := range folders {
		p := project.Load(bots, project.Paths{Data: []string{name + "/" + folder}}, &diag.List{})
		n := project.CountNLU(p.NLU)
		again["num_story_steps"] += float64(len(p.Stories.Blocks))
		again["num_lookup_tables"] += float64(n.LookupTables)
		again["num_regexes"] += float64(n.Regexes)
	}
	return again
}

// compareStarted compares with the event less what Rasa counted again.
func compareStarted(bots string, where projectRecord, want map[string]any, again map[string]float64) string {
	var problems diag.List
	paths := project.Paths{Config: where.Config, Domain: []string{where.Domain}}
	if where.Data != nil {
		paths.Data = []string{*where.Data}
	}
	p := project.Load(bots, paths, &problems)
	s, n := p.Statistics(), project.CountNLU(p.NLU)
	got := map[string]any{
		"num_intent_examples": n.IntentExamples, "num_entity_examples": n.EntityExamples, "num_actions": s.Actions,
		"num_templates": s.Responses, "num_conditional_response_variations": s.ConditionalResponseVariations,
		"num_slot_mappings": s.SlotMappings, "num_custom_slot_mappings": s.CustomSlotMappings,
		"num_conditional_slot_mappings": s.ConditionalSlotMappings, "num_slots": s.Slots, "num_forms": s.Forms,
		"num_intents": s.Intents, "num_entities": s.Entities, "num_story_steps": s.StorySteps,
		"num_lookup_tables": n.LookupTables, "num_synonyms": n.Synonyms, "num_regexes": n.Regexes,
		"language": p.Config.Language, "recipe": p.Config.Recipe, "is_finetuning": false, "type": "rasa",
	}
	expected := map[string]any{}
	for key := range got {
		if expected[key] = want[key]; want[key] == nil {
			expected[key] = ""
		}
	}
	for key, count := range again {
		recorded, _ := expected[key].(float64)
		expected[key] = recorded - count
	}
	return cmp.Diff(plainValue(expected), plainValue(got))
}
