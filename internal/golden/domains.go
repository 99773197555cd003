package golden

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/google/go-cmp/cmp"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/domain"
	"github.com/loquat-dev/loquat/internal/project"
)

// domainRecord is one domain in the recording.
type domainRecord struct {
	Error        *recordedError            `json:"error"`
	AsDict       map[string]any            `json:"as_dict"`
	Intents      []string                  `json:"intents"`
	Entities     []string                  `json:"entities"`
	Actions      []string                  `json:"action_names_or_texts"`
	Forms        []string                  `json:"form_names"`
	Slots        map[string]map[string]any `json:"slots"`
	InputStates  int                       `json:"input_states"`
	EntityStates []string                  `json:"entity_states"`
	SlotStates   []string                  `json:"slot_states"`
	Retrieval    []string                  `json:"retrieval_intents"`
	Session      map[string]any            `json:"session_config"`
	Filtered     map[string][]string       `json:"intents_with_filtered_entities"`
	Mappings     map[string]int            `json:"slot_mapping_counts"`
	Conditional  int                       `json:"conditional_response_variations"`
}

// unorderedFolders are domain folders of several files in which the order of
// names follows the order of files. Rasa reads files as the file system lists
// them, we read them sorted (docs/compatibility.md, "Order of domain files").
var unorderedFolders = []string{
	"financial-demo-calm/domain/",
	"rasa-format-fixtures/test_domains/test_domain_from_directory_for_entities/",
	"rasa-format-fixtures/test_domains/test_domain_from_multiple_files/",
}

func domains(dir string) Report {
	report := Report{File: "project/domains.json"}
	var records map[string]domainRecord
	if err := load(dir, report.File, &records); err != nil {
		return fail(report.File, err)
	}
	for _, name := range slices.Sorted(maps.Keys(records)) {
		var problems diag.List
		d := project.LoadDomain(botsDir(dir), []string{strings.TrimSuffix(name, "/")}, &problems)
		difference := compareDomain(records[name], d, &problems)
		if difference != "" && slices.Contains(unorderedFolders, name) && compareDomain(records[name].sorted(), sortedDomain{d}, &problems) == "" {
			report.listed()
			continue
		}
		report.equal(name, difference)
	}
	return report
}

// described is what the comparison asks of a domain.
type described interface {
	describe() (domainRecord, error)
}

type plainDomain struct{ *domain.Domain }

func (d plainDomain) describe() (domainRecord, error) { return describeDomain(d.Domain) }

type sortedDomain struct{ *domain.Domain }

func (d sortedDomain) describe() (domainRecord, error) {
	r, err := describeDomain(d.Domain)
	return r.sorted(), err
}

func compareDomain(want domainRecord, from any, problems *diag.List) string {
	if (want.Error != nil) != problems.HasErrors() {
		if want.Error != nil {
			return "accepted, but Rasa says: " + want.Error.Message
		}
		return "refused: " + problems.Err().Error()
	}
	if want.Error != nil {
		return ""
	}
	d, ok := from.(described)
	if !ok {
		d = plainDomain{from.(*domain.Domain)}
	}
	got, err := d.describe()
	if err != nil {
		return err.Error()
	}
	want.normalize()
	got.normalize()
	return cmp.Diff(want, got)
}

// normalize makes lists that mean the same equal.
func (r *domainRecord) normalize() {
	slices.Sort(r.EntityStates)
	for _, list := range []*[]string{&r.Intents, &r.Entities, &r.EntityStates, &r.Forms, &r.SlotStates, &r.Retrieval} {
		if len(*list) == 0 {
			*list = nil
		}
	}
	for intent, labels := range r.Filtered {
		slices.Sort(labels)
		if len(labels) == 0 {
			r.Filtered[intent] = nil
		}
	}
}

// sorted forgets the order of what several files declare.
func (r domainRecord) sorted() domainRecord {
	r.AsDict = maps.Clone(r.AsDict)
	for _, key := range []string{"actions", "entities"} {
		if list, ok := r.AsDict[key].([]any); ok {
			list = slices.Clone(list)
			slices.SortFunc(list, func(a, b any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
			r.AsDict[key] = list
		}
	}
	r.Actions, r.SlotStates = slices.Sorted(slices.Values(r.Actions)), slices.Sorted(slices.Values(r.SlotStates))
	return r
}

func describeDomain(d *domain.Domain) (domainRecord, error) {
	r := domainRecord{
		Intents: d.IntentNames(), Actions: d.ActionNames(), EntityStates: d.EntityLabels(), SlotStates: d.SlotFeatureNames(),
		Slots: map[string]map[string]any{}, Filtered: map[string][]string{},
		Mappings: map[string]int{"total": 0, "custom": 0, "conditional": 0},
		Session: map[string]any{
			"session_expiration_time": d.Session.ExpirationMinutes, "carry_over_slots_to_new_session": d.Session.CarryOverSlots,
		},
	}
	if err := throughJSON(d.AsDict(), &r.AsDict); err != nil {
		return r, err
	}
	for _, e := range d.Entities {
		r.Entities = append(r.Entities, e.Name)
	}
	slices.Sort(r.Entities)
	for _, f := range d.Forms {
		r.Forms = append(r.Forms, f.Name)
	}
	for _, i := range d.Intents {
		if i.Retrieval {
			r.Retrieval = append(r.Retrieval, i.Name)
		}
	}
	for _, i := range r.Intents {
		if used := d.UsedEntities(i); !slices.Equal(used, r.Entities) {
			r.Filtered[i] = used
		}
	}
	for _, variations := range d.Responses {
		for _, v := range variations {
			if len(v.Conditions) > 0 {
				r.Conditional++
			}
		}
	}
	for _, s := range d.Slots {
		if err := describeSlot(&r, s); err != nil {
			return r, err
		}
	}
	r.InputStates = len(r.Intents) + len(r.EntityStates) + len(r.SlotStates) + len(r.Actions) + len(r.Forms)
	return r, nil
}

func describeSlot(r *domainRecord, s *domain.Slot) error {
	mappings := []any{}
	for _, m := range s.Mappings {
		mappings = append(mappings, m.Raw)
		r.Mappings["total"]++
		if m.Type == domain.Custom {
			r.Mappings["custom"]++
		}
		if len(m.Conditions) > 0 {
			r.Mappings["conditional"]++
		}
	}
	slot := map[string]any{
		"type": s.Type, "initial_value": s.InitialValue, "influence_conversation": s.Influences,
		"features": s.Features(), "mappings": mappings,
	}
	switch s.Type {
	case domain.Float:
		slot["min_value"], slot["max_value"] = s.Min, s.Max
	case domain.Categorical:
		slot["values"] = append(slices.Clone(s.Values), "__other__")
	}
	var plain map[string]any
	err := throughJSON(slot, &plain)
	r.Slots[s.Name] = plain
	return err
}

// throughJSON converts a value to what its JSON reads back as.
func throughJSON(from, into any) error {
	data, err := json.Marshal(from)
	if err != nil {
		return err
	}
	return json.Unmarshal(data, into)
}
