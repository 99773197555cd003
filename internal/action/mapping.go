package action

import (
	"context"
	"reflect"
	"slices"

	"github.com/loquat-dev/loquat/internal/domain"
	"github.com/loquat-dev/loquat/internal/tracker"
)

// known reports whether the entity or intent of a mapping exists.
func (x *extraction) known(ctx context.Context, slot *domain.Slot, m *domain.Mapping) bool {
	if m.Type == domain.FromEntity && !x.Domain.HasEntity(m.Entity) {
		x.Logger.WarnContext(ctx, "slot mapping names an unknown entity", "slot", slot.Name, "entity", m.Entity)
		return false
	}
	if m.Type == domain.FromIntent {
		for _, intent := range m.Intents {
			if !x.Domain.HasIntent(intent) {
				x.Logger.WarnContext(ctx, "slot mapping names an unknown intent", "slot", slot.Name, "intent", intent)
				return false
			}
		}
	}
	return true
}

// intentFits applies the mapping's intent and not_intent, and the intents that
// the active form ignores. A listed intent overrides what is ignored.
func (x *extraction) intentFits(m *domain.Mapping) bool {
	intent := x.tracker.LatestIntent()
	if len(m.Intents) > 0 {
		return slices.Contains(m.Intents, intent)
	}
	if slices.Contains(m.NotIntents, intent) {
		return false
	}
	return x.form == nil || !x.concernsForm(m) || !slices.Contains(x.form.IgnoredIntents, intent)
}

// concernsForm reports whether a mapping has no conditions or names the active
// form in one.
func (x *extraction) concernsForm(m *domain.Mapping) bool {
	return len(m.Conditions) == 0 || slices.ContainsFunc(m.Conditions, func(c domain.MappingCondition) bool { return c.ActiveLoop == x.form.Name })
}

// value is what the mapping yields for this message.
func (x *extraction) value(slot *domain.Slot, m *domain.Mapping) (any, bool) {
	message := x.tracker.LatestMessage()
	if m.Type == domain.FromTriggerIntent {
		return inSlot(slot, m.Value), x.triggers(m)
	}
	if !x.conditionsHold(slot, m) {
		return nil, false
	}
	switch m.Type {
	case domain.FromEntity:
		if !x.mayTakeEntity(slot, m) {
			return nil, false
		}
		return entityValue(slot, m, message.Entities)
	case domain.FromText:
		if !message.HasText {
			return nil, true
		}
		return inSlot(slot, message.Text), true
	case domain.FromIntent:
		return inSlot(slot, m.Value), true
	}
	return nil, false
}

// inSlot is how a slot holds one value: a list slot as a list of one.
func inSlot(slot *domain.Slot, value any) any {
	if slot.Type == domain.List {
		return []any{value}
	}
	return value
}

// triggers reports whether a from_trigger_intent mapping applies: only while a
// loop is active that its conditions, if there are any, name; which is when a form
// is activated.
func (x *extraction) triggers(m *domain.Mapping) bool {
	loop := x.tracker.ActiveLoop().Name
	if loop == "" {
		return false
	}
	named := func(c domain.MappingCondition) bool { return c.ActiveLoop == loop }
	return len(m.Conditions) == 0 || slices.ContainsFunc(m.Conditions, named)
}

// conditionsHold applies the active_loop conditions of a mapping.
func (x *extraction) conditionsHold(slot *domain.Slot, m *domain.Mapping) bool {
	loop := x.tracker.ActiveLoop()
	requested, _ := x.tracker.Slot("requested_slot").(string)
	if len(m.Conditions) == 0 {
		return true
	}
	if loop.Rejected && requested == slot.Name {
		return false
	}
	for _, c := range m.Conditions {
		switch {
		case c.NoLoop:
			if loop.Name == "" {
				return true
			}
		case c.ActiveLoop == loop.Name && (c.RequestedSlot == "" || c.RequestedSlot == requested):
			return true
		}
	}
	return false
}

// mayTakeEntity applies the unique-entity rule of forms: a slot that is not the
// requested one takes an entity only if no other mapping of the form's required
// slots wants the same, be it a second time in the same slot (Rasa 3.6.21).
func (x *extraction) mayTakeEntity(slot *domain.Slot, m *domain.Mapping) bool {
	if x.form == nil || !slices.Contains(x.form.RequiredSlots, slot.Name) {
		return true
	}
	if requested, _ := x.tracker.Slot("requested_slot").(string); requested == slot.Name {
		return true
	}
	same := 0
	for _, name := range x.form.RequiredSlots {
		required := x.Domain.Slot(name)
		if required == nil {
			continue
		}
		for i := range required.Mappings {
			if reflect.DeepEqual(required.Mappings[i].Raw, m.Raw) {
				same++
			}
		}
	}
	return same <= 1
}

// entityValue is the value of the message's entities that match a mapping: all
// of them for a list slot, else the last.
func entityValue(slot *domain.Slot, m *domain.Mapping, entities []tracker.Entity) (any, bool) {
	var values []any
	for _, e := range entities {
		name, _ := e["entity"].(string)
		role, _ := e["role"].(string)
		group, _ := e["group"].(string)
		if name == m.Entity && role == m.Role && group == m.Group {
			values = append(values, e["value"])
		}
	}
	switch {
	case len(values) == 0:
		return nil, false
	case slot.Type == domain.List:
		return values, true
	default:
		return values[len(values)-1], true
	}
}
