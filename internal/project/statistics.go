package project

import (
	"github.com/loquat-dev/loquat/internal/domain"
	"github.com/loquat-dev/loquat/internal/nludata"
)

// Statistics counts what a project has besides its NLU data, as Rasa 3.6 counts it.
// They are numbers and nothing else: no name that somebody chose is in them.
type Statistics struct {
	Actions                       int // with the default ones, forms and bot texts
	Responses                     int // names
	ConditionalResponseVariations int
	SlotMappings                  int
	CustomSlotMappings            int
	ConditionalSlotMappings       int
	Slots                         int // with automatic ones
	Forms                         int
	Intents                       int // with the default ones
	Entities                      int
	StorySteps                    int // blocks of stories and rules
}

// NLUStatistics counts NLU data.
type NLUStatistics struct {
	IntentExamples int // examples with an intent
	EntityExamples int // examples with at least one entity
	LookupTables   int
	Synonyms       int // surface forms
	Regexes        int
}

// Statistics counts what the project has, besides its NLU data.
func (p *Project) Statistics() Statistics {
	d := p.Domain
	s := Statistics{
		Actions: len(d.ActionNames()), Responses: len(d.Responses), Slots: len(d.Slots),
		Forms: len(d.Forms), Intents: len(d.IntentNames()), Entities: len(d.Entities),
	}
	for _, b := range p.Stories.Blocks {
		s.StorySteps += 1 + p.again[b.Pos.File]
	}
	for _, variations := range d.Responses {
		for _, v := range variations {
			if v.Node.Has("condition") {
				s.ConditionalResponseVariations++
			}
		}
	}
	for _, slot := range d.Slots {
		for _, m := range slot.Mappings {
			s.SlotMappings++
			if m.Type == domain.Custom {
				s.CustomSlotMappings++
			}
			if _, ok := m.Raw["conditions"]; ok {
				s.ConditionalSlotMappings++
			}
		}
	}
	return s
}

// NLUStatistics counts the project's NLU data. As with stories, regular expressions
// and lookup tables count as often as Rasa 3.6 reads their file.
func (p *Project) NLUStatistics() NLUStatistics {
	s := CountNLU(p.NLU)
	for _, r := range p.NLU.Regexes {
		s.Regexes += p.again[r.Pos.File]
	}
	for _, l := range p.NLU.Lookups {
		s.LookupTables += p.again[l.Pos.File]
	}
	return s
}

// CountNLU counts NLU data.
func CountNLU(data *nludata.TrainingData) NLUStatistics {
	s := NLUStatistics{LookupTables: len(data.Lookups), Synonyms: len(data.Synonyms), Regexes: len(data.Regexes)}
	for _, e := range data.Examples {
		if e.Intent != "" {
			s.IntentExamples++
		}
		if len(e.Entities) > 0 {
			s.EntityExamples++
		}
	}
	return s
}
