package tracker

import (
	"iter"

	"github.com/loquat-dev/loquat/internal/domain"
)

// ListenAction ends a turn: the assistant waits for the user.
const ListenAction = "action_listen"

// Tracker is one conversation: all its events over all sessions, and the state
// that they lead to. It is not safe for concurrent use.
type Tracker struct {
	ConversationID string

	events  sequence
	applied sequence         // events that still have an effect, see AppliedEvents
	loops   map[string]bool  // that were ever active; replaced, not changed
	quiet   waypoint[string] // see quietSince; its state is the name of a loop
	saved   int              // events[:saved] are in the tracker store

	state                     // what all events led to
	trail        Trail[state] // what the applied events lead to
	memory       *memory      // of readers
	inputChannel string
}

// New returns an empty conversation in which every slot has its initial value.
func New(conversationID string, d *domain.Domain) *Tracker {
	t := &Tracker{ConversationID: conversationID, memory: &memory{}}
	t.domain = d
	t.reset()
	return t
}

// FromEvents returns a conversation with the given stored events applied. They
// count as saved.
func FromEvents(conversationID string, d *domain.Domain, events []Event) *Tracker {
	t := New(conversationID, d)
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
	c.memory = t.memory.copy()
	return &c
}

// Domain returns the domain that the tracker was made for.
func (t *Tracker) Domain() *domain.Domain { return t.domain }

// Events returns all events in order. The slice belongs to the tracker. In a long
// conversation they may have to be put together: in each turn, Len and Backward
// tell more cheaply what is needed.
func (t *Tracker) Events() []Event { return t.events.from(0) }

// Len returns the number of events.
func (t *Tracker) Len() int { return t.events.len() }

// Backward yields all events with their places, the last one first.
func (t *Tracker) Backward() iter.Seq2[int, Event] { return t.events.backward }

// Follows reports whether the conversation is an earlier one and n events more.
func (t *Tracker) Follows(earlier *Tracker, n int) bool {
	had := earlier.Len()
	return had+n == t.Len() && (had == 0 || earlier.events.at(had-1) == t.events.at(had-1))
}

// AppliedEvents returns the events that still have an effect: a restart or a new
// session drops what came before, undone and rewound events are gone, and the
// repeated runs of a loop are collapsed (core.md §10.2, Rasa 3.6.21). The slice
// belongs to the tracker. As with Events, a turn should do with AppliedLen,
// AppliedFrom, AppliedBackward and a Trail.
func (t *Tracker) AppliedEvents() []Event { return t.applied.from(0) }

// AppliedLen returns the number of applied events.
func (t *Tracker) AppliedLen() int { return t.applied.len() }

// AppliedFrom returns the applied events from the i-th on. It takes no longer in a
// long conversation.
func (t *Tracker) AppliedFrom(i int) []Event { return t.applied.from(i) }

// AppliedBackward yields the applied events with their places, the last one first.
func (t *Tracker) AppliedBackward() iter.Seq2[int, Event] { return t.applied.backward }

// EventsAfterRestart returns the events after the last restart, or all.
func (t *Tracker) EventsAfterRestart() []Event {
	for i, e := range t.Backward() {
		if _, ok := e.(*Restarted); ok {
			return t.events.from(i + 1)
		}
	}
	return t.Events()
}

// Unsaved returns the events that no Save has stored yet.
func (t *Tracker) Unsaved() []Event { return t.events.from(t.saved) }

// MarkSaved notes that all events are stored.
func (t *Tracker) MarkSaved() { t.saved = t.events.len() }

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

// LatestAppliedMessage returns the last message of the user that still has an
// effect, or nil. Messages to a loop that has run again since have none.
func (t *Tracker) LatestAppliedMessage() *UserUttered {
	before, n := t.trail.Resume(t)
	for i, e := range t.AppliedBackward() {
		if i < n {
			return before.latestMessage
		}
		if u, ok := e.(*UserUttered); ok {
			return u
		}
	}
	return nil
}

// LatestInputChannel returns the channel of the latest message of any session,
// or "".
func (t *Tracker) LatestInputChannel() string { return t.inputChannel }

// LatestEventTime returns the time stamp of the last event, or 0.
func (t *Tracker) LatestEventTime() float64 {
	if t.Len() == 0 {
		return 0
	}
	return t.events.at(t.Len() - 1).Meta().Timestamp
}

// Until returns the conversation as it was at the given time, in seconds since
// 1970.
func (t *Tracker) Until(time float64) *Tracker {
	var events []Event
	for _, e := range t.Events() {
		if e.Meta().Timestamp <= time {
			events = append(events, e)
		}
	}
	return FromEvents(t.ConversationID, t.domain, events)
}
