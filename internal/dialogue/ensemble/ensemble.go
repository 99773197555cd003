// Package ensemble decides between the predictions of several policies.
package ensemble

import (
	"context"
	"fmt"
	"slices"

	"github.com/loquat-dev/loquat/internal/dialogue"
	"github.com/loquat-dev/loquat/internal/domain"
	"github.com/loquat-dev/loquat/internal/graph"
	"github.com/loquat-dev/loquat/internal/tracker"
)

// Ensemble is Rasa's DefaultPolicyPredictionEnsemble.
type Ensemble struct{}

// Type describes the ensemble. Its function "combine_predictions_from_kwargs" takes the predictions as
// policy0, policy1 and so on, in the order of config.yml, with domain and
// tracker, and gives a *dialogue.Prediction.
func Type() graph.Type {
	return graph.Define(graph.Type{
		Name:      "DefaultPolicyPredictionEnsemble",
		ClassPath: "rasa.core.policies.ensemble.DefaultPolicyPredictionEnsemble",
		Version:   1,
		Fns: map[string]graph.Fn{"combine_predictions_from_kwargs": {Needs: []string{"domain", "tracker"}, Call: func(_ context.Context, c any, in graph.Inputs) (any, error) {
			t, _ := in["tracker"].(*tracker.Tracker)
			if t == nil {
				return (*dialogue.Prediction)(nil), nil
			}
			var predictions []*dialogue.Prediction
			for i := 0; ; i++ {
				p, ok := in[fmt.Sprintf("policy%d", i)].(*dialogue.Prediction)
				if !ok {
					break
				}
				predictions = append(predictions, p)
			}
			return c.(Ensemble).Combine(predictions, in["domain"].(*domain.Domain), t)
		}}},
	}, struct{}{}, func(graph.Env, struct{}, graph.Resource) (any, error) { return Ensemble{}, nil })
}

// Combine returns the prediction that wins, with the events of all policies. The
// predictions are not changed.
func (Ensemble) Combine(predictions []*dialogue.Prediction, d *domain.Domain, t *tracker.Tracker) (*dialogue.Prediction, error) {
	if len(predictions) == 0 {
		return nil, fmt.Errorf("no policy made a prediction")
	}
	predictions = withoutRejected(predictions, d, t)
	winner := *pick(predictions)
	winner.Events = nil
	for _, p := range predictions {
		winner.Events = append(winner.Events, p.Events...)
	}
	winner.Events = append(winner.Events, winner.OptionalEvents...)
	winner.OptionalEvents = nil
	if t.LatestActionName() == tracker.ListenAction {
		winner.Events = append(winner.Events, &tracker.UserFeaturization{UseText: winner.EndToEnd})
	}
	return &winner, nil
}

// withoutRejected takes an action whose execution was just rejected out of the
// race. As in Rasa 3.6 every event counts, rewound ones too: what was rejected
// before the turns that action_back takes back may run again.
func withoutRejected(predictions []*dialogue.Prediction, d *domain.Domain, t *tracker.Tracker) []*dialogue.Prediction {
	rejected := ""
events:
	for _, e := range t.Backward() {
		switch e := e.(type) {
		case *tracker.ActionExecutionRejected:
			rejected = e.Name
			break events
		case *tracker.ActionExecuted:
			break events
		}
	}
	i, known := d.ActionIndex(rejected)
	if rejected == "" || !known {
		return predictions
	}
	out := make([]*dialogue.Prediction, len(predictions))
	for n, p := range predictions {
		c := *p
		c.Probabilities = slices.Clone(p.Probabilities)
		c.Probabilities[i] = 0
		out[n] = &c
	}
	return out
}

// pick returns the prediction with the highest confidence, then priority, then
// the first. Predictions made without regard to the user compete among
// themselves, if there are any; else those made from the user's text.
func pick(predictions []*dialogue.Prediction) *dialogue.Prediction {
	noUser := slices.ContainsFunc(predictions, func(p *dialogue.Prediction) bool { return p.NoUser })
	endToEnd := slices.ContainsFunc(predictions, func(p *dialogue.Prediction) bool { return p.EndToEnd })
	var best *dialogue.Prediction
	var confidence float64
	for _, p := range predictions {
		if noUser && !p.NoUser || !noUser && endToEnd && !p.EndToEnd {
			continue
		}
		_, c := p.Best()
		if best == nil || c > confidence || c == confidence && p.Priority > best.Priority {
			best, confidence = p, c
		}
	}
	return best
}
