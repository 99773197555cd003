package action

import (
	"context"
	"errors"
	"reflect"
	"slices"

	"github.com/loquat-dev/loquat/internal/domain"
	"github.com/loquat-dev/loquat/internal/tracker"
)

// ExtractSlots fills slots from the latest message by their mappings, and lets
// the action server validate what came out (core.md §14, Rasa 3.6.21). It returns
// slot events and utterances.
func (r *Runner) ExtractSlots(ctx context.Context, s Situation) ([]tracker.Event, error) {
	if s.Tracker.LatestMessage() == nil {
		return nil, nil
	}
	x := extraction{Runner: r, situation: s, tracker: s.Tracker, form: r.Domain.Form(s.Tracker.ActiveLoop().Name)}
	var events []tracker.Event
	for _, slot := range r.Domain.Slots {
		if !slot.Automatic {
			events = append(events, x.slot(ctx, slot)...)
		}
	}
	return r.validateExtracted(ctx, s, events), nil
}

// extraction is the filling of slots from one message.
type extraction struct {
	*Runner
	situation Situation
	tracker   *tracker.Tracker
	form      *domain.Form    // the active form, or nil
	ran       map[string]bool // custom actions that ran already
}

// slot tries the mappings of a slot in order; the first that yields something
// wins.
func (x *extraction) slot(ctx context.Context, slot *domain.Slot) []tracker.Event {
	var events []tracker.Event
	for i := range slot.Mappings {
		m := &slot.Mappings[i]
		if !x.known(ctx, slot, m) || !x.intentFits(m) {
			continue
		}
		if m.Type == domain.Custom {
			events = append(events, x.custom(ctx, m)...)
			continue
		}
		value, found := x.value(slot, m)
		if found && !reflect.DeepEqual(value, x.tracker.Slot(slot.Name)) || found && value != nil {
			return append(events, &tracker.SlotSet{Name: slot.Name, Value: value})
		}
	}
	return events
}

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
// loop that its conditions allow is active, which is when a form is activated.
func (x *extraction) triggers(m *domain.Mapping) bool {
	loop := x.tracker.ActiveLoop().Name
	if loop == "" {
		return false
	}
	named := false
	for _, c := range m.Conditions {
		if c.ActiveLoop == loop {
			return true
		}
		named = named || c.ActiveLoop != ""
	}
	return !named
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
// requested one takes an entity only if no other required slot of the form wants
// the same.
func (x *extraction) mayTakeEntity(slot *domain.Slot, m *domain.Mapping) bool {
	if x.form == nil || !slices.Contains(x.form.RequiredSlots, slot.Name) {
		return true
	}
	if requested, _ := x.tracker.Slot("requested_slot").(string); requested == slot.Name {
		return true
	}
	for _, name := range x.form.RequiredSlots {
		other := x.Domain.Slot(name)
		if other == nil || other == slot {
			continue
		}
		for i := range other.Mappings {
			if reflect.DeepEqual(other.Mappings[i].Raw, m.Raw) {
				return false
			}
		}
	}
	return true
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

// custom runs the action of a custom mapping, once in a turn, and keeps its slots
// and utterances.
func (x *extraction) custom(ctx context.Context, m *domain.Mapping) []tracker.Event {
	if m.Action == "" || x.ran[m.Action] {
		return nil
	}
	if x.ran == nil {
		x.ran = map[string]bool{}
	}
	x.ran[m.Action] = true
	events, err := x.Run(ctx, m.Action, x.situation)
	if err != nil {
		x.logFailure(ctx, m.Action, x.tracker.ConversationID, err)
		return nil
	}
	return slotsAndUtterances(events)
}

// slotsAndUtterances keeps what extraction may cause.
func slotsAndUtterances(events []tracker.Event) []tracker.Event {
	return slices.DeleteFunc(slices.Clone(events), func(e tracker.Event) bool {
		switch e.(type) {
		case *tracker.SlotSet, *tracker.BotUttered:
			return false
		}
		return true
	})
}

// validateExtracted lets action_validate_slot_mappings, if the domain has it,
// judge the extracted slots: its slots replace those of the same name, others
// stay. A failure is logged and changes nothing.
func (r *Runner) validateExtracted(ctx context.Context, s Situation, events []tracker.Event) []tracker.Event {
	if !r.Domain.IsListedAction(ValidateSlotMappings) {
		return events
	}
	// The SDK validates the slots at the end of the tracker: candidates come last.
	var candidates, others []tracker.Event
	for _, e := range events {
		if _, isSlot := e.(*tracker.SlotSet); isSlot {
			candidates = append(candidates, e)
		} else {
			others = append(others, e)
		}
	}
	answer, err := r.remote(ctx, ValidateSlotMappings, s.sinceRestart().With(candidates...))
	if err != nil {
		r.logFailure(ctx, ValidateSlotMappings, s.Tracker.ConversationID, err)
		return events
	}
	answer = slotsAndUtterances(answer)
	judged := map[string]bool{}
	for _, e := range answer {
		if slot, ok := e.(*tracker.SlotSet); ok {
			judged[slot.Name] = true
		}
	}
	out := answer
	for _, e := range events {
		if slot, ok := e.(*tracker.SlotSet); ok && !judged[slot.Name] {
			out = append(out, e)
		}
	}
	return append(out, others...)
}

func (r *Runner) logFailure(ctx context.Context, action, conversationID string, err error) {
	if rejected, ok := errors.AsType[*RejectedError](err); ok {
		r.Logger.DebugContext(ctx, "action rejected its execution", "action", action, "conversation_id", conversationID, "err", rejected)
		return
	}
	r.Logger.ErrorContext(ctx, "action failed", "action", action, "conversation_id", conversationID, "err", err)
}
