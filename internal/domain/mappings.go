package domain

import (
	"slices"
	"strings"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/yamlfile"
)

var mappingTypes = []string{"from_entity", "from_text", "from_intent", "from_trigger_intent", "custom"}

// flowMappings are the types that only assistants with flows use.
var flowMappings = []string{"from_llm", "controlled"}

func (r *reader) mappings(s *Slot, body *yamlfile.Node) {
	list := body.Get("mappings")
	if list == nil {
		r.fail(s.Pos, "missing-mappings", "add mappings: with a list, maybe an empty one", "slot %q has no mappings", s.Name)
		return
	}
	if list.IsNull() || list.Kind != yamlfile.List {
		r.fail(list.Pos, "invalid-mapping", "write - type: for each mapping", "the mappings of slot %q must be a list, not %s", s.Name, list.Kind)
		return
	}
	for _, n := range list.Items {
		if m, ok := r.mapping(s.Name, n); ok {
			s.Mappings = append(s.Mappings, m)
		}
	}
}

func (r *reader) mapping(slot string, n *yamlfile.Node) (Mapping, bool) {
	if n.Kind != yamlfile.Map {
		r.fail(n.Pos, "invalid-mapping", "write - type: and its settings", "a mapping of slot %q must be a map, not %s", slot, n.Kind)
		return Mapping{}, false
	}
	t := n.Get("type")
	name, ok := t.Str()
	switch {
	case !ok:
		r.fail(n.Pos, "invalid-mapping", "types: "+strings.Join(mappingTypes, ", "), "a mapping of slot %q has no type", slot)
		return Mapping{}, false
	case slices.Contains(flowMappings, name):
		r.fail(t.Pos, "not-built", "remove the slot, or fill it by "+strings.Join(mappingTypes, ", "),
			"slot %q has a mapping of type %q, which needs flows; flows are not built yet", slot, name)
		return Mapping{}, false
	case !slices.Contains(mappingTypes, name):
		hint := diag.DidYouMean(name, mappingTypes)
		if hint == "" {
			hint = "types: " + strings.Join(mappingTypes, ", ")
		}
		r.fail(t.Pos, "unknown-mapping", hint, "slot %q has a mapping of the unknown type %q", slot, name)
		return Mapping{}, false
	}
	m := Mapping{
		Type: MappingType(name), Pos: n.Pos,
		Entity: r.text(n, "entity"), Role: r.text(n, "role"), Group: r.text(n, "group"), Action: r.text(n, "action"),
		Value:   n.Get("value").Any(),
		Intents: r.strings(n.Get("intent"), "intent"), NotIntents: r.strings(n.Get("not_intent"), "not_intent"),
		Conditions: r.mappingConditions(slot, n.Get("conditions")),
	}
	m.Raw, _ = n.Any().(map[string]any)
	switch required := map[MappingType]string{FromEntity: "entity", FromIntent: "value", FromTriggerIntent: "value"}[m.Type]; {
	case required != "" && n.Get(required) == nil:
		r.fail(n.Pos, "invalid-mapping", "add "+required+":", "the %s mapping of slot %q has no %s", m.Type, slot, required)
		return Mapping{}, false
	}
	return m, true
}

func (r *reader) mappingConditions(slot string, n *yamlfile.Node) []MappingCondition {
	var out []MappingCondition
	for _, c := range r.list(n, "conditions", "write - active_loop: and the form's name") {
		if c.Kind != yamlfile.Map {
			r.fail(c.Pos, "invalid-mapping", "write - active_loop: and the form's name", "a condition of slot %q must be a map, not %s", slot, c.Kind)
			continue
		}
		loop := c.Get("active_loop")
		out = append(out, MappingCondition{
			ActiveLoop: r.text(c, "active_loop"), NoLoop: loop.IsNull(), RequestedSlot: r.text(c, "requested_slot"),
		})
	}
	return out
}
