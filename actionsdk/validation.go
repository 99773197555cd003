package actionsdk

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Slots are values of slots by name.
type Slots map[string]any

// Validation says how the slots of a form, or those outside of forms, are filled
// and judged. Everything in it is optional.
type Validation struct {
	// RequiredSlots decides which slots the form asks for, given those of the
	// domain. It may be called several times in one run. When it returns others
	// than it was given, the form asks for the first of them that is empty.
	RequiredSlots func(ctx context.Context, declared []string, out *Dispatcher, t *Tracker) ([]string, error)

	// Extract finds values that mappings of the domain can't, by slot. It runs for
	// required slots. Returning nil leaves the slot as it is.
	Extract map[string]ExtractFunc

	// Validate judges values that slots just got. It returns the slots as they
	// shall be, other ones too: {"cuisine": nil} makes the form ask again. Returning
	// nil accepts the value.
	Validate map[string]ValidateFunc
}

// ExtractFunc finds values of slots.
type ExtractFunc func(ctx context.Context, out *Dispatcher, t *Tracker) (Slots, error)

// ValidateFunc judges the value of a slot.
type ValidateFunc func(ctx context.Context, value any, out *Dispatcher, t *Tracker) (Slots, error)

// slotsAction is what Slots is registered as.
const slotsAction = "action_validate_slot_mappings"

// validator runs a Validation.
type validator struct {
	Validation
	server *Server
	action string
	form   string // "" outside of forms
	out    *Dispatcher
	t      *Tracker
}

func (s *Server) validation(action, form string, v Validation) Func {
	return func(ctx context.Context, out *Dispatcher, t *Tracker) ([]Event, error) {
		r := &validator{v, s, action, form, out, t}
		step := &Step{Name: StepValidate, Form: form != "", Class: className(action), Action: action, Tracker: t}
		step.Slots = slices.Clone(t.candidates().names)
		var events []Event
		err := s.step(ctx, step, func(ctx context.Context) (err error) {
			events, err = r.run(ctx)
			return err
		})
		return events, err
	}
}

// run does what a validation action of rasa-sdk does, in its order: it extracts,
// validates, and chooses the slot to ask for.
func (r *validator) run(ctx context.Context) ([]Event, error) {
	slots := r.t.candidates()
	required, err := r.required(ctx)
	if err != nil {
		return nil, err
	}
	slots.keep(required)
	if err := r.extractAll(ctx, required, slots); err != nil {
		return nil, err
	}
	if required, err = r.required(ctx); err != nil { // what was extracted may change it
		return nil, err
	}
	slots.keep(required)
	if err := r.validateAll(ctx, slots); err != nil {
		return nil, err
	}
	events := slots.events()
	if r.form == "" || r.RequiredSlots == nil {
		return events, nil
	}
	if required, err = r.required(ctx); err != nil {
		return nil, err
	}
	if slices.Equal(required, r.declared()) {
		return events, nil // the form knows
	}
	return append(events, SlotSet{Name: "requested_slot", Value: r.firstEmpty(required)}), nil
}

func (r *validator) declared() []string {
	if r.form == "" {
		return r.t.Domain().mappedSlots()
	}
	return r.t.Domain().RequiredSlots(r.form)
}

func (r *validator) required(ctx context.Context) ([]string, error) {
	declared := r.declared()
	if r.RequiredSlots == nil {
		return declared, nil
	}
	return r.RequiredSlots(ctx, slices.Clone(declared), r.out, r.t)
}

func (r *validator) extractAll(ctx context.Context, required []string, slots *slotValues) error {
	step := &Step{Name: StepExtract, Form: r.form != "", Class: className(r.action), Action: r.action, Tracker: r.t}
	return r.server.step(ctx, step, func(ctx context.Context) error {
		for _, name := range required {
			extract := r.Extract[name]
			if extract == nil {
				continue
			}
			found, err := extract(ctx, r.out, r.t)
			if err != nil {
				return err
			}
			for _, key := range slices.Sorted(maps.Keys(found)) {
				if slices.Contains(required, key) {
					slots.set(key, found[key])
					r.t.Slots[key] = found[key]
				}
			}
		}
		step.Events = slots.events()
		return nil
	})
}

func (r *validator) validateAll(ctx context.Context, slots *slotValues) error {
	given := maps.Clone(slots.values)
	for _, name := range slices.Clone(slots.names) {
		validate := r.Validate[name]
		if validate == nil {
			r.t.Slots[name] = slots.values[name]
			continue
		}
		judged, err := validate(ctx, given[name], r.out, r.t)
		if err != nil {
			return err
		}
		for _, key := range slices.Sorted(maps.Keys(judged)) {
			slots.set(key, judged[key])
			r.t.Slots[key] = judged[key]
		}
	}
	return nil
}

func (r *validator) firstEmpty(required []string) any {
	for _, name := range required {
		if r.t.Slots[name] == nil {
			return name
		}
	}
	return nil
}

// slotValues are values of slots in the order in which they came first.
type slotValues struct {
	names  []string
	values map[string]any
}

func newSlotValues() *slotValues { return &slotValues{values: map[string]any{}} }

func (s *slotValues) set(name string, value any) {
	if _, ok := s.values[name]; !ok {
		s.names = append(s.names, name)
	}
	s.values[name] = value
}

func (s *slotValues) keep(names []string) {
	s.names = slices.DeleteFunc(s.names, func(name string) bool {
		gone := !slices.Contains(names, name)
		if gone {
			delete(s.values, name)
		}
		return gone
	})
}

func (s *slotValues) events() []Event {
	events := make([]Event, len(s.names))
	for i, name := range s.names {
		events[i] = SlotSet{Name: name, Value: s.values[name]}
	}
	return events
}

// className is how a Python class for an action would be called: spans have it in
// their names.
func className(action string) string {
	var b strings.Builder
	for _, word := range strings.Split(action, "_") {
		if word != "" {
			b.WriteString(strings.ToUpper(word[:1]) + word[1:])
		}
	}
	return b.String()
}

// check panics over functions that can never be called.
func (v Validation) check(action string) {
	for slot, f := range v.Extract {
		if f == nil {
			panic(fmt.Sprintf("actionsdk: %s: Extract[%q] is nil", action, slot))
		}
	}
	for slot, f := range v.Validate {
		if f == nil {
			panic(fmt.Sprintf("actionsdk: %s: Validate[%q] is nil", action, slot))
		}
	}
}
