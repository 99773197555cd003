package conversation

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/loquat-dev/loquat/internal/action"
	"github.com/loquat-dev/loquat/internal/broker"
	"github.com/loquat-dev/loquat/internal/channel"
	"github.com/loquat-dev/loquat/internal/dialogue"
	"github.com/loquat-dev/loquat/internal/domain"
	"github.com/loquat-dev/loquat/internal/lockstore"
	"github.com/loquat-dev/loquat/internal/nlu"
	"github.com/loquat-dev/loquat/internal/tracker"
	"github.com/loquat-dev/loquat/internal/trackerstore"
)

// Interpreter understands messages.
type Interpreter interface {
	// Parse adds to the message what NLU makes of it.
	Parse(ctx context.Context, m *nlu.Message) error
}

// Predictor chooses the next action.
type Predictor interface {
	Predict(ctx context.Context, s dialogue.Situation) (*dialogue.Prediction, error)
}

// DefaultMaxPredictions is how many actions may follow one message, unless
// MAX_NUMBER_OF_PREDICTIONS says otherwise.
const DefaultMaxPredictions = 10

// Settings are the parts that a Processor connects.
type Settings struct {
	Domain      *domain.Domain
	Interpreter Interpreter
	Predictor   Predictor // nil for a model that only understands
	Actions     *action.Runner
	Store       trackerstore.Store
	Locks       lockstore.Store
	Broker      broker.Broker // nil for none
	Hook        Hook          // nil for none
	Reminders   *Reminders    // shared with later processors; nil makes some of its own
	Logger      *slog.Logger

	ModelID        string
	ModelName      string // file name of the model
	AssistantID    string
	MaxPredictions int              // DefaultMaxPredictions if 0
	Now            func() time.Time // time.Now if nil
}

// Processor takes messages from arrival to reply. It is safe for concurrent use.
type Processor struct {
	Settings
	origin map[string]any // metadata of every event: the model and the assistant
}

// New returns a processor.
func New(s Settings) *Processor {
	if s.MaxPredictions == 0 {
		s.MaxPredictions = DefaultMaxPredictions
	}
	if s.Now == nil {
		s.Now = time.Now
	}
	p := &Processor{Settings: s, origin: map[string]any{"model_id": s.ModelID}}
	if s.AssistantID != "" {
		p.origin["assistant_id"] = s.AssistantID
	}
	if p.Reminders == nil {
		p.Reminders = NewReminders(s.Logger)
		p.Reminders.Serve(p)
	}
	return p
}

// Close stops the reminders. Stores and brokers belong to the caller.
func (p *Processor) Close() { p.Reminders.Stop() }

// step runs f as a step that the hook may watch.
func (p *Processor) step(ctx context.Context, s *Step, f func(ctx context.Context) error) error {
	if p.Hook == nil {
		return f(ctx)
	}
	ctx, end := p.Hook.Before(ctx, s)
	err := f(ctx)
	end(err)
	return err
}

// HandleMessage processes one message of a user: lock, load, parse, predict and
// act, save, publish (core.md §12, Rasa 3.6.21). Answers go to the message's
// Output as they are made.
func (p *Processor) HandleMessage(ctx context.Context, m channel.Message) error {
	step := &Step{
		Name: StepAgent, ConversationID: m.SenderID, MessageID: m.MessageID, InputChannel: m.Channel,
		ModelID: p.ModelID, ModelName: p.ModelName,
	}
	return p.step(ctx, step, func(ctx context.Context) error {
		err := p.locked(ctx, m.SenderID, func(ctx context.Context) error {
			return p.step(ctx, &Step{Name: StepHandle, ConversationID: m.SenderID, MessageID: m.MessageID}, func(ctx context.Context) error {
				return p.handle(ctx, m)
			})
		})
		step.Outcome = outcome(err)
		return err
	})
}

func outcome(err error) string {
	switch {
	case err == nil:
		return "ok"
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return "cancelled"
	default:
		return "error"
	}
}

// locked runs f while no other message of the conversation is processed.
func (p *Processor) locked(ctx context.Context, conversationID string, f func(ctx context.Context) error) error {
	unlock := func() {}
	err := p.step(ctx, &Step{Name: StepLock, ConversationID: conversationID}, func(ctx context.Context) (err error) {
		unlock, err = p.Locks.Lock(ctx, conversationID)
		return err
	})
	if err != nil {
		return fmt.Errorf("lock conversation: %w", err)
	}
	defer unlock()
	return f(ctx)
}

func (p *Processor) handle(ctx context.Context, m channel.Message) error {
	turn := turn{Processor: p, messageID: m.MessageID, output: m.Output}
	err := p.step(ctx, &Step{Name: StepLog, ConversationID: m.SenderID, MessageID: m.MessageID}, func(ctx context.Context) error {
		return turn.log(ctx, m, nil)
	})
	if err != nil {
		return err
	}
	return turn.finish(ctx)
}

// finish answers what was recorded, and saves. What the user said and what was
// done by then is kept, whatever happens; a turn that breaks off ends with
// listening, so that the next message is an answer to something.
func (t *turn) finish(ctx context.Context) error {
	var err error
	if t.Predictor != nil {
		if err = t.goOn(ctx); err != nil {
			t.record(&tracker.ActionExecuted{Name: action.Listen})
		}
	}
	return errors.Join(err, t.save(context.WithoutCancel(ctx), t.tracker))
}

// log loads the conversation, starts a session where one is due, and appends the
// user's message: the given one, or else what NLU makes of the text. A session that
// takes longer to start than the turn may take does not cost the message.
func (t *turn) log(ctx context.Context, m channel.Message, message *tracker.UserUttered) error {
	var err error
	if t.tracker, err = t.load(ctx, m.SenderID); err != nil {
		return err
	}
	if err := t.updateSession(ctx, m.Metadata); err != nil {
		t.Logger.ErrorContext(ctx, "session was not started", "conversation_id", m.SenderID, "err", err)
	}
	if message == nil {
		if message, err = t.interpret(context.WithoutCancel(ctx), m); err != nil {
			return err
		}
	}
	t.record(message)
	return nil
}

// load fetches the conversation, or makes a new one.
func (p *Processor) load(ctx context.Context, conversationID string) (t *tracker.Tracker, err error) {
	step := &Step{Name: StepGetTracker, ConversationID: conversationID}
	err = p.step(ctx, step, func(ctx context.Context) error {
		t, err = p.Store.Retrieve(ctx, conversationID)
		if errors.Is(err, trackerstore.ErrNotFound) {
			t, err = tracker.New(conversationID, p.Domain), nil
		}
		if err != nil {
			return fmt.Errorf("load conversation: %w", err)
		}
		if t.Domain() != p.Domain { // a store that another model has filled
			t = tracker.FromEvents(conversationID, p.Domain, t.Events())
		}
		step.NumberOfEvents = t.Len()
		return nil
	})
	return t, err
}

// save stores the conversation and publishes what was stored.
func (p *Processor) save(ctx context.Context, t *tracker.Tracker) error {
	if t == nil {
		return nil
	}
	events := t.Unsaved()
	step := &Step{Name: StepSaveTracker, ConversationID: t.ConversationID, NumberOfEvents: t.Len()}
	return p.step(ctx, step, func(ctx context.Context) error {
		if err := p.Store.Save(ctx, t); err != nil {
			return fmt.Errorf("save conversation: %w", err)
		}
		return p.publish(ctx, t.ConversationID, events)
	})
}

// publish hands stored events to the broker. A failure is logged and changes no
// turn.
func (p *Processor) publish(ctx context.Context, conversationID string, events []tracker.Event) error {
	step := &Step{Name: StepPublish, ConversationID: conversationID, NumberOfEvents: len(events)}
	return p.step(ctx, step, func(ctx context.Context) error {
		if p.Broker == nil || len(events) == 0 {
			return nil
		}
		if err := p.Broker.Publish(ctx, conversationID, events); err != nil {
			p.Logger.ErrorContext(ctx, "events were not published", "conversation_id", conversationID, "events", len(events), "err", err)
		}
		return nil
	})
}
