package dialogue

import (
	"context"
	"fmt"

	"github.com/loquat-dev/loquat/internal/domain"
	"github.com/loquat-dev/loquat/internal/graph"
	"github.com/loquat-dev/loquat/internal/tracker"
)

// Fns returns the graph functions of a Policy, for Type.Fns.
//
//	train                         training_trackers []*TrainingTracker, domain *domain.Domain → nil
//	predict_action_probabilities  tracker *tracker.Tracker, domain *domain.Domain,
//	                              rule_only_data *RuleOnlyData (may be absent or nil) → *Prediction
//
// With end-to-end training both have precomputations Texts too.
// A nil tracker gives a nil *Prediction: there is nothing to predict from.
func Fns() map[string]graph.Fn {
	return map[string]graph.Fn{
		"train": {Needs: []string{"training_trackers", "domain"}, Call: func(ctx context.Context, c any, in graph.Inputs) (any, error) {
			p, ok := c.(Policy)
			if !ok {
				return nil, fmt.Errorf("%T is no policy", c)
			}
			texts, _ := in["precomputations"].(Texts)
			return nil, p.Train(ctx, TrainingData{
				Texts:    texts,
				Trackers: in["training_trackers"].([]*TrainingTracker),
				Domain:   in["domain"].(*domain.Domain),
			})
		}},
		"predict_action_probabilities": {Needs: []string{"tracker", "domain", "rule_only_data"}, Call: func(ctx context.Context, c any, in graph.Inputs) (any, error) {
			p, ok := c.(Policy)
			if !ok {
				return nil, fmt.Errorf("%T is no policy", c)
			}
			t, _ := in["tracker"].(*tracker.Tracker)
			if t == nil {
				return (*Prediction)(nil), nil
			}
			ruleOnly, _ := in["rule_only_data"].(*RuleOnlyData)
			texts, _ := in["precomputations"].(Texts)
			return p.Predict(ctx, Situation{Tracker: t, Domain: in["domain"].(*domain.Domain), RuleOnly: ruleOnly, Texts: texts})
		}},
	}
}
