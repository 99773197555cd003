package action

import (
	"context"
	"fmt"
	"slices"

	"github.com/loquat-dev/loquat/internal/domain"
	"github.com/loquat-dev/loquat/internal/tracker"
)

// requestedSlot is the slot that names what a form has asked for.
const requestedSlot = "requested_slot"

// form is one run of a form: it fills slots from the latest message, lets the
// action server validate them, and asks for the next one (core.md §15, Rasa
// 3.6.21).
type form struct {
	*Runner
	*domain.Form
	Situation
	events []tracker.Event // what the run has caused so far
}

// runForm runs a form until it has asked for a slot, or is done.
func (r *Runner) runForm(ctx context.Context, d *domain.Form, s Situation) ([]tracker.Event, error) {
	f := &form{Runner: r, Form: d, Situation: s}
	if s.Tracker.ActiveLoop().Name != d.Name {
		if err := f.activate(ctx); err != nil {
			return nil, &ActivationError{Form: d.Name, Err: err}
		}
	} else if err := f.goOn(ctx, f.validateIfNeeded); err != nil {
		return nil, err
	}
	if f.done() {
		f.events = append(f.events, &tracker.ActiveLoop{})
	}
	return f.events, nil
}

// ActivationError says that a form could not begin.
type ActivationError struct {
	Form string
	Err  error
}

// Error names the form.
func (e *ActivationError) Error() string { return fmt.Sprintf("activate form %q: %v", e.Form, e.Err) }

// Unwrap returns the reason.
func (e *ActivationError) Unwrap() error { return e.Err }

// activate begins the form: slots whose mappings wait for it are filled from the
// message that led here, and those that are filled already are validated.
func (f *form) activate(ctx context.Context) error {
	begin := &tracker.ActiveLoop{Name: f.Name}
	f.events = []tracker.Event{begin}
	begun := f.With(begin)
	extracted, err := f.ExtractSlots(ctx, begun)
	if err != nil {
		return err
	}
	begun = begun.With(extracted...)
	var filled []*tracker.SlotSet
	for _, name := range f.RequiredSlots {
		if v := begun.Tracker.Slot(name); v != nil && !slices.ContainsFunc(filled, named(name)) {
			filled = append(filled, &tracker.SlotSet{Name: name, Value: v})
		}
	}
	if f.hasValidation() {
		validated, err := f.validate(ctx, begun, filled)
		if err != nil {
			return err
		}
		f.events = append(f.events, validated...)
		for _, e := range validated {
			if slot, ok := e.(*tracker.SlotSet); ok {
				filled = append(filled, slot)
			}
		}
	}
	for _, e := range extracted { // what was said meanwhile is lost, as in Rasa
		slot, ok := e.(*tracker.SlotSet)
		if ok && !(f.hasValidation() && slices.ContainsFunc(filled, named(slot.Name))) { // judged already
			f.events = append(f.events, e)
		}
	}
	if f.done() {
		return nil
	}
	if len(f.events) > 1 {
		return f.goOn(ctx, nil)
	}
	return f.goOn(ctx, f.validateIfNeeded)
}

func named(name string) func(*tracker.SlotSet) bool {
	return func(e *tracker.SlotSet) bool { return e.Name == name }
}

// goOn validates, if it is told how, and asks for the next slot, unless this
// validation rejected the form.
func (f *form) goOn(ctx context.Context, validate func(context.Context) error) error {
	if validate != nil {
		before := len(f.events)
		if err := validate(ctx); err != nil {
			return err
		}
		if slices.ContainsFunc(f.events[before:], isRejection) {
			return nil
		}
	}
	return f.request(ctx)
}

// hasValidation reports whether the action server validates this form.
func (f *form) hasValidation() bool { return f.Domain.IsListedAction("validate_" + f.Name) }

// validateIfNeeded validates what the latest message filled. When another action
// has answered the message, or the form was interrupted, nothing of it is for the
// form.
func (f *form) validateIfNeeded(ctx context.Context) error {
	loop := f.Tracker.ActiveLoop()
	if loop.Name != "" && (f.Tracker.LatestActionName() != Listen || loop.Interrupted) {
		validated, err := f.validate(ctx, f.Situation, nil)
		f.events = append(f.events, validated...)
		return err
	}
	candidates := f.candidates()
	validated, err := f.validate(ctx, f.Situation, candidates)
	if err != nil {
		return err
	}
	f.events = append(f.events, validated...)
	if loop.Name == f.Name && f.Tracker.Slot(requestedSlot) != nil && len(candidates) == 0 && !f.answered(validated) {
		return &RejectedError{Action: f.Name, Reason: fmt.Sprintf("the message fills no slot of form %q", f.Name)}
	}
	return nil
}

// answered reports whether validation has set a slot, or has itself rejected the
// form.
func (f *form) answered(validated []tracker.Event) bool {
	return slices.ContainsFunc(validated, func(e tracker.Event) bool {
		switch e := e.(type) {
		case *tracker.SlotSet:
			return e.Name != requestedSlot
		case *tracker.ActionExecutionRejected:
			return true
		}
		return false
	})
}

// candidates are the form's slots that were set since the user's latest message.
func (f *form) candidates() []*tracker.SlotSet {
	requested, _ := f.Tracker.Slot(requestedSlot).(string)
	var found []*tracker.SlotSet
	for _, event := range f.Tracker.Backward() {
		switch e := event.(type) {
		case *tracker.UserUttered:
			slices.Reverse(found)
			return found
		case *tracker.SlotSet:
			wanted := slices.Contains(f.RequiredSlots, e.Name) || e.Name == requested
			if wanted && !slices.ContainsFunc(found, named(e.Name)) {
				found = append(found, &tracker.SlotSet{Name: e.Name, Value: e.Value})
			}
		}
	}
	return nil
}

// validate lets the action server judge slots. It sees the conversation since the
// last restart, then the form's run, then the candidates: rasa-sdk validates the
// slots at the end.
func (f *form) validate(ctx context.Context, s Situation, candidates []*tracker.SlotSet) ([]tracker.Event, error) {
	if !f.hasValidation() {
		return nil, nil
	}
	events := []tracker.Event{
		&tracker.SlotSet{Name: requestedSlot, Value: f.Tracker.Slot(requestedSlot)},
		&tracker.ActionExecuted{Name: f.Name},
	}
	for _, c := range candidates {
		events = append(events, c)
	}
	return f.remote(ctx, "validate_"+f.Name, s.sinceRestart().With(events...))
}

// request asks for the next slot: the one that validation chose, or the first
// that is empty. Of several that it chose the first one counts; a null at the end
// ends the form, one before it chooses nothing (Rasa 3.6.21).
func (f *form) request(ctx context.Context) error {
	next := ""
	if chosen := f.chosenByValidation(); len(chosen) > 0 && chosen[len(chosen)-1] != "" {
		next = chosen[0]
	}
	if next == "" {
		e := &tracker.SlotSet{Name: requestedSlot}
		if next = f.firstEmpty(); next != "" {
			e.Value = next
		}
		f.events = append(f.events, e)
	}
	ask := f.asks(next)
	if next == "" || ask == "" {
		return nil
	}
	asked, err := f.Run(ctx, ask, f.With(f.events...))
	f.events = append(f.events, asked...)
	return err
}

// firstEmpty returns the first required slot without a value, or "" if there is
// none or validation has ended the form.
func (f *form) firstEmpty() string {
	if chosen := f.chosenByValidation(); len(chosen) > 0 && chosen[len(chosen)-1] == "" {
		return ""
	}
	t := f.With(f.events...).Tracker
	if t.ActiveLoop().Name != f.Name {
		return ""
	}
	for _, name := range f.RequiredSlots {
		if t.Slot(name) == nil {
			return name
		}
	}
	return ""
}

// chosenByValidation returns the slots that validation asks for; "" for none.
func (f *form) chosenByValidation() (slots []string) {
	for _, e := range f.events {
		if slot, ok := e.(*tracker.SlotSet); ok && slot.Name == requestedSlot {
			name, _ := slot.Value.(string)
			slots = append(slots, name)
		}
	}
	return slots
}

// asks returns the action that asks for a slot, or "".
func (f *form) asks(slot string) string {
	for _, name := range []string{
		"action_ask_" + f.Name + "_" + slot, "utter_ask_" + f.Name + "_" + slot, "action_ask_" + slot, "utter_ask_" + slot,
	} {
		if _, ok := f.Domain.ActionIndex(name); ok {
			return name
		}
	}
	return ""
}

// done reports whether nothing is left to ask for, or validation ended the form.
func (f *form) done() bool {
	if slices.ContainsFunc(f.events, isRejection) {
		return false
	}
	var ended, asksNothing bool
	for _, e := range f.events {
		switch e := e.(type) {
		case *tracker.ActiveLoop:
			ended = e.Name == ""
		case *tracker.SlotSet:
			if e.Name == requestedSlot {
				asksNothing = e.Value == nil
			}
		}
	}
	return ended || asksNothing
}

// isRejection reports whether an event of a validation rejects the form.
func isRejection(e tracker.Event) bool {
	_, ok := e.(*tracker.ActionExecutionRejected)
	return ok
}
