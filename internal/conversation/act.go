package conversation

import (
	"context"
	"errors"

	"github.com/loquat-dev/loquat/internal/action"
	"github.com/loquat-dev/loquat/internal/dialogue"
	"github.com/loquat-dev/loquat/internal/nlg"
	"github.com/loquat-dev/loquat/internal/tracker"
)

// act runs an action and records what it causes: the policies' events, the action
// itself, its events. A rejection is recorded instead of the action; any other
// failure is logged, and the action counts as run with no events. ended tells
// that the turn is over.
func (t *turn) act(ctx context.Context, name string, prediction *dialogue.Prediction, confidence float64) (ended bool, err error) {
	step := &Step{Name: StepAction, ConversationID: t.tracker.ConversationID, MessageID: t.messageID, Action: name}
	if t.Actions.IsRemote(name) {
		step.Executor = t.Actions.ExecutorClass()
	}
	var events []tracker.Event
	var rejected bool
	situation := t.situation().With(prediction.Events...)
	err = t.step(ctx, step, func(ctx context.Context) (err error) {
		events, err = t.Actions.Run(ctx, name, situation)
		return err
	})
	if err != nil {
		if ctx.Err() != nil {
			return true, ctx.Err()
		}
		if rejection, ok := errors.AsType[*action.RejectedError](err); ok {
			t.Logger.DebugContext(ctx, "action rejected its execution", "conversation_id", t.tracker.ConversationID, "action", name, "err", rejection)
			events, rejected = []tracker.Event{&tracker.ActionExecutionRejected{
				Name: name, Policy: prediction.Policy, Confidence: confidence, HasConfidence: true,
			}}, true
		} else {
			t.Logger.ErrorContext(ctx, "action failed", "conversation_id", t.tracker.ConversationID, "action", name, "err", err)
		}
		if _, ok := errors.AsType[*action.ActivationError](err); ok && !rejected {
			// Without its loop the form would count as done: Rasa 3.6 goes on to submit
			// it. Here it has not run, and the assistant listens.
			t.record(&tracker.ActionExecuted{Name: action.Listen})
			return true, nil
		}
	}
	if !rejected && !containsRejection(events) { // else the prediction does not count
		t.tracker = situation.Tracker // has the prediction's events already
		for _, e := range prediction.Events {
			t.stamp(e, t.seconds())
		}
		t.record(t.executed(name, prediction, confidence))
	}
	return name == action.Listen || name == action.SessionStart, t.apply(ctx, events)
}

func containsRejection(events []tracker.Event) bool {
	for _, e := range events {
		if _, ok := e.(*tracker.ActionExecutionRejected); ok {
			return true
		}
	}
	return false
}

func (t *turn) executed(name string, prediction *dialogue.Prediction, confidence float64) *tracker.ActionExecuted {
	e := &tracker.ActionExecuted{
		Name: name, Policy: prediction.Policy, Confidence: confidence, HasConfidence: true, HideRuleTurn: prediction.HideRuleTurn,
	}
	e.Metadata = prediction.Metadata
	for _, text := range t.Domain.E2EActions {
		if name == text {
			e.Name, e.ActionText = "", text
		}
	}
	return e
}

// apply records an action's events and does what they ask for: utterances go to
// the user, reminders are scheduled, a user message fills slots.
func (t *turn) apply(ctx context.Context, events []tracker.Event) error {
	now := t.seconds()
	for i, e := range events {
		t.stamp(e, now+float64(i)/1e6) // keeps the order where stores sort by time
		t.tracker.Update(e)
	}
	if err := t.sideEffects(ctx, events); err != nil {
		return err
	}
	for _, e := range events {
		if _, ok := e.(*tracker.UserUttered); ok {
			return t.extractSlots(ctx)
		}
	}
	return nil
}

// sideEffects does what events ask for beyond the conversation itself.
func (t *turn) sideEffects(ctx context.Context, events []tracker.Event) error {
	for _, e := range events {
		switch e := e.(type) {
		case *tracker.BotUttered:
			if err := t.say(ctx, e); err != nil {
				return err
			}
		case *tracker.ReminderScheduled:
			now := t.Now()
			t.Reminders.schedule(t.tracker.ConversationID, e, t.output, now, now)
		case *tracker.ReminderCancelled:
			t.Reminders.cancel(t.tracker.ConversationID, e)
		case *tracker.SlotSet:
			if t.Domain.Slot(e.Name) == nil {
				t.Logger.ErrorContext(ctx, "slot is not in the domain and stays unset", "conversation_id", t.tracker.ConversationID, "slot", e.Name)
			}
		}
	}
	return nil
}

// say sends an utterance to the user.
func (t *turn) say(ctx context.Context, e *tracker.BotUttered) error {
	if t.output == nil {
		return nil
	}
	if err := t.output.Send(ctx, t.tracker.ConversationID, nlg.Message(e)); err != nil {
		t.Logger.ErrorContext(ctx, "answer was not delivered", "conversation_id", t.tracker.ConversationID, "channel", t.output.Name(), "err", err)
	}
	return nil
}
