package domain

import "slices"

// index holds lookups that are made once, when a domain is complete.
type index struct {
	slots   map[string]*Slot
	intents map[string]*Intent
	actions []string
	action  map[string]int
	forms   map[string]*Form
	custom  map[string]bool
}

// Complete makes the lookups. Readers call it once all parts are merged; the
// other methods need it.
func (d *Domain) Complete() {
	ix := &index{
		slots:   make(map[string]*Slot, len(d.Slots)),
		intents: make(map[string]*Intent, len(d.Intents)),
		action:  map[string]int{},
		forms:   make(map[string]*Form, len(d.Forms)),
		custom:  make(map[string]bool, len(d.Actions)),
	}
	for _, s := range d.Slots {
		ix.slots[s.Name] = s
	}
	for i := range d.Intents {
		ix.intents[d.Intents[i].Name] = &d.Intents[i]
	}
	for i := range d.Forms {
		ix.forms[d.Forms[i].Name] = &d.Forms[i]
	}
	for _, a := range d.Actions {
		ix.custom[a.Name] = true
	}
	ix.actions = d.actionOrder()
	for i, name := range ix.actions {
		if _, ok := ix.action[name]; !ok {
			ix.action[name] = i
		}
	}
	d.index = ix
}

// actionOrder lists all actions in Rasa's index order: default actions, listed
// actions, response names that are not listed (sorted), forms that no action
// overrides, and end-to-end bot texts.
func (d *Domain) actionOrder() []string {
	names := slices.Clone(DefaultActions)
	seen := make(map[string]bool, len(names)+len(d.Actions)+len(d.Responses))
	for _, name := range names {
		seen[name] = true
	}
	add := func(name string) {
		if !seen[name] {
			seen[name] = true
			names = append(names, name)
		}
	}
	for _, a := range d.Actions {
		add(a.Name)
	}
	var responses []string
	for name := range d.Responses {
		responses = append(responses, name)
	}
	slices.Sort(responses)
	for _, name := range responses {
		add(name)
	}
	for _, f := range d.Forms {
		add(f.Name)
	}
	return append(names, d.E2EActions...)
}

// ActionNames returns the names, or texts, of all actions in index order. The
// slice belongs to the domain.
func (d *Domain) ActionNames() []string { return d.index.actions }

// ActionIndex returns the index of an action by name or text.
func (d *Domain) ActionIndex(name string) (int, bool) {
	i, ok := d.index.action[name]
	return i, ok
}

// Slot returns the slot of that name, or nil.
func (d *Domain) Slot(name string) *Slot { return d.index.slots[name] }

// Form returns the form of that name, or nil.
func (d *Domain) Form(name string) *Form { return d.index.forms[name] }

// Intent returns the declared intent of that name, or nil.
func (d *Domain) Intent(name string) *Intent { return d.index.intents[name] }

// HasEntity reports whether an entity is declared.
func (d *Domain) HasEntity(name string) bool {
	return slices.ContainsFunc(d.Entities, func(e Entity) bool { return e.Name == name })
}

// HasIntent reports whether an intent is declared or a default one.
func (d *Domain) HasIntent(name string) bool {
	return d.index.intents[name] != nil || slices.Contains(DefaultIntents, name)
}

// IsListedAction reports whether the name stands under actions:.
func (d *Domain) IsListedAction(name string) bool { return d.index.custom[name] }
