package actionsdk

import "slices"

// Domain is what the assistant knows: its intents, slots, responses, forms. It is
// shared by all actions and must not be changed.
type Domain struct{ object map[string]any }

// NewDomain returns the domain that is this object in JSON.
func NewDomain(object map[string]any) *Domain { return &Domain{object} }

// Map returns the domain as it is in JSON; nil if there is none.
func (d *Domain) Map() map[string]any {
	if d == nil {
		return nil
	}
	return d.object
}

// RequiredSlots returns the slots that a form asks for, in order.
func (d *Domain) RequiredSlots(form string) []string {
	forms, _ := d.Map()["forms"].(map[string]any)
	body, _ := forms[form].(map[string]any)
	list, _ := body["required_slots"].([]any)
	var names []string
	for _, v := range list {
		names = append(names, str(v))
	}
	return names
}

// mappedSlots returns the slots that are filled outside of forms: those without a
// mapping that waits for a form.
func (d *Domain) mappedSlots() []string {
	slots, _ := d.Map()["slots"].(map[string]any)
	var names []string
	for name, body := range slots {
		slot, _ := body.(map[string]any)
		if !slices.ContainsFunc(objects(slot["mappings"]), waitsForForm) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func waitsForForm(mapping map[string]any) bool {
	return slices.ContainsFunc(objects(mapping["conditions"]), func(c map[string]any) bool { return c["active_loop"] != nil })
}
