package tracker

import (
	"github.com/loquat-dev/loquat/internal/domain"
)

// ListenAction ends a turn: the assistant waits for the user.
const ListenAction = "action_listen"

// Tracker is one conversation: all its events over all sessions, and the state
// that they lead to. It is not safe for concurrent use.
type Tracker struct {
	ConversationID string

	domain  *domain.Domain
	events  list
	applied list            // events that still have an effect, see AppliedEvents
	loops   map[string]bool // that were ever active; replaced, not changed
	saved   int             // events[:saved] are in the tracker store

	slots         *slots       // all slots of the domain
	latestMessage *UserUttered // nil for a fresh tracker and after a session start
	latestAction  *ActionExecuted
	latestBot     *BotUttered
	followup      string
	paused        bool
	loop          Loop
	inputChannel  string
}

// Loop is the active loop (form or two-stage fallback) of a conversation.
type Loop struct {
	Name           string // "" means that none is active
	Interrupted    bool
	Rejected       bool
	TriggerMessage ParseData
}

// New returns an empty conversation in which every slot has its initial value.
func New(conversationID string, d *domain.Domain) *Tracker {
	t := &Tracker{ConversationID: conversationID, domain: d}
	t.resetState()
	return t
}

// FromEvents returns a conversation with the given stored events applied. They
// count as saved.
func FromEvents(conversationID string, d *domain.Domain, events []Event) *Tracker {
	t := New(conversationID, d)
	t.events.grow(len(events) + 16)
	t.applied.grow(len(events) + 16)
	for _, e := range events {
		t.Update(e)
	}
	t.MarkSaved()
	return t
}

// Copy returns a tracker with the same events and state that can be updated
// without changing t. It takes no longer for a long conversation than for a
// short one.
func (t *Tracker) Copy() *Tracker {
	c := *t
	t.slots.shared.Store(true)
	return &c
}

// Domain returns the domain that the tracker was made for.
func (t *Tracker) Domain() *domain.Domain { return t.domain }

// Events returns all events in order. The slice belongs to the tracker.
func (t *Tracker) Events() []Event { return t.events.events }

// AppliedEvents returns the events that still have an effect: a restart or a new
// session drops what came before, undone and rewound events are gone, and the
// repeated runs of a loop are collapsed (core.md §10.2, Rasa 3.6.21). The slice
// belongs to the tracker.
func (t *Tracker) AppliedEvents() []Event { return t.applied.events }

// EventsAfterRestart returns the events after the last restart, or all.
func (t *Tracker) EventsAfterRestart() []Event {
	events := t.events.events
	for i := len(events) - 1; i >= 0; i-- {
		if _, ok := events[i].(*Restarted); ok {
			return events[i+1:]
		}
	}
	return events
}

// Unsaved returns the events that no Save has stored yet.
func (t *Tracker) Unsaved() []Event { return t.events.events[t.saved:] }

// MarkSaved notes that all events are stored.
func (t *Tracker) MarkSaved() { t.saved = len(t.events.events) }

// Slot returns the value of a slot; nil if it is unset or unknown.
func (t *Tracker) Slot(name string) any { return t.slots.values[name] }

// Slots returns the values of all slots by name. The map belongs to the tracker.
func (t *Tracker) Slots() map[string]any { return t.slots.values }

// LatestMessage returns the user's latest message, or nil if there is none in
// this session. Entities that policies added are part of it.
func (t *Tracker) LatestMessage() *UserUttered { return t.latestMessage }

// LatestIntent returns the intent of the latest message, or "".
func (t *Tracker) LatestIntent() string {
	if t.latestMessage == nil {
		return ""
	}
	return t.latestMessage.Intent
}

// LatestAction returns the latest action, or nil.
func (t *Tracker) LatestAction() *ActionExecuted { return t.latestAction }

// LatestActionName returns the name, or the end-to-end text, of the latest
// action, or "".
func (t *Tracker) LatestActionName() string {
	switch {
	case t.latestAction == nil:
		return ""
	case t.latestAction.Name != "":
		return t.latestAction.Name
	default:
		return t.latestAction.ActionText
	}
}

// LatestBot returns the latest utterance of the assistant, or nil.
func (t *Tracker) LatestBot() *BotUttered { return t.latestBot }

// Followup returns the action that must come next, or "".
func (t *Tracker) Followup() string { return t.followup }

// ClearFollowup forgets the action that must come next, because it was predicted.
func (t *Tracker) ClearFollowup() { t.followup = "" }

// Paused reports whether the assistant has been told to be silent.
func (t *Tracker) Paused() bool { return t.paused }

// ActiveLoop returns the active loop; its name is "" if there is none.
func (t *Tracker) ActiveLoop() Loop { return t.loop }

// LatestInputChannel returns the channel of the latest message of any session,
// or "".
func (t *Tracker) LatestInputChannel() string { return t.inputChannel }

// LatestEventTime returns the time stamp of the last event, or 0.
func (t *Tracker) LatestEventTime() float64 {
	events := t.events.events
	if len(events) == 0 {
		return 0
	}
	return events[len(events)-1].Meta().Timestamp
}

// Until returns the conversation as it was at the given time, in seconds since
// 1970.
func (t *Tracker) Until(time float64) *Tracker {
	var events []Event
	for _, e := range t.events.events {
		if e.Meta().Timestamp <= time {
			events = append(events, e)
		}
	}
	return FromEvents(t.ConversationID, t.domain, events)
}
