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
			if !x.conditionsHold(slot, m) {
				continue
			}
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

// custom runs the action of a custom mapping, once in a turn, and keeps its slots.
// Rasa 3.6.21 drops what it says, too.
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
	slots := slices.DeleteFunc(slices.Clone(events), func(e tracker.Event) bool {
		_, isSlot := e.(*tracker.SlotSet)
		return !isSlot
	})
	if dropped := len(events) - len(slots); dropped > 0 {
		x.Logger.WarnContext(ctx, "the action of a custom mapping may only set slots: what else it does is left out",
			"action", m.Action, "conversation_id", x.tracker.ConversationID, "events", dropped)
	}
	return slots
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
