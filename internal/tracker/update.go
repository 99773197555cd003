package tracker

import (
	"maps"
	"reflect"
	"slices"

	"github.com/loquat-dev/loquat/internal/domain"
	"github.com/loquat-dev/loquat/internal/pystr"
)

// Update appends the event and applies its effect on the state.
func (t *Tracker) Update(e Event) {
	t.events.add(e)
	if u, ok := e.(*UserUttered); ok {
		t.inputChannel = u.InputChannel
	}
	if t.fold(e) {
		t.apply(e)
		return
	}
	// Something was taken back: the state is what the rest leads to.
	t.resetState()
	for _, e := range t.applied.events {
		t.apply(e)
	}
}

// UpdateAll updates the tracker with several events.
func (t *Tracker) UpdateAll(events []Event) {
	for _, e := range events {
		t.Update(e)
	}
}

// fold keeps the list of applied events up to date. It reports whether the state
// follows from applying e; otherwise earlier events were taken back.
func (t *Tracker) fold(e Event) bool {
	switch e := e.(type) {
	case *Restarted, *SessionStarted:
		t.applied = list{}
	case *ActionReverted:
		t.undoUntil(isAction)
		return false
	case *UserUtteranceReverted:
		t.undoUntil(isUser)
		t.undoUntil(isAction)
		return false
	case *ActionExecuted:
		if t.loops[e.Name] && !t.startsLoopOrReturns(e.Name) {
			t.collapseLoop(e.Name)
		} else {
			t.applied.add(e)
		}
	case *ActiveLoop:
		if e.Name != "" && !t.loops[e.Name] {
			loops := map[string]bool{e.Name: true}
			maps.Copy(loops, t.loops)
			t.loops = loops
		}
		t.applied.add(e)
	default:
		t.applied.add(e)
	}
	return true
}

func isAction(e Event) bool { _, ok := e.(*ActionExecuted); return ok }
func isUser(e Event) bool   { _, ok := e.(*UserUttered); return ok }

// undoUntil takes back applied events up to and including the latest that
// matches, or all of them when none does.
func (t *Tracker) undoUntil(match func(Event) bool) {
	applied := t.applied.events
	for i := len(applied) - 1; i >= 0; i-- {
		if match(applied[i]) {
			t.applied.cut(i)
			return
		}
	}
	t.applied = list{}
}

// startsLoopOrReturns reports whether a run of the loop is its first since it was
// activated, or comes back to it after a rejection or after another action
// answered the user. Other runs repeat the loop and are collapsed.
func (t *Tracker) startsLoopOrReturns(loop string) bool {
	next := "" // the action after the event at hand
	applied := t.applied.events
	for i := len(applied) - 1; i >= 0; i-- {
		switch e := applied[i].(type) {
		case *ActiveLoop:
			if e.Name == "" {
				return true
			}
		case *ActionExecutionRejected:
			if e.Name == loop {
				return true
			}
		case *ActionExecuted:
			if e.Name == ListenAction && next != "" && next != loop {
				return true
			}
			if e.Name == loop {
				return false
			}
			next = e.Name
		}
	}
	return true
}

// collapseLoop removes actions and user turns, with their featurization, since
// the previous run of the loop; everything else, such as slots, stays.
func (t *Tracker) collapseLoop(loop string) {
	applied := t.applied.events
	from := 0
	for i := len(applied) - 1; i >= 0; i-- {
		if a, ok := applied[i].(*ActionExecuted); ok && a.Name == loop {
			from = i + 1
			break
		}
	}
	t.applied.cut(from)
	for _, e := range applied[from:] {
		if _, featurization := e.(*UserFeaturization); !featurization && !isAction(e) && !isUser(e) {
			t.applied.add(e)
		}
	}
}

// apply gives the state the effect of one event.
func (t *Tracker) apply(e Event) {
	switch e := e.(type) {
	case *UserUttered:
		t.latestMessage = e
		t.followup = ""
	case *BotUttered:
		t.latestBot = e
	case *ActionExecuted:
		t.latestAction = e
		t.followup = ""
		t.loop.Interrupted = false
		if e.Name == t.loop.Name {
			t.loop.Rejected = false
		}
	case *SlotSet:
		t.setSlot(e.Name, e.Value)
	case *EntitiesAdded:
		t.addEntities(e.Entities)
	case *FollowupAction:
		t.followup = e.Name
	case *ActiveLoop:
		t.loop = Loop{Name: e.Name}
		if e.Name != "" {
			trigger := t.latestMessage
			if trigger == nil {
				trigger = &UserUttered{}
			}
			t.loop.TriggerMessage = trigger.parseData()
		}
	case *LoopInterrupted:
		t.loop.Interrupted = e.Interrupted && t.loop.Name != ""
	case *ActionExecutionRejected:
		if e.Name != "" && e.Name == t.loop.Name {
			t.loop.Rejected = true
		}
	case *AllSlotsReset:
		t.resetSlots()
	case *ConversationPaused:
		t.paused = true
	case *ConversationResumed:
		t.paused = false
	case *SessionStarted:
		t.resetState()
	case *Restarted:
		t.resetState()
		t.followup = "action_session_start"
	}
}

// setSlot sets a slot of the domain. A scalar that is set to a list slot becomes
// a list of one, as in Rasa.
func (t *Tracker) setSlot(name string, value any) {
	slot := (*domain.Slot)(nil)
	if t.domain != nil {
		slot = t.domain.Slot(name)
	}
	if slot == nil {
		return
	}
	if slot.Type == domain.List && pystr.Truth(value) {
		if _, ok := value.([]any); !ok {
			value = []any{value}
		}
	}
	t.slots = t.slots.set(name, value)
}

// addEntities adds entities to the latest message, once each, if the assistant
// has just listened.
func (t *Tracker) addEntities(entities []Entity) {
	if t.LatestActionName() != ListenAction {
		return
	}
	m := UserUttered{}
	if t.latestMessage != nil {
		m = *t.latestMessage // events are not changed
	}
	m.Entities = slices.Clone(m.Entities)
	for _, e := range entities {
		if !slices.ContainsFunc(m.Entities, func(have Entity) bool { return reflect.DeepEqual(have, e) }) {
			m.Entities = append(m.Entities, e)
		}
	}
	t.latestMessage = &m
}

// resetState puts the state, not the events, back to the beginning.
func (t *Tracker) resetState() {
	t.resetSlots()
	t.latestMessage, t.latestAction, t.latestBot = nil, nil, nil
	t.followup, t.paused, t.loop = ListenAction, false, Loop{}
}

func (t *Tracker) resetSlots() {
	if t.domain == nil {
		t.slots = &slots{values: map[string]any{}}
		return
	}
	values := make(map[string]any, len(t.domain.Slots))
	for _, s := range t.domain.Slots {
		values[s.Name] = s.InitialValue
	}
	t.slots = &slots{values: values}
}
