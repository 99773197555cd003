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
		report.equal(name, compareStarted(botsDir(dir), projects[name], want.Started))
	}
	return report
}

func compareStarted(bots string, where projectRecord, want map[string]any) string {
	var problems diag.List
	paths := project.Paths{Config: where.Config, Domain: []string{where.Domain}}
	if where.Data != nil {
		paths.Data = []string{*where.Data}
	}
	p := project.Load(bots, paths, &problems)
	s, n := p.Statistics(), p.NLUStatistics()
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
	return cmp.Diff(plainValue(expected), plainValue(got))
}
