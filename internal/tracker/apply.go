package tracker

import (
	"reflect"
	"slices"

	"github.com/loquat-dev/loquat/internal/domain"
	"github.com/loquat-dev/loquat/internal/pystr"
)

// state is what events lead to. A copy may go on by itself once its slots are
// marked as shared.
type state struct {
	domain        *domain.Domain
	slots         *slots       // all slots of the domain
	latestMessage *UserUttered // nil for a fresh tracker and after a session start
	latestAction  *ActionExecuted
	latestBot     *BotUttered
	followup      string
	paused        bool
	loop          Loop
}

// Loop is the active loop (form or two-stage fallback) of a conversation.
type Loop struct {
	Name           string // "" means that none is active
	Interrupted    bool
	Rejected       bool
	TriggerMessage ParseData
}

// apply gives the state the effect of one event.
func (s *state) apply(e Event) {
	switch e := e.(type) {
	case *UserUttered:
		s.latestMessage = e
		s.followup = ""
	case *BotUttered:
		s.latestBot = e
	case *ActionExecuted:
		s.latestAction = e
		s.followup = ""
		s.loop.Interrupted = false
		if e.Name == s.loop.Name {
			s.loop.Rejected = false
		}
	case *SlotSet:
		s.setSlot(e.Name, e.Value)
	case *EntitiesAdded:
		s.addEntities(e.Entities)
	case *FollowupAction:
		s.followup = e.Name
	case *ActiveLoop:
		s.loop = Loop{Name: e.Name}
		if e.Name != "" {
			trigger := s.latestMessage
			if trigger == nil {
				trigger = &UserUttered{}
			}
			s.loop.TriggerMessage = trigger.parseData()
		}
	case *LoopInterrupted:
		s.loop.Interrupted = e.Interrupted && s.loop.Name != ""
	case *ActionExecutionRejected:
		if e.Name != "" && e.Name == s.loop.Name {
			s.loop.Rejected = true
		}
	case *AllSlotsReset:
		s.resetSlots()
	case *ConversationPaused:
		s.paused = true
	case *ConversationResumed:
		s.paused = false
	case *SessionStarted:
		s.reset()
	case *Restarted:
		s.reset()
		s.followup = "action_session_start"
	}
}

// setSlot sets a slot of the domain. A scalar that is set to a list slot becomes
// a list of one, as in Rasa.
func (s *state) setSlot(name string, value any) {
	slot := (*domain.Slot)(nil)
	if s.domain != nil {
		slot = s.domain.Slot(name)
	}
	if slot == nil {
		return
	}
	if slot.Type == domain.List && pystr.Truth(value) {
		if _, ok := value.([]any); !ok {
			value = []any{value}
		}
	}
	s.slots = s.slots.set(name, value)
}

// addEntities adds entities to the latest message, once each, if the assistant
// has just listened.
func (s *state) addEntities(entities []Entity) {
	if s.latestAction == nil || s.latestAction.Name != ListenAction {
		return
	}
	m := UserUttered{}
	if s.latestMessage != nil {
		m = *s.latestMessage // events are not changed
	}
	m.Entities = slices.Clone(m.Entities)
	for _, e := range entities {
		if !slices.ContainsFunc(m.Entities, func(have Entity) bool { return reflect.DeepEqual(have, e) }) {
			m.Entities = append(m.Entities, e)
		}
	}
	s.latestMessage = &m
}

// reset is the state before the first event.
func (s *state) reset() {
	s.resetSlots()
	s.latestMessage, s.latestAction, s.latestBot = nil, nil, nil
	s.followup, s.paused, s.loop = ListenAction, false, Loop{}
}

func (s *state) resetSlots() {
	if s.domain == nil {
		s.slots = &slots{values: map[string]any{}}
		return
	}
	values := make(map[string]any, len(s.domain.Slots))
	for _, slot := range s.domain.Slots {
		values[slot.Name] = slot.InitialValue
	}
	s.slots = &slots{values: values}
}
