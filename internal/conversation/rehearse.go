package conversation

import (
	"context"

	"github.com/loquat-dev/loquat/internal/channel"
	"github.com/loquat-dev/loquat/internal/dialogue"
	"github.com/loquat-dev/loquat/internal/tracker"
)

// Understand makes the event of a message that a user says in no conversation.
func (p *Processor) Understand(ctx context.Context, text string) (*tracker.UserUttered, error) {
	return p.interpret(ctx, channel.Message{Text: text})
}

// Next chooses the next action of a conversation that is only rehearsed: nothing
// is executed, recorded or stored.
func (p *Processor) Next(ctx context.Context, t *tracker.Tracker) (action string, prediction *dialogue.Prediction, confidence float64, err error) {
	if p.Predictor == nil {
		return "", nil, 0, ErrNoPolicies
	}
	turn := &turn{Processor: p, tracker: t}
	return turn.predict(ctx)
}
