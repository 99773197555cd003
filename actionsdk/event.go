package actionsdk

import "time"

// Event is something that happens in a conversation. Actions return events;
// trackers hold those that happened. The structs below are all of them;
// [OtherEvent] stands for the rest.
type Event interface {
	// Type is the event's name in JSON, such as "slot".
	Type() string
	// meta is what all events have.
	meta() Base
	// fields adds what this kind of event has to its JSON object.
	fields(object map[string]any)
}

// Base is what all events have. Actions leave it empty: the assistant stamps
// their events when they arrive.
type Base struct {
	Timestamp float64 // seconds since 1970; 0 if not set
	Metadata  map[string]any
}

func (b Base) meta() Base { return b }

// Time is Timestamp as a time.
func (b Base) Time() time.Time { return time.UnixMicro(int64(b.Timestamp * 1e6)) }

type (
	// SlotSet gives a slot a value; nil empties it.
	SlotSet struct {
		Base
		Name  string
		Value any
	}
	// FollowupAction makes an action the next one.
	FollowupAction struct {
		Base
		Name string
	}
	// ReminderScheduled has an intent come from the outside at a later time.
	ReminderScheduled struct {
		Base
		Intent   string
		At       time.Time
		Entities any    // a list of Entity, or a map from names to values
		Name     string // for ReminderCancelled; if empty the assistant makes one up
		// SurviveUserMessage keeps the reminder when the user says something before.
		SurviveUserMessage bool
	}
	// ReminderCancelled cancels reminders; empty fields match all.
	ReminderCancelled struct {
		Base
		Name     string
		Intent   string
		Entities any
	}
	// ActiveLoop starts the form of that name; an empty name ends the active one.
	ActiveLoop struct {
		Base
		Name string
	}
	// LoopInterrupted says whether something else than an answer came during a form.
	LoopInterrupted struct {
		Base
		Interrupted bool
	}
	// ActionExecutionRejected says that an action refused to run.
	ActionExecutionRejected struct {
		Base
		Name       string
		Policy     string
		Confidence *float64
	}
	// ActionExecuted says that an action ran.
	ActionExecuted struct {
		Base
		Name       string
		Policy     string
		Confidence *float64
	}
	// UserUttered is a message of the user.
	UserUttered struct {
		Base
		Text         string
		ParseData    map[string]any // what NLU made of it: intent, entities, …
		InputChannel string
		MessageID    string
	}
	// BotUttered is something that the assistant said.
	BotUttered struct {
		Base
		Text string
		Data map[string]any
	}
	// AgentUttered is something that a human agent said.
	AgentUttered struct {
		Base
		Text string
		Data any
	}
	// EntitiesAdded adds entities to the latest message.
	EntitiesAdded struct {
		Base
		Entities []Entity
	}
	// AllSlotsReset empties all slots.
	AllSlotsReset struct{ Base }
	// SessionStarted starts a session.
	SessionStarted struct{ Base }
	// Restarted forgets the conversation.
	Restarted struct{ Base }
	// ConversationPaused keeps the assistant silent.
	ConversationPaused struct{ Base }
	// ConversationResumed ends the silence.
	ConversationResumed struct{ Base }
	// UserUtteranceReverted undoes everything since the latest user message, and it.
	UserUtteranceReverted struct{ Base }
	// ActionReverted undoes the latest action.
	ActionReverted struct{ Base }
	// StoryExported asks for the conversation as a story.
	StoryExported struct{ Base }
	// OtherEvent is an event of any other type.
	OtherEvent struct {
		Base
		Kind   string
		Fields map[string]any
	}
)

// The names of the events in JSON.
func (SlotSet) Type() string                 { return "slot" }
func (FollowupAction) Type() string          { return "followup" }
func (ReminderScheduled) Type() string       { return "reminder" }
func (ReminderCancelled) Type() string       { return "cancel_reminder" }
func (ActiveLoop) Type() string              { return "active_loop" }
func (LoopInterrupted) Type() string         { return "loop_interrupted" }
func (ActionExecutionRejected) Type() string { return "action_execution_rejected" }
func (ActionExecuted) Type() string          { return "action" }
func (UserUttered) Type() string             { return "user" }
func (BotUttered) Type() string              { return "bot" }
func (AgentUttered) Type() string            { return "agent" }
func (EntitiesAdded) Type() string           { return "entities" }
func (AllSlotsReset) Type() string           { return "reset_slots" }
func (SessionStarted) Type() string          { return "session_started" }
func (Restarted) Type() string               { return "restart" }
func (ConversationPaused) Type() string      { return "pause" }
func (ConversationResumed) Type() string     { return "resume" }
func (UserUtteranceReverted) Type() string   { return "rewind" }
func (ActionReverted) Type() string          { return "undo" }
func (StoryExported) Type() string           { return "export" }
func (e OtherEvent) Type() string            { return e.Kind }
