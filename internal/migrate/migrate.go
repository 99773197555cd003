// Package migrate turns a domain that was written for Rasa 2 into one of Rasa 3:
// what fills a slot stands below the slot, where Rasa 2 had it below the forms that
// ask for it, or filled the slot from an entity of the same name by itself.
//
// The result means what "rasa data migrate" 3.6 writes; docs/compatibility.md has
// the differences.
package migrate

import (
	"slices"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/yamlfile"
)

// Version is that of the format that a migrated file is in.
const Version = "3.1"

// File is one file of a domain.
type File struct {
	Name string // for messages
	Root *yamlfile.Node
}

// Domain migrates the files of one domain. The roots are maps, and stay as they
// are. What can't be migrated is put on the list as an error, what should be looked
// at as a warning.
func Domain(files []File, problems *diag.List) []File {
	m := migration{problems: problems}
	for _, f := range files {
		m.look(f)
	}
	if problems.HasErrors() {
		return nil
	}
	forms := m.migrateForms()
	slots := m.migrateSlots()
	out := make([]File, len(files))
	for i, f := range files {
		root := &yamlfile.Node{Kind: yamlfile.Map}
		for _, p := range f.Root.Pairs {
			switch p.Key.Text {
			case "version":
				p.Value = yamlfile.NewString(Version)
			case "forms":
				if m.slots == nil && len(slots.Pairs) > 0 { // somewhere the mappings must go
					root.Pairs = append(root.Pairs, yamlfile.Pair{Key: yamlfile.NewString("slots"), Value: slots})
				}
				p.Value = forms
			case "slots":
				p.Value = slots
			}
			root.Pairs = append(root.Pairs, p)
		}
		out[i] = File{f.Name, root}
	}
	return out
}

// migration is what is known of all files.
type migration struct {
	problems *diag.List
	forms    *yamlfile.Pair // the one section of that name, or nil
	slots    *yamlfile.Pair
	entities []string // without those that have roles or groups, as in Rasa

	filled []string                    // slots with mappings in forms, as they come
	mapped map[string][]*yamlfile.Node // mappings by the name of a slot
}

// look finds the sections of a file.
func (m *migration) look(f File) {
	if v := f.Root.Get("version"); v.TextOrEmpty() >= Version {
		m.problems.Errorf(v.Pos, "newer-version", "leave out files of Rasa 3", "the file has been migrated already: its version is %s", v.Text)
	}
	for i, p := range f.Root.Pairs {
		switch p.Key.Text {
		case "forms":
			m.section(&m.forms, &f.Root.Pairs[i])
		case "slots":
			m.section(&m.slots, &f.Root.Pairs[i])
		case "entities":
			if p.Value.Kind == yamlfile.List {
				for _, item := range p.Value.Items {
					if name, ok := item.Str(); ok {
						m.entities = append(m.entities, name)
					}
				}
			}
		}
	}
}

func (m *migration) section(known **yamlfile.Pair, p *yamlfile.Pair) {
	switch {
	case *known != nil:
		m.problems.Errorf(p.Key.Pos, "invalid-domain", "put them into one file", "there are %s in several files; the first are at %s", p.Key.Text, (*known).Key.Pos)
	case !p.Value.IsNull() && p.Value.Kind != yamlfile.Map:
		m.problems.Errorf(p.Value.Pos, "invalid-domain", "write each name with a colon, and what belongs to it below", "%s must be a map, not %s", p.Key.Text, p.Value.Kind)
	default:
		*known = p
	}
}

// migrateForms makes forms of lists of slots, and notes the mappings of the slots.
func (m *migration) migrateForms() *yamlfile.Node {
	m.mapped = map[string][]*yamlfile.Node{}
	out := &yamlfile.Node{Kind: yamlfile.Map}
	if m.slots != nil {
		for _, p := range m.slots.Value.Pairs {
			if mappings := p.Value.Get("mappings"); !mappings.IsNull() && mappings.Kind == yamlfile.List {
				m.mapped[p.Key.Text] = slices.Clone(mappings.Items)
			}
		}
	}
	if m.forms == nil {
		return out
	}
	for _, form := range m.forms.Value.Pairs {
		if !form.Value.IsNull() && form.Value.Kind != yamlfile.Map {
			m.problems.Errorf(form.Value.Pos, "invalid-form", "write required_slots: below the form's name", "the settings of form %q must be a map, not %s", form.Key.Text, form.Value.Kind)
			continue
		}
		out.Pairs = append(out.Pairs, yamlfile.Pair{Key: form.Key, Value: m.form(form.Key.Text, form.Value)})
	}
	return out
}

// form makes the new settings of a form. The slots stand below required_slots, or,
// as in the first versions of Rasa 2, directly below the form.
func (m *migration) form(name string, body *yamlfile.Node) *yamlfile.Node {
	required := &yamlfile.Node{Kind: yamlfile.List}
	out := mapOf("required_slots", required)
	slots := &yamlfile.Node{Kind: yamlfile.Map}
	if body.Has("required_slots") {
		slots = body.Get("required_slots")
	}
	for _, p := range pairs(body) {
		switch {
		case p.Key.Text == "ignored_intents":
			out.Pairs = append(out.Pairs, p)
		case p.Key.Text == "required_slots":
		case body.Has("required_slots"):
			m.problems.Warnf(p.Key.Pos, "unknown-key", "", "a form has no key %q; it is left out", p.Key.Text)
		default:
			slots.Pairs = append(slots.Pairs, p)
		}
	}
	switch {
	case slots.IsNull():
	case slots.Kind == yamlfile.List:
		m.problems.Errorf(slots.Pos, "invalid-form", `if all of the domain is like that, change its version to "3.1"`, "the slots of form %q are a list already, as in Rasa 3", name)
	case slots.Kind != yamlfile.Map:
		m.problems.Errorf(slots.Pos, "invalid-form", "write each slot with its mappings below it", "the slots of form %q must be a map, not %s", name, slots.Kind)
	}
	for _, p := range pairs(slots) {
		required.Items = append(required.Items, yamlfile.NewString(p.Key.Text))
		m.addMappings(name, p)
	}
	return out
}

// addMappings adds the mappings that a form has for a slot to those of the slot. A mapping
// that the slot has already gets one more condition.
func (m *migration) addMappings(form string, slot yamlfile.Pair) {
	name := slot.Key.Text
	if !slot.Value.IsNull() && slot.Value.Kind != yamlfile.List {
		m.problems.Errorf(slot.Value.Pos, "invalid-mapping", "write - type: for each mapping", "the mappings of slot %q in form %q must be a list, not %s", name, form, slot.Value.Kind)
		return
	}
	before, known := m.mapped[name]
	if !known && !slices.Contains(m.filled, name) {
		m.filled = append(m.filled, name)
	}
	after := slices.Clone(before)
	if slot.Value != nil {
		for _, mapping := range slot.Value.Items {
			if mapping.Kind != yamlfile.Map {
				m.problems.Errorf(mapping.Pos, "invalid-mapping", "write - type: and its settings", "a mapping of slot %q must be a map, not %s", name, mapping.Kind)
				continue
			}
			mapping = without(mapping, "conditions")
			i := slices.IndexFunc(before, func(other *yamlfile.Node) bool { return equal(without(other, "conditions"), mapping) })
			if i < 0 {
				after = append(after, withCondition(mapping, form, name))
			} else {
				after[i] = withCondition(after[i], form, name)
			}
		}
	}
	m.mapped[name] = after
}

// migrateSlots gives each slot its mappings.
func (m *migration) migrateSlots() *yamlfile.Node {
	out := &yamlfile.Node{Kind: yamlfile.Map}
	var declared *yamlfile.Node
	if m.slots != nil {
		declared = m.slots.Value
	}
	for _, p := range pairs(declared) {
		if !p.Value.IsNull() && p.Value.Kind != yamlfile.Map {
			m.problems.Errorf(p.Value.Pos, "invalid-slot", "write type: below the slot's name", "the settings of slot %q must be a map, not %s", p.Key.Text, p.Value.Kind)
			continue
		}
		out.Pairs = append(out.Pairs, yamlfile.Pair{Key: p.Key, Value: m.slot(p)})
	}
	for _, name := range m.filled {
		if mappings := m.mapped[name]; declared.Get(name) == nil {
			m.problems.Warnf(m.forms.Key.Pos, "unknown-slot", "give it a type: below slots:", "a form asks for slot %q, which is not declared", name)
			if len(mappings) > 0 {
				out.Pairs = append(out.Pairs, yamlfile.Pair{Key: yamlfile.NewString(name), Value: mapOf("mappings", listOf(mappings))})
			}
		}
	}
	return out
}

// slot makes the new settings of a slot. One that Rasa 2 filled by itself, from the
// entity of its name, gets a mapping for that; one that nothing fills is left to
// actions.
func (m *migration) slot(p yamlfile.Pair) *yamlfile.Node {
	out := &yamlfile.Node{Kind: yamlfile.Map}
	for _, property := range pairs(p.Value) {
		if property.Key.Text != "auto_fill" && property.Key.Text != "mappings" {
			out.Pairs = append(out.Pairs, property)
		}
	}
	name, mappings := p.Key.Text, m.mapped[p.Key.Text]
	auto := p.Value.Get("auto_fill")
	if filled := auto == nil || auto.Kind == yamlfile.Bool && auto.Flag; filled && slices.Contains(m.entities, name) {
		mapping := mapOf("type", yamlfile.NewString("from_entity"), "entity", yamlfile.NewString(name))
		if !slices.ContainsFunc(mappings, func(other *yamlfile.Node) bool { return equal(other, mapping) }) {
			mappings = append(mappings, mapping)
		}
	}
	if len(mappings) == 0 {
		m.problems.Warnf(p.Key.Pos, "missing-mappings", "give it a mapping, or check that an action sets it", "nothing fills slot %q by itself; it got a custom mapping", name)
		mappings = append(mappings, mapOf("type", yamlfile.NewString("custom")))
	}
	out.Pairs = append(out.Pairs, yamlfile.Pair{Key: yamlfile.NewString("mappings"), Value: listOf(mappings)})
	return out
}
