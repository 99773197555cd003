package unexpected

import (
	"context"
	"math"
	"slices"

	"github.com/loquat-dev/loquat/internal/dialogue"
	"github.com/loquat-dev/loquat/internal/dialogue/statevector"
	"github.com/loquat-dev/loquat/internal/ml/linear"
	"github.com/loquat-dev/loquat/internal/ml/sparse"
	"github.com/loquat-dev/loquat/internal/ml/vocab"
	"github.com/loquat-dev/loquat/internal/tracker"
)

// How intents are learned (docs/decisions/013-dialogue-learner.md).
const (
	l2            = 0.1 // λ of ½λ‖W‖²
	maxIterations = 100
	tolerance     = 1e-3 // largest component of the gradient at the end
)

// margin is how much lower, in log-odds, an intent may score than where the stories
// have it: elsewhere scores are lower than where they were learned. With it, other
// stories give as many false alarms as with Rasa 3.6.21 (make bench-dialogue).
const margin = 1.5

// steps is how many tolerances there are thresholds for: 0, 0.05 … 0.95.
const steps = 20

// limits are the scores that an intent must reach, by tolerance.
type limits [steps]float32

// moment is a conversation before a message of the user, and the intents that the
// stories have there.
type moment struct {
	states  []dialogue.State
	intents []string
}

// Train learns from the stories, their concatenations too. Without any, no intent
// is ever unlikely.
func (p *Policy) Train(ctx context.Context, data dialogue.TrainingData) error {
	if len(p.inVain) > 0 {
		p.env.Logger.InfoContext(ctx, "settings without effect here", "settings", p.inVain)
	}
	for _, name := range p.config.IgnoreIntents {
		if !slices.Contains(data.Domain.IntentNames(), name) {
			p.env.Logger.WarnContext(ctx, "ignore_intents_list names an intent that the domain does not have", "policy", componentName, "intent", name)
		}
	}
	p.intents, p.thresholds, p.features, p.model = nil, nil, vocab.Table{}, nil
	moments, err := p.moments(ctx, data)
	if err != nil {
		return err
	}
	if len(moments) == 0 {
		p.env.Logger.WarnContext(ctx, "policy not trained: there are no stories", "policy", componentName)
		return nil
	}
	for _, m := range moments {
		p.intents = append(p.intents, m.intents...)
	}
	slices.Sort(p.intents)
	p.intents = slices.Compact(p.intents)

	var rows sparse.Builder
	var v statevector.Vector
	holds := make([][]int, len(moments))
	for i, m := range moments {
		v.Encode(m.states, p.features.Add)
		rows.Row(v.Index, v.Value)
		for _, intent := range m.intents {
			k, _ := slices.BinarySearch(p.intents, intent)
			holds[i] = append(holds[i], k)
		}
		slices.Sort(holds[i])
	}
	x := rows.Matrix(p.features.Len())
	p.model, err = linear.FitOneVsRest(ctx, x, holds, len(p.intents), linear.SoftmaxOptions{
		L2: l2, MaxIterations: maxIterations, Tolerance: tolerance, Threads: max(p.env.Threads, 1),
	})
	if err != nil {
		return err
	}
	p.setThresholds(x, holds)
	p.env.Logger.InfoContext(ctx, "learned", "policy", componentName, "moments", len(moments), "intents", len(p.intents), "features", p.features.Len())
	return nil
}

// moments collects the conversations before the messages, each once, with all
// intents that follow it.
func (p *Policy) moments(ctx context.Context, data dialogue.TrainingData) ([]moment, error) {
	known := map[string]int{}
	var key []byte
	var out []moment
	for s, err := range statevector.Situations(ctx, data.Trackers, p.encoders.For(data.Domain), p.maxHistory) {
		if err != nil {
			return nil, err
		}
		last := s.States[len(s.States)-1]
		if last.Action != tracker.ListenAction || last.Intent == "" {
			continue
		}
		states := before(s.States)
		key = dialogue.AppendStates(key[:0], states)
		i, ok := known[string(key)]
		if !ok {
			i = len(out)
			known[string(key)] = i
			out = append(out, moment{states: states})
		}
		if !slices.Contains(out[i].intents, last.Intent) {
			out[i].intents = append(out[i].intents, last.Intent)
		}
	}
	return out, nil
}

// before takes the latest message out of a conversation.
func before(states []dialogue.State) []dialogue.State {
	out := slices.Clone(states)
	last := &out[len(out)-1]
	last.Intent, last.Text, last.Entities = "", "", nil
	return out
}

// setThresholds finds the scores that intents must reach, as Rasa 3.6.21 does but
// for the margin: the lowest that an intent has where the stories have it, or what all but a share of its
// scores elsewhere stay below, if that is less.
func (p *Policy) setThresholds(x *sparse.Matrix, holds [][]int) {
	n := len(p.intents)
	p.thresholds = make([]limits, n)
	lowest := slices.Repeat([]float64{math.Inf(1)}, n)
	elsewhere := make([][]float64, n)
	scores := make([]float64, n)
	for i := range x.Rows() {
		index, value := x.Row(i)
		p.model.Scores(index, value, scores)
		for k, score := range scores {
			if slices.Contains(holds[i], k) {
				lowest[k] = min(lowest[k], score)
			} else {
				elsewhere[k] = append(elsewhere[k], score)
			}
		}
	}
	for k := range p.thresholds {
		slices.Sort(elsewhere[k])
		for step := range steps {
			limit := lowest[k] - margin
			if len(elsewhere[k]) > 0 {
				limit = min(limit, quantile(elsewhere[k], 1-float64(step)/steps))
			}
			p.thresholds[k][step] = float32(limit)
		}
	}
}

// quantile interpolates between the two nearest of sorted values.
func quantile(sorted []float64, q float64) float64 {
	at := q * float64(len(sorted)-1)
	low := int(math.Floor(at))
	high := min(low+1, len(sorted)-1)
	return sorted[low] + (at-float64(low))*(sorted[high]-sorted[low])
}
