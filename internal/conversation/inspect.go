package conversation

import (
	"context"
	"errors"
	"fmt"

	"github.com/loquat-dev/loquat/internal/channel"
	"github.com/loquat-dev/loquat/internal/dialogue"
	"github.com/loquat-dev/loquat/internal/domain"
	"github.com/loquat-dev/loquat/internal/tracker"
)

// Errors of requests about one conversation or action.
var (
	ErrUnknownConversation = errors.New("conversation not found")
	ErrUnknownAction       = errors.New("action is not in the domain")
	ErrNoPolicies          = errors.New("the model understands messages and chooses no actions")
)

// Forecast is what the policies make of a conversation: a probability for each
// action, and the policy that won.
type Forecast struct {
	Actions       []string
	Probabilities []float64
	Policy        string
	Confidence    float64
	Tracker       *tracker.Tracker
}

// ModelDomain is the domain that the running model was trained with.
func (p *Processor) ModelDomain() *domain.Domain { return p.Domain }

// Stored returns a conversation as it is stored, or ErrUnknownConversation. Nothing
// is changed, and no lock is taken: between two turns it is the latest state,
// during one it is what was before.
func (p *Processor) Stored(ctx context.Context, conversationID string) (*tracker.Tracker, error) {
	t, err := p.load(ctx, conversationID)
	if err == nil && t.Len() == 0 {
		return nil, ErrUnknownConversation
	}
	return t, err
}

// known runs f in a conversation that exists, with its session brought up to
// date, and saves what f recorded.
func (p *Processor) known(ctx context.Context, conversationID string, out channel.Output, f func(context.Context, *turn) error) error {
	return p.locked(ctx, conversationID, func(ctx context.Context) error {
		t := &turn{Processor: p, output: out}
		var err error
		if t.tracker, err = p.Stored(ctx, conversationID); err != nil {
			return err
		}
		if err := t.updateSession(ctx, nil); err != nil {
			return err
		}
		err = f(ctx, t)
		return errors.Join(err, p.save(context.WithoutCancel(ctx), t.tracker))
	})
}

// Execute runs one action in a conversation that exists, as if a policy had
// chosen it with that confidence. What it says goes to out.
func (p *Processor) Execute(ctx context.Context, conversationID, action, policy string, confidence float64, out channel.Output) (result *tracker.Tracker, err error) {
	err = p.known(ctx, conversationID, out, func(ctx context.Context, t *turn) error {
		if _, ok := p.Domain.ActionIndex(action); !ok {
			return fmt.Errorf("%w: %q", ErrUnknownAction, action)
		}
		_, err := t.act(ctx, action, &dialogue.Prediction{Policy: policy}, confidence)
		result = t.tracker
		return err
	})
	return result, err
}

// LogMessage adds a user's message to a conversation and fills slots from it; no
// action follows. parsed replaces what NLU would make of the text, unless it is
// nil.
func (p *Processor) LogMessage(ctx context.Context, m channel.Message, parsed *tracker.UserUttered) (result *tracker.Tracker, err error) {
	err = p.locked(ctx, m.SenderID, func(ctx context.Context) error {
		t := &turn{Processor: p, messageID: m.MessageID}
		step := &Step{Name: StepLog, ConversationID: m.SenderID, MessageID: m.MessageID}
		err := p.step(ctx, step, func(ctx context.Context) error { return t.log(ctx, m, parsed) })
		if err != nil {
			return err
		}
		result = t.tracker
		if p.Predictor != nil {
			err = t.extractSlots(ctx)
			result = t.tracker
		}
		return errors.Join(err, p.save(context.WithoutCancel(ctx), t.tracker))
	})
	return result, err
}

// Forecast predicts the next action of a conversation that exists. Nothing is
// executed; a session that is due is started and stored, as in Rasa.
func (p *Processor) Forecast(ctx context.Context, conversationID string) (f *Forecast, err error) {
	err = p.known(ctx, conversationID, nil, func(ctx context.Context, t *turn) error {
		f, err = t.forecast(ctx)
		return err
	})
	return f, err
}

// ForecastEvents predicts the next action of a conversation that consists of the
// given events. Nothing is stored.
func (p *Processor) ForecastEvents(ctx context.Context, conversationID string, events []tracker.Event) (*Forecast, error) {
	t := &turn{Processor: p, tracker: tracker.New(conversationID, p.Domain)}
	for _, e := range events {
		if base := e.Meta(); base.Timestamp == 0 {
			base.Timestamp = p.seconds()
		}
		t.tracker.Update(e)
	}
	return t.forecast(ctx)
}

func (t *turn) forecast(ctx context.Context) (*Forecast, error) {
	if t.Predictor == nil {
		return nil, ErrNoPolicies
	}
	name, prediction, confidence, err := t.predict(ctx)
	if err != nil {
		return nil, err
	}
	f := &Forecast{Actions: t.Domain.ActionNames(), Probabilities: prediction.Probabilities, Policy: prediction.Policy, Confidence: confidence}
	if len(f.Probabilities) == 0 { // the action that must follow
		f.Probabilities = make([]float64, len(f.Actions))
		if i, ok := t.Domain.ActionIndex(name); ok {
			f.Probabilities[i] = 1
		}
	}
	f.Tracker = t.tracker.Copy()
	f.Tracker.ClearFollowup()
	return f, nil
}
