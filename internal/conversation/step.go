// Package conversation takes one message from arrival to reply: lock, load,
// parse, predict, act, save, publish.
package conversation

import "context"

// StepName names a part of a turn that can be watched. The names are those of
// the methods that Rasa traces.
type StepName string

// The steps of a turn, outermost first.
const (
	StepAgent          StepName = "Agent.handle_message"
	StepLock           StepName = "lock"
	StepHandle         StepName = "MessageProcessor.handle_message"
	StepLog            StepName = "MessageProcessor.log_message"
	StepGetTracker     StepName = "MessageProcessor.get_tracker"
	StepParse          StepName = "MessageProcessor.parse_message"
	StepPredictionLoop StepName = "MessageProcessor._run_prediction_loop"
	StepPredict        StepName = "MessageProcessor._predict_next_with_tracker"
	StepAction         StepName = "MessageProcessor._run_action"
	StepSaveTracker    StepName = "MessageProcessor.save_tracker"
	StepPublish        StepName = "_stream_new_events"
)

// Step is one run of a step. What is known at its start is set before the Hook
// sees it; results are filled in before the step ends.
type Step struct {
	Name           StepName
	ConversationID string
	MessageID      string
	InputChannel   string // StepAgent
	ModelID        string // StepAgent
	ModelName      string // StepAgent
	Action         string // StepAction
	Executor       string // StepAction: class of the remote executor; "" for built-in actions

	NumberOfEvents int    // result of StepGetTracker, StepSaveTracker, StepPublish
	IntentName     string // StepPredict
	RequestedSlot  any    // StepPredict; nil if none
	Outcome        string // result of StepAgent
}

// Hook watches the steps of a turn. Before is called as a step starts and
// returns the context that it runs in and a function to call when it is done.
// Before may change the context only; it never changes a result.
type Hook interface {
	Before(ctx context.Context, step *Step) (context.Context, func(err error))
}
