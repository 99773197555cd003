package statevector

import (
	"context"
	"iter"

	"github.com/loquat-dev/loquat/internal/dialogue"
)

// Situation is a place in a story before an action that can be learned.
type Situation struct {
	States []dialogue.State // that count; they share memory with those of other situations
	Action string
	Told   bool // the story is told by itself, not behind another
}

// Situations yields all of what stories say; rules are left out. It ends with the
// error of ctx.
func Situations(ctx context.Context, trackers []*dialogue.TrainingTracker, encoder *dialogue.Encoder, maxHistory int) iter.Seq2[Situation, error] {
	return func(yield func(Situation, error) bool) {
		for _, t := range trackers {
			if err := ctx.Err(); err != nil {
				yield(Situation{}, err)
				return
			}
			if t.Rule {
				continue
			}
			for _, label := range encoder.Labels(t, dialogue.View{}) {
				states := Recent(dialogue.WithoutUnlikelyIntents(label.States), maxHistory)
				if !yield(Situation{states, label.Action, !t.Augmented}, nil) {
					return
				}
			}
		}
	}
}
