package memoization

import (
	"context"

	"github.com/loquat-dev/loquat/internal/dialogue"
)

// Predict gives the remembered action a probability of 1, or none to any.
func (p *Policy) Predict(_ context.Context, in dialogue.Situation) (*dialogue.Prediction, error) {
	out := &dialogue.Prediction{
		Policy:        p.name,
		Priority:      p.config.Priority,
		Probabilities: make([]float64, len(in.Domain.ActionNames())),
	}
	action, ok := p.recall(in)
	if !ok {
		return out, nil
	}
	if i, ok := in.Domain.ActionIndex(action); ok {
		out.Probabilities[i] = 1
		if p.config.UseNLUConfidence {
			out.Probabilities[i] = dialogue.Confidence(in.Tracker)
		}
	}
	return out, nil
}

func (p *Policy) recall(in dialogue.Situation) (action string, ok bool) {
	encoder := p.encoders.For(in.Domain)
	view := in.Learned(p.longest + 1)
	if n := p.config.MaxHistory; n != nil && *n > 0 {
		view.Last = *n
	}
	states := encoder.Recent(in.Tracker, view)
	if action, ok = p.lookUp(states); ok || !p.augmented {
		return action, ok
	}
	// Forget what happened before one of the last actions, then what happened
	// before the next, until the rest is known. Slots that were set before are
	// forgotten with it. Rasa begins with the first action of all; turns that are
	// hidden from the stories make more than max_history actions useful, but not
	// many more.
	for states := range encoder.Suffixes(in.Tracker, 2*view.Last+4, view) {
		if action, ok = p.lookUp(states); ok {
			return action, true
		}
	}
	return "", false
}

// lookUp finds the memory of exactly these states.
func (p *Policy) lookUp(states []dialogue.State) (action string, ok bool) {
	if len(states) > p.longest {
		return "", false
	}
	var buffer [2048]byte
	action, ok = p.memories[string(dialogue.AppendStates(buffer[:0], states))]
	return action, ok
}
