package domain

import (
	"slices"
	"strings"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/pystr"
	"github.com/loquat-dev/loquat/internal/yamlfile"
)

var slotTypes = []string{"text", "bool", "categorical", "float", "list", "any"}

func (r *reader) slots(n *yamlfile.Node) {
	for _, p := range r.pairs(n, "slots", "write the slot's name with type: and mappings: below it") {
		if s := r.slot(p.Key, p.Value); s != nil {
			r.domain.Slots = append(r.domain.Slots, s)
		}
	}
}

// slot reads one declaration; it returns nil when there is nothing to go on.
func (r *reader) slot(key, body *yamlfile.Node) *Slot {
	name := key.Text
	if body.Kind != yamlfile.Map {
		r.fail(key.Pos, "invalid-slot", "write type: and mappings: below it", "the settings of slot %q must be a map, not %s", name, body.Kind)
		return nil
	}
	s := &Slot{Name: name, Pos: key.Pos, Max: 1, InitialValue: body.Get("initial_value").Any()}
	if !r.slotType(s, body) {
		return nil
	}
	s.Influences = r.bool(body.Get("influence_conversation"), "influence_conversation", s.Type != Any)
	if s.Type == Any && s.Influences {
		r.fail(body.Get("influence_conversation").Pos, "invalid-slot", "remove it, or choose another type",
			"slot %q of type any can't influence the conversation", name)
	}
	switch s.Type {
	case Categorical:
		r.categories(s, body)
	case Float:
		r.bounds(s, body)
	}
	r.mappings(s, body)
	return s
}

func (r *reader) slotType(s *Slot, body *yamlfile.Node) bool {
	t := body.Get("type")
	if t.IsNull() {
		r.fail(s.Pos, "invalid-slot", "types: "+strings.Join(slotTypes, ", "), "slot %q has no type", s.Name)
		return false
	}
	name, ok := t.Str()
	switch {
	case ok && slices.Contains(slotTypes, name):
		s.Type = SlotType(name)
		return true
	case ok && strings.Contains(name, "."):
		r.fail(t.Pos, "python-class", "use one of the types "+strings.Join(slotTypes, ", ")+"; categorical with values often serves",
			"slot %q has the type %q, a Python class, which can't run here", s.Name, name)
	default:
		hint := diag.DidYouMean(t.PythonString(), slotTypes)
		if hint == "" {
			hint = "types: " + strings.Join(slotTypes, ", ")
		}
		r.fail(t.Pos, "unknown-slot-type", hint, "slot %q has the unknown type %q", s.Name, t.PythonString())
	}
	return false
}

// otherValue is the category that every unknown value falls into.
const otherValue = "__other__"

func (r *reader) categories(s *Slot, body *yamlfile.Node) {
	values := body.Get("values")
	if values.IsNull() || values.Kind != yamlfile.List {
		if !values.IsNull() {
			r.fail(values.Pos, "invalid-slot", "write a list of values", "the values of slot %q must be a list, not %s", s.Name, values.Kind)
			return
		}
		r.problems.Warnf(s.Pos, "no-values", "add values: with a list", "the categorical slot %q has no values", s.Name)
		return
	}
	for _, v := range values.Items {
		switch {
		case v.IsNull():
			r.problems.Warnf(v.Pos, "null-value", "remove it; an unset slot needs no value of its own", "null among the values of slot %q is ignored", s.Name)
		case !v.IsScalar():
			r.fail(v.Pos, "invalid-slot", "write a text or a number", "a value of slot %q must be a single value, not %s", s.Name, v.Kind)
		default:
			s.RawValues = append(s.RawValues, v.Any())
			if text := strings.ToLower(v.PythonString()); text != otherValue {
				s.Values = append(s.Values, text)
			}
		}
	}
}

func (r *reader) bounds(s *Slot, body *yamlfile.Node) {
	s.Min = r.number(body.Get("min_value"), "min_value", 0)
	s.Max = r.number(body.Get("max_value"), "max_value", 1)
	if s.Min >= s.Max {
		r.fail(s.Pos, "invalid-slot", "make max_value larger than min_value", "slot %q has the range %s to %s, which is empty",
			s.Name, pystr.Float(s.Min), pystr.Float(s.Max))
		return
	}
	if v := body.Get("initial_value"); v != nil && (v.Kind == yamlfile.Int || v.Kind == yamlfile.Float) && (v.Float() < s.Min || v.Float() > s.Max) {
		r.problems.Warnf(v.Pos, "value-out-of-range", "set min_value and max_value so that it fits",
			"the initial value %s of slot %q is outside of %s to %s", v.Text, s.Name, pystr.Float(s.Min), pystr.Float(s.Max))
	}
}

// Features is the length of the slot's feature vector: 0 when the slot does not
// influence the conversation.
func (s *Slot) Features() int {
	if !s.Influences {
		return 0
	}
	switch s.Type {
	case Text, List:
		return 1
	case Bool, Float:
		return 2
	case Categorical:
		return len(s.Values) + 1
	default:
		return 0
	}
}

// addAutomaticSlots adds the slots that an assistant has without declaring them.
func (d *Domain) addAutomaticSlots() {
	add := func(name string, t SlotType) {
		for _, s := range d.Slots {
			if s.Name == name {
				return
			}
		}
		d.Slots = append(d.Slots, &Slot{Name: name, Type: t, Max: 1, Automatic: true})
	}
	if len(d.Forms) > 0 {
		add("requested_slot", Text)
	}
	for _, a := range d.Actions {
		if a.Name == "action_query_knowledge_base" {
			add("knowledge_base_listed_objects", Any)
			add("knowledge_base_last_object", Any)
			add("knowledge_base_last_object_type", Any)
		}
	}
	add("session_started_metadata", Any)
}
