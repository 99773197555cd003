package ted

import (
	"cmp"
	"context"
	"slices"

	"github.com/loquat-dev/loquat/internal/dialogue"
	"github.com/loquat-dev/loquat/internal/dialogue/statevector"
)

// Predict gives every action of the stories a probability.
func (p *Policy) Predict(_ context.Context, in dialogue.Situation) (*dialogue.Prediction, error) {
	out := &dialogue.Prediction{
		Policy:        componentName,
		Priority:      p.config.Priority,
		Probabilities: make([]float64, len(in.Domain.ActionNames())),
	}
	if p.model == nil {
		return out, nil
	}
	view := dialogue.View{Last: statevector.Farthest, RuleOnly: in.RuleOnly, Predict: true}
	if view.RuleOnly == nil {
		view.RuleOnly = &dialogue.RuleOnlyData{}
	}
	for k, probability := range p.probabilities(p.encoders.For(in.Domain).Recent(in.Tracker, view)) {
		if i, ok := in.Domain.ActionIndex(p.actions[k]); ok {
			out.Probabilities[i] = probability
		}
	}
	p.rank(out.Probabilities)
	return out, nil
}

// probabilities gives a number to each of the policy's actions.
func (p *Policy) probabilities(states []dialogue.State) []float64 {
	var v statevector.Vector
	v.Encode(statevector.Recent(states, p.maxHistory), p.features.Find)
	out := make([]float64, len(p.actions))
	p.model.Probabilities(v.Index, v.Value, out)
	return out
}

// rank keeps the probabilities of the ranking_length most probable actions.
func (p *Policy) rank(probabilities []float64) {
	if n := p.config.RankingLength; n > 0 && n < len(probabilities) {
		order := make([]int, len(probabilities))
		for i := range order {
			order[i] = i
		}
		slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(probabilities[b], probabilities[a]) })
		for _, i := range order[n:] {
			probabilities[i] = 0
		}
		if p.config.RenormalizeConfidences {
			normalise(probabilities)
		}
	}
}

func normalise(probabilities []float64) {
	sum := 0.0
	for _, v := range probabilities {
		sum += v
	}
	if sum == 0 {
		return
	}
	for i := range probabilities {
		probabilities[i] /= sum
	}
}
