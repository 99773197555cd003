package domain

import (
	"slices"
	"strconv"
)

// IntentNames lists the declared intents and the default ones, sorted. It is the
// order of features and labels.
func (d *Domain) IntentNames() []string {
	names := slices.Clone(DefaultIntents)
	for _, i := range d.Intents {
		names = append(names, i.Name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// EntityLabels lists what counts as an entity in dialogue states: the sorted
// names, then name#role and name#group.
func (d *Domain) EntityLabels() []string {
	var names, labels []string
	for _, e := range d.Entities {
		names = append(names, e.Name)
		labels = append(labels, e.labels()...)
	}
	slices.Sort(names)
	return append(names, labels...)
}

// labels are the entity's name#role and name#group.
func (e Entity) labels() []string {
	var out []string
	for _, label := range slices.Concat(e.Roles, e.Groups) {
		out = append(out, e.Name+"#"+label)
	}
	return out
}

// SlotFeatureNames lists the features of all slots: name_0, name_1 and so on.
func (d *Domain) SlotFeatureNames() []string {
	var out []string
	for _, s := range d.Slots {
		for i := range s.Features() {
			out = append(out, s.Name+"_"+strconv.Itoa(i))
		}
	}
	return out
}

// UsedEntities lists, sorted, the entity labels that count for an intent in
// dialogue states. Names of intents that are not declared count all.
//
// In Rasa 3.6 what an intent ignores wins over what it uses, and an entity that
// does not influence the conversation is ignored by every intent that has no
// ignore_entities of its own.
func (d *Domain) UsedEntities(intent string) []string { return d.usedEntities(d.Intent(intent)) }

func (d *Domain) usedEntities(i *Intent) []string {
	if i == nil {
		i = &Intent{}
	}
	if i.UseNone {
		return nil
	}
	var included []string
	excluded := map[string]bool{}
	byName := make(map[string]Entity, len(d.Entities))
	ignore := i.IgnoreEntities
	for _, e := range d.Entities {
		byName[e.Name] = e
		if !e.Influences && i.IgnoreEntities == nil {
			ignore = append(ignore, e.Name)
		}
		if i.UseEntities == nil && e.Influences {
			included = append(append(included, e.Name), e.labels()...)
		}
	}
	for _, name := range i.UseEntities {
		included = append(append(included, name), byName[name].labels()...)
	}
	for _, name := range ignore {
		excluded[name] = true
		for _, label := range byName[name].labels() {
			excluded[label] = true
		}
	}
	included = slices.DeleteFunc(included, func(label string) bool { return excluded[label] })
	slices.Sort(included)
	return slices.Compact(included)
}
