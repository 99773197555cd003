package tracker

import "github.com/loquat-dev/loquat/internal/domain"

// Tracker is one conversation: all its events over all sessions, and the state
// that they lead to. It is not safe for concurrent use.
type Tracker struct {
	ConversationID string

	domain *domain.Domain
	events []Event
	saved  int // events[:saved] are in the tracker store

	slots         map[string]any // by name, all slots of the domain
	latestMessage *UserUttered   // nil for a fresh tracker and after a session start
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
	t.followup = "action_listen"
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

// Events returns all events in order. The slice belongs to the tracker.
func (t *Tracker) Events() []Event { return t.events }

// Unsaved returns the events that no Save has stored yet.
func (t *Tracker) Unsaved() []Event { return t.events[t.saved:] }

// MarkSaved notes that all events are stored.
func (t *Tracker) MarkSaved() { t.saved = len(t.events) }

// resetState puts the state, not the events, back to the beginning.
func (t *Tracker) resetState() {
	t.slots = make(map[string]any)
	if t.domain != nil {
		for _, s := range t.domain.Slots {
			t.slots[s.Name] = s.InitialValue
		}
	}
	t.latestMessage, t.latestAction, t.latestBot = nil, nil, nil
	t.followup, t.paused, t.loop = "", false, Loop{}
}
