// Package tracker holds the history of one conversation: its events in Rasa's
// JSON, and the state that follows from them.
package tracker

// Event is one thing that happened in a conversation. Events are pointers to the
// structs below and are not changed once a tracker has applied them.
type Event interface {
	// Type is the name under "event" in JSON, such as "user" or "slot".
	Type() string
	// Meta gives access to what all events have.
	Meta() *Base
}

// Base is what all events have.
type Base struct {
	Timestamp float64        // seconds since 1970; 0 means not yet set
	Metadata  map[string]any // nil if none
}

// Meta returns b itself.
func (b *Base) Meta() *Base { return b }

// Entity is one entity in an event's parse data: the object as it stands in
// JSON, with at least "entity" and "value".
type Entity map[string]any

// ParseData is what NLU made of a user's message, in the shape of POST
// /model/parse.
type ParseData map[string]any

// The events of Rasa 3.6, named after its classes. The wire name follows.
type (
	// UserUttered is "user": the user said something.
	UserUttered struct {
		Base
		Text         string
		HasText      bool // text is not null
		Intent       string
		Confidence   float64
		Entities     []Entity
		ParseData    ParseData
		InputChannel string // "" is null
		MessageID    string // "" is null
	}
	// BotUttered is "bot": the assistant said something.
	BotUttered struct {
		Base
		Text    string
		HasText bool
		Data    map[string]any
	}
	// ActionExecuted is "action".
	ActionExecuted struct {
		Base
		Name          string // "" is null: an end-to-end action
		Policy        string // "" is null
		Confidence    float64
		HasConfidence bool
		ActionText    string
		HideRuleTurn  bool
	}
	// SlotSet is "slot".
	SlotSet struct {
		Base
		Name  string
		Value any
	}
	// EntitiesAdded is "entities".
	EntitiesAdded struct {
		Base
		Entities []Entity
	}
	// UserFeaturization is "user_featurization".
	UserFeaturization struct {
		Base
		UseText bool
	}
	// FollowupAction is "followup".
	FollowupAction struct {
		Base
		Name string
	}
	// ActiveLoop is "active_loop"; an empty Name ends the loop.
	ActiveLoop struct {
		Base
		Name string
	}
	// LoopInterrupted is "loop_interrupted".
	LoopInterrupted struct {
		Base
		Interrupted bool
	}
	// ActionExecutionRejected is "action_execution_rejected".
	ActionExecutionRejected struct {
		Base
		Name          string
		Policy        string
		Confidence    float64
		HasConfidence bool
	}
	// ReminderScheduled is "reminder".
	ReminderScheduled struct {
		Base
		Intent            string
		Entities          any // as given: a list, a map, or nil
		DateTime          string
		Name              string
		KillOnUserMessage bool
	}
	// ReminderCancelled is "cancel_reminder"; empty fields match anything.
	ReminderCancelled struct {
		Base
		Name     string
		Intent   string
		Entities any
	}
	// AgentUttered is "agent": a human agent said something.
	AgentUttered struct {
		Base
		Text string
		Data any
	}
	// StoryExported is "export".
	StoryExported struct {
		Base
		Path string
	}
	// SessionStarted is "session_started".
	SessionStarted struct{ Base }
	// Restarted is "restart".
	Restarted struct{ Base }
	// AllSlotsReset is "reset_slots".
	AllSlotsReset struct{ Base }
	// UserUtteranceReverted is "rewind".
	UserUtteranceReverted struct{ Base }
	// ActionReverted is "undo".
	ActionReverted struct{ Base }
	// ConversationPaused is "pause".
	ConversationPaused struct{ Base }
	// ConversationResumed is "resume".
	ConversationResumed struct{ Base }
	// Unknown is a stored event of a type that this version does not know, such as
	// one of a later Rasa. It is kept as it is and has no effect.
	Unknown struct {
		Base
		Kind   string
		Fields map[string]any // all but event, timestamp and metadata
	}
)

func (*UserUttered) Type() string             { return "user" }
func (*BotUttered) Type() string              { return "bot" }
func (*ActionExecuted) Type() string          { return "action" }
func (*SlotSet) Type() string                 { return "slot" }
func (*EntitiesAdded) Type() string           { return "entities" }
func (*UserFeaturization) Type() string       { return "user_featurization" }
func (*FollowupAction) Type() string          { return "followup" }
func (*ActiveLoop) Type() string              { return "active_loop" }
func (*LoopInterrupted) Type() string         { return "loop_interrupted" }
func (*ActionExecutionRejected) Type() string { return "action_execution_rejected" }
func (*ReminderScheduled) Type() string       { return "reminder" }
func (*ReminderCancelled) Type() string       { return "cancel_reminder" }
func (*AgentUttered) Type() string            { return "agent" }
func (*StoryExported) Type() string           { return "export" }
func (*SessionStarted) Type() string          { return "session_started" }
func (*Restarted) Type() string               { return "restart" }
func (*AllSlotsReset) Type() string           { return "reset_slots" }
func (*UserUtteranceReverted) Type() string   { return "rewind" }
func (*ActionReverted) Type() string          { return "undo" }
func (*ConversationPaused) Type() string      { return "pause" }
func (*ConversationResumed) Type() string     { return "resume" }
func (e *Unknown) Type() string               { return e.Kind }
