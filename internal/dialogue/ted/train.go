package ted

import (
	"context"
	"slices"

	"github.com/loquat-dev/loquat/internal/dialogue"
	"github.com/loquat-dev/loquat/internal/dialogue/statevector"
	"github.com/loquat-dev/loquat/internal/ml/linear"
	"github.com/loquat-dev/loquat/internal/ml/sparse"
)

// How actions are learned (docs/decisions/013-dialogue-learner.md).
const (
	l2            = 0.3  // λ of ½λ‖W‖²
	maxIterations = 50   // 25 are as good on stories that were not seen
	tolerance     = 1e-3 // largest component of the gradient at the end
)

// joined is what an example weighs that only occurs where stories are told one after
// another: what a story says by itself prevails.
const joined = 0.5

// example is an action and what came before it.
type example struct {
	states []dialogue.State
	action string
	told   bool // by a story, not only where one is told after another
}

// Train learns from the stories, their concatenations too. Without any, nothing
// is learned, and no action will be more likely than another.
func (p *Policy) Train(ctx context.Context, data dialogue.TrainingData) error {
	if len(p.inVain) > 0 {
		p.env.Logger.InfoContext(ctx, "settings without effect here", "settings", p.inVain)
	}
	p.forget()
	examples, err := p.examples(ctx, data)
	if err != nil {
		return err
	}
	if len(examples) == 0 {
		p.env.Logger.WarnContext(ctx, "policy not trained: there are no stories", "policy", componentName)
		return nil
	}
	if err := p.learnTexts(examples, data.Texts); err != nil {
		return err
	}
	for _, e := range examples {
		p.actions = append(p.actions, e.action)
	}
	slices.Sort(p.actions)
	p.actions = slices.Compact(p.actions)

	var rows sparse.Builder
	var v vector
	label, weight := make([]int, len(examples)), make([]float64, len(examples))
	for i, e := range examples {
		p.encode(&v, e.states, data.Texts, p.features.Add)
		rows.Row(v.index, v.value)
		label[i], _ = slices.BinarySearch(p.actions, e.action)
		weight[i] = 1
		if !e.told {
			weight[i] = joined
		}
	}
	p.model, err = linear.FitSoftmax(ctx, rows.Matrix(p.textColumns()+p.features.Len()), label, weight, len(p.actions), linear.SoftmaxOptions{
		L2: l2, MaxIterations: maxIterations, Tolerance: tolerance, Threads: max(p.env.Threads, 1),
	})
	if err != nil {
		return err
	}
	if err := p.learnEntities(ctx, data); err != nil {
		return err
	}
	p.env.Logger.InfoContext(ctx, "learned", "policy", componentName, "examples", len(examples), "actions", len(p.actions), "features", p.model.Features)
	return nil
}

// examples collects what there is to learn, each situation and action once.
func (p *Policy) examples(ctx context.Context, data dialogue.TrainingData) ([]example, error) {
	known := map[string]int{}
	var key []byte
	var out []example
	for s, err := range statevector.Situations(ctx, data.Trackers, p.encoders.For(data.Domain), p.maxHistory) {
		if err != nil {
			return nil, err
		}
		key = append(dialogue.AppendStates(key[:0], s.States), s.Action...)
		i, ok := known[string(key)]
		if !ok {
			i = len(out)
			known[string(key)] = i
			out = append(out, example{states: slices.Clone(s.States), action: s.Action})
		}
		out[i].told = out[i].told || s.Told
	}
	return out, nil
}
