package story

import (
	"strings"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/domain"
	"github.com/loquat-dev/loquat/internal/nludata"
	"github.com/loquat-dev/loquat/internal/tracker"
	"github.com/loquat-dev/loquat/internal/yamlfile"
)

// user reads a step that begins with intent: or user:.
func (f *file) user(n *yamlfile.Node) Event {
	text, hasText := "", false
	var entities []tracker.Entity
	if v := n.Get("user"); v.IsScalar() {
		text, hasText = strings.TrimSpace(v.PythonString()), true
	} else if n.Has("user") && !n.Has("intent") {
		f.Problems.Warnf(n.Pos, "empty-step", "write what the user says behind user:", "the user step has no text")
	}
	intent, full := f.intent(n)
	switch {
	case strings.HasPrefix(text, "/"):
		m := nludata.ParseIntentMessage(text)
		for _, e := range m.Entities {
			for _, v := range e.Values() {
				entity := tracker.Entity{"entity": e.Name, "value": v}
				if f.test { // as what is understood
					entity["start"], entity["end"] = int64(m.Start), int64(m.End)
				}
				entities = append(entities, entity)
			}
		}
		if intent == "" {
			intent, full = m.Intent, m.Intent
			hasText = f.test
		}
	case hasText:
		text, entities = f.annotated(text, n.Get("user").Pos)
	}
	if list := n.Get("entities"); !list.IsNull() && !(f.test && hasText) {
		entities = f.entities(list)
	}
	pos := n.Pos
	if v := n.Get("intent"); v != nil {
		pos = v.Pos
	}
	if n.Has("intent") && !f.knowsIntent(intent) {
		f.Problems.Warnf(pos, "unknown-intent", diag.DidYouMean(intent, f.intentNames()), "intent %q is not declared in the domain", intent)
	}
	if !f.test && intent != "" {
		full = intent
	}
	return Event{userEvent(text, hasText, intent, full, entities), pos}
}

// annotated splits a text with marked entities.
func (f *file) annotated(text string, pos diag.Position) (string, []tracker.Entity) {
	plain, found, err := nludata.ParseAnnotated(text)
	if err != nil {
		f.Problems.Errorf(pos, "invalid-annotation", `write [text](entity) or [text]{"entity": "name", "role": "role"}`, "%v", err)
		return text, nil
	}
	var entities []tracker.Entity
	for _, e := range found {
		entity := tracker.Entity{"entity": e.Entity, "value": e.Value, "start": int64(e.Start), "end": int64(e.End)}
		if e.Role != "" {
			entity["role"] = e.Role
		}
		if e.Group != "" {
			entity["group"] = e.Group
		}
		entities = append(entities, entity)
	}
	return plain, entities
}

// intent reads the intent of a user step: its base name, and the name as written
// for retrieval intents.
func (f *file) intent(n *yamlfile.Node) (base, full string) {
	v := n.Get("intent")
	if v == nil {
		return "", ""
	}
	if !v.IsScalar() || v.PythonString() == "" {
		f.Problems.Warnf(n.Pos, "missing-intent", "write the intent's name behind intent:", "the intent step has no name")
		return "", ""
	}
	full = v.PythonString()
	if strings.HasPrefix(full, "/") {
		full = full[1:]
		f.Problems.Warnf(v.Pos, "intent-with-slash", "write intent: "+full, "intent %q begins with a slash, which is not needed", "/"+full)
	}
	base, key, retrieval := strings.Cut(full, "/")
	if retrieval && key != "" && !f.test {
		f.Problems.Warnf(v.Pos, "full-retrieval-intent", "write intent: "+base,
			"intent %q names one response of a retrieval intent; stories use the intent %q", full, base)
	}
	return base, full
}

// entities reads the list below entities: of a user step.
func (f *file) entities(list *yamlfile.Node) []tracker.Entity {
	if list.Kind != yamlfile.List {
		f.Problems.Errorf(list.Pos, "invalid-entities", "write - name: value below entities:", "entities must be a list, not %s", list.Kind)
		return nil
	}
	var out []tracker.Entity
	for _, item := range list.Items {
		switch {
		case item.IsScalar():
			out = append(out, tracker.Entity{"entity": item.PythonString(), "value": ""})
		case item.Kind == yamlfile.Map:
			for _, p := range item.Pairs {
				if p.Key.Text == "role" || p.Key.Text == "group" {
					continue
				}
				e := tracker.Entity{"entity": p.Key.Text, "value": p.Value.Any()}
				for _, label := range []string{"role", "group"} {
					if v := item.Get(label); !v.IsNull() {
						e[label] = v.PythonString()
					}
				}
				out = append(out, e)
			}
		default:
			f.Problems.Warnf(item.Pos, "invalid-entities", "write - name: value", "an entity must be a name or a map, not %s; it is skipped", item.Kind)
		}
	}
	return out
}

// slots reads the list below slot_was_set:.
func (f *file) slots(list *yamlfile.Node, rule bool) []Event {
	if list.IsNull() {
		return nil
	}
	if list.Kind != yamlfile.List {
		f.Problems.Errorf(list.Pos, "invalid-slots", "write - slot: value below slot_was_set:", "slot_was_set must be a list, not %s", list.Kind)
		return nil
	}
	var out []Event
	for _, item := range list.Items {
		switch {
		case item.IsScalar():
			name := item.PythonString()
			out = append(out, Event{&tracker.SlotSet{Name: name, Value: f.anyValue(name, item.Pos, rule)}, item.Pos})
		case item.Kind == yamlfile.Map:
			for _, p := range item.Pairs {
				value := p.Value.Any()
				if value == nil && rule {
					value = Unset
					f.warnOfLists(p.Key)
				}
				out = append(out, Event{&tracker.SlotSet{Name: p.Key.Text, Value: value}, p.Key.Pos})
			}
		default:
			f.Problems.Warnf(item.Pos, "invalid-slots", "write - slot: value, or - slot", "a slot must be a name or a map, not %s; it is skipped", item.Kind)
		}
	}
	return out
}

// warnOfLists tells that null doesn't mean for a list slot what it says.
func (f *file) warnOfLists(name *yamlfile.Node) {
	if f.Domain == nil {
		return
	}
	if slot := f.Domain.Slot(name.Text); slot != nil && slot.Type == domain.List && slot.Influences {
		f.Problems.Warnf(name.Pos, "list-slot-null", "a bool slot beside it can tell the two apart",
			"null for the list slot %q in a rule means that it is set, as in Rasa: a rule can't ask for an empty list", name.Text)
	}
}

// anyValue is the value of a slot of which only the name is given: set to
// something, where the type of slot allows to say so.
func (f *file) anyValue(name string, pos diag.Position, rule bool) any {
	var slot *domain.Slot
	if f.Domain != nil {
		slot = f.Domain.Slot(name)
	}
	switch {
	case slot == nil:
	case slot.Type == domain.Text:
		return "filled"
	case slot.Type == domain.List:
		return []any{"filled"}
	case slot.Influences:
		f.Problems.Warnf(pos, "slot-without-value", "write - "+name+": and a value",
			"slot %q is of type %s and needs a value here; it counts as unset", name, slot.Type)
	}
	if rule {
		return Unset
	}
	return nil
}
