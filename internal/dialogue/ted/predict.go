package ted

import (
	"cmp"
	"context"
	"slices"
	"sync"

	"github.com/loquat-dev/loquat/internal/dialogue"
	"github.com/loquat-dev/loquat/internal/dialogue/statevector"
	"github.com/loquat-dev/loquat/internal/nlu"
	"github.com/loquat-dev/loquat/internal/tracker"
)

// Predict gives every action of the stories a probability: by the intent of the
// latest message or, where that is surer, by its text. A prediction by the text is
// as sure as the stories know the text, one by the intent as the classifier was; a
// message without an intent can only be known by its text. Where stories name no
// intents, all predictions are by texts. Those that answer a message bring the
// entities that are found in it.
func (p *Policy) Predict(_ context.Context, in dialogue.Situation) (*dialogue.Prediction, error) {
	out := &dialogue.Prediction{
		Policy:        componentName,
		Priority:      p.config.Priority,
		Probabilities: make([]float64, len(in.Domain.ActionNames())),
	}
	if p.model == nil {
		return out, nil
	}
	view := in.Learned(statevector.Reach(p.maxHistory))
	view.UseText = p.textsAlone
	probabilities, _ := p.probabilities(in, view)
	out.EndToEnd = p.textsAlone
	if text := unanswered(in); p.texts != nil && text != nil {
		if !p.textsAlone {
			view.UseText = true
			byText, known := p.probabilities(in, view)
			if sure := known * slices.Max(byText); sure > p.config.TextThreshold && sure > certainty(in, probabilities) {
				probabilities, out.EndToEnd = byText, true
			}
		}
		if out.EndToEnd {
			out.OptionalEvents = p.found(text)
		}
	}
	for k, probability := range probabilities {
		if i, ok := in.Domain.ActionIndex(p.actions[k]); ok {
			out.Probabilities[i] = probability
		}
	}
	p.rank(out.Probabilities)
	return out, nil
}

// unanswered is what the user has just said, with its features; nil without.
func unanswered(in dialogue.Situation) *nlu.Message {
	m := in.Tracker.LatestMessage()
	if m == nil || m.Text == "" || in.Tracker.LatestActionName() != tracker.ListenAction {
		return nil
	}
	return in.Texts[m.Text]
}

// certainty is how sure probabilities by the intent of the latest message are.
func certainty(in dialogue.Situation, probabilities []float64) float64 {
	if in.Tracker.LatestIntent() == "" {
		return 0
	}
	return dialogue.Confidence(in.Tracker) * slices.Max(probabilities)
}

// vectors are of predictions that are over.
var vectors = sync.Pool{New: func() any { return new(vector) }}

// probabilities gives a number to each of the policy's actions. known is how much
// of the user's text the stories know.
func (p *Policy) probabilities(in dialogue.Situation, view dialogue.View) (out []float64, known float64) {
	states := p.encoders.For(in.Domain).Recent(in.Tracker, view)
	v := vectors.Get().(*vector)
	defer vectors.Put(v)
	known = p.encode(v, states, in.Texts, p.features.Find)
	out = make([]float64, len(p.actions))
	p.model.Probabilities(v.index, v.value, out)
	return out, known
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
