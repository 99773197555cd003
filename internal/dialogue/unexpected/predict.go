package unexpected

import (
	"cmp"
	"context"
	"slices"
	"sync"

	"github.com/loquat-dev/loquat/internal/dialogue"
	"github.com/loquat-dev/loquat/internal/dialogue/statevector"
	"github.com/loquat-dev/loquat/internal/tracker"
)

// vectors are of predictions that are over.
var vectors = sync.Pool{New: func() any { return new(statevector.Vector) }}

// Predict predicts action_unlikely_intent with a probability of 1 right after a
// message whose intent is unlikely, and else nothing. The action's metadata tells
// the scores.
func (p *Policy) Predict(_ context.Context, in dialogue.Situation) (*dialogue.Prediction, error) {
	out := &dialogue.Prediction{
		Policy:        componentName,
		Priority:      p.config.Priority,
		Probabilities: make([]float64, len(in.Domain.ActionNames())),
	}
	action, ok := in.Domain.ActionIndex(dialogue.UnlikelyIntent)
	intent := latestIntent(in.Tracker)
	k, known := slices.BinarySearch(p.intents, intent)
	if !ok || p.model == nil || !known || slices.Contains(p.config.IgnoreIntents, intent) {
		return out, nil
	}
	states := p.encoders.For(in.Domain).Recent(in.Tracker, in.Learned(statevector.Reach(p.maxHistory)))
	v := vectors.Get().(*statevector.Vector)
	defer vectors.Put(v)
	v.Encode(before(states), p.features.Find)
	scores := make([]float64, len(p.intents))
	p.model.Scores(v.Index, v.Value, scores)
	if scores[k] < p.limit(k) && scores[k] < slices.Max(scores) {
		out.Probabilities[action] = 1
		out.Metadata = p.metadata(k, scores)
	}
	return out, nil
}

// latestIntent is the intent of the message that nothing has answered yet, or "".
func latestIntent(t *tracker.Tracker) string {
	if message := t.LatestMessage(); message != nil && t.LatestActionName() == tracker.ListenAction {
		return message.Intent
	}
	return ""
}

// limit is the score that an intent must reach.
func (p *Policy) limit(k int) float64 {
	return float64(p.thresholds[k][min(int(p.config.Tolerance*steps), steps-1)])
}

// metadata tells why an intent is unlikely, in Rasa's form.
func (p *Policy) metadata(k int, scores []float64) map[string]any {
	order := make([]int, len(scores))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(scores[b], scores[a]) })
	if n := p.config.RankingLength; n > 0 && n < len(order) {
		order = order[:n]
	}
	ranking := make([]any, len(order))
	for i, other := range order {
		ranking[i] = p.describe(other, scores[other])
	}
	return map[string]any{"query_intent": p.describe(k, scores[k]), "ranking": ranking}
}

func (p *Policy) describe(k int, score float64) map[string]any {
	limit := p.limit(k)
	return map[string]any{"name": p.intents[k], "score": score, "threshold": limit, "severity": limit - score}
}
