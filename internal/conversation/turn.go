package conversation

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/loquat-dev/loquat/internal/action"
	"github.com/loquat-dev/loquat/internal/channel"
	"github.com/loquat-dev/loquat/internal/dialogue"
	"github.com/loquat-dev/loquat/internal/tracker"
)

// turn is the work on one message. Its tracker belongs to it.
type turn struct {
	*Processor
	tracker   *tracker.Tracker
	messageID string
	output    channel.Output // nil drops what is said
}

// record stamps an event and updates the tracker with it. Events get the time of
// their arrival here, whatever they came with, and name the model.
func (t *turn) record(e tracker.Event) {
	t.stamp(e, t.seconds())
	t.tracker.Update(e)
}

func (p *Processor) stamp(e tracker.Event, seconds float64) {
	base := e.Meta()
	base.Timestamp = seconds
	if len(base.Metadata) == 0 {
		base.Metadata = p.origin // shared by all events, never changed
		return
	}
	metadata := maps.Clone(base.Metadata)
	maps.Copy(metadata, p.origin)
	base.Metadata = metadata
}

// seconds is the time since 1970 in microseconds' precision, as Rasa stores it.
func (p *Processor) seconds() float64 { return float64(p.Now().UnixMicro()) / 1e6 }

// updateSession starts a session if the conversation has none that goes on.
func (t *turn) updateSession(ctx context.Context, metadata map[string]any) error {
	if !t.sessionIsDue() {
		return nil
	}
	if len(metadata) > 0 {
		t.record(&tracker.SlotSet{Name: "session_started_metadata", Value: metadata})
	}
	_, err := t.act(ctx, action.SessionStart, &dialogue.Prediction{}, 1)
	return err
}

// sessionIsDue reports whether nothing has happened yet, or the user has been
// silent for longer than session_expiration_time.
func (t *turn) sessionIsDue() bool {
	if t.tracker.AppliedLen() == 0 {
		return true
	}
	expiration := t.Domain.Session.ExpirationMinutes
	if expiration <= 0 {
		return false
	}
	last := t.tracker.LatestAppliedMessage()
	return last != nil && t.seconds()-last.Timestamp > expiration*60
}

// goOn extracts slots and predicts and runs actions until the assistant listens.
func (t *turn) goOn(ctx context.Context) error {
	if err := t.extractSlots(ctx); err != nil {
		return err
	}
	step := &Step{Name: StepPredictionLoop, ConversationID: t.tracker.ConversationID, MessageID: t.messageID}
	return t.step(ctx, step, t.predictionLoop)
}

func (t *turn) extractSlots(ctx context.Context) error {
	events, err := t.Actions.Run(ctx, action.ExtractSlots, t.situation())
	if err != nil {
		return fmt.Errorf("extract slots: %w", err)
	}
	return t.apply(ctx, events)
}

func (t *turn) situation() action.Situation {
	s := action.Situation{Tracker: t.tracker}
	if t.output != nil {
		s.Channel = t.output.Name()
	}
	return s
}

// predictionsPerAction bounds a turn in which actions are rejected, or return events
// that say that the assistant has listened.
const predictionsPerAction = 5

// predictionLoop runs actions until the assistant listens. One that would go on and
// on is made to listen: otherwise policies would take the next message for one that
// came in between, and the follow-up action would return when it is rewound.
func (t *turn) predictionLoop(ctx context.Context) error {
	began := t.tracker.Len()
	found := false // entities, by the prediction before
	for predicted := 0; t.shouldAct(); predicted++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		if executed := t.sinceListening(began); executed >= t.MaxPredictions || predicted >= predictionsPerAction*t.MaxPredictions {
			t.Logger.WarnContext(ctx, "too many actions in one turn: it ends here", "conversation_id", t.tracker.ConversationID, "actions", executed)
			t.record(&tracker.ActionExecuted{Name: action.Listen})
			return nil
		}
		name, prediction, confidence, err := t.predict(ctx)
		if err != nil {
			return err
		}
		if prediction.EndToEnd || found {
			if err := t.extractSlots(ctx); err != nil {
				return err
			}
		}
		found = slices.ContainsFunc(prediction.Events, addsEntities)
		ended, err := t.act(ctx, name, prediction, confidence)
		if err != nil || ended {
			return err
		}
	}
	return nil
}

func addsEntities(e tracker.Event) bool { _, ok := e.(*tracker.EntitiesAdded); return ok }

// sinceListening counts the actions that were run since the loop began, or since the
// assistant listened or started a session in it. One that was rejected was not run
// (Rasa 3.6.21, which also counts those of a turn that was broken off, and so says
// nothing ever after).
func (t *turn) sinceListening(began int) (n int) {
	for i, event := range t.tracker.Backward() {
		if i < began {
			break
		}
		if e, ok := event.(*tracker.ActionExecuted); ok {
			if e.Name == action.Listen || e.Name == action.SessionStart {
				break
			}
			n++
		}
	}
	return n
}

// shouldAct reports whether the assistant is to act at all: a paused one only
// restarts.
func (t *turn) shouldAct() bool {
	return !t.tracker.Paused() || t.tracker.LatestIntent() == "restart"
}

// predict chooses the next action: the one that must follow, or the policies'.
func (t *turn) predict(ctx context.Context) (name string, prediction *dialogue.Prediction, confidence float64, err error) {
	step := &Step{
		Name: StepPredict, ConversationID: t.tracker.ConversationID, MessageID: t.messageID,
		IntentName: t.tracker.LatestIntent(), RequestedSlot: t.tracker.Slot("requested_slot"),
	}
	err = t.step(ctx, step, func(ctx context.Context) error {
		if followup := t.tracker.Followup(); followup != "" {
			if _, ok := t.Domain.ActionIndex(followup); ok {
				name, prediction, confidence = followup, &dialogue.Prediction{Policy: "followup_action"}, 1
				return nil
			}
			t.Logger.ErrorContext(ctx, "the follow-up action is not in the domain and is left out", "conversation_id", t.tracker.ConversationID, "action", followup)
		}
		prediction, err = t.Predictor.Predict(ctx, dialogue.Situation{Tracker: t.tracker, Domain: t.Domain})
		if err != nil {
			return fmt.Errorf("predict next action: %w", err)
		}
		var best int
		best, confidence = prediction.Best()
		names := t.Domain.ActionNames()
		if best >= len(names) {
			return errors.New("predict next action: the model was trained for another domain")
		}
		name = names[best]
		return nil
	})
	return name, prediction, confidence, err
}
