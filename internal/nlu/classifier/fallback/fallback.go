// Package fallback is Rasa's FallbackClassifier: when the classifiers before it
// are not sure enough of any intent, or can't decide between two, the intent
// becomes nlu_fallback.
package fallback

import (
	"context"
	"errors"
	"slices"

	"github.com/loquat-dev/loquat/internal/graph"
	"github.com/loquat-dev/loquat/internal/nlu"
)

// IntentName is the intent of messages that were not understood.
const IntentName = "nlu_fallback"

// Config is what config.yml may set for FallbackClassifier.
type Config struct {
	Threshold          float64 `json:"threshold"`           // lowest confidence that counts
	AmbiguityThreshold float64 `json:"ambiguity_threshold"` // smallest lead of the first over the second
}

// Type describes the component.
func Type() graph.Type {
	t := graph.Type{
		Name:      "FallbackClassifier",
		ClassPath: "rasa.nlu.classifiers.fallback_classifier.FallbackClassifier",
		Kinds:     []graph.Kind{graph.IntentClassifier},
		Version:   1,
		Requires:  []string{"IntentClassifier"},
		Fns:       nlu.Fns(),
	}
	return graph.Define(t, Config{Threshold: 0.3, AmbiguityThreshold: 0.1}, func(_ graph.Env, c Config, _ graph.Resource) (any, error) {
		return classifier{c}, nil
	})
}

type classifier struct{ config Config }

var errNoIntent = errors.New("FallbackClassifier found no intent: put an intent classifier before it in the pipeline")

// Process replaces the intents that are too uncertain. The new one has the
// threshold as its confidence and goes to the head of the ranking. Where no
// classifier made one, Rasa 3.6 leaves the new ranking out of results.
func (c classifier) Process(_ context.Context, messages []*nlu.Message) error {
	for _, m := range messages {
		if m.Intent == nil {
			return errNoIntent
		}
		if c.uncertain(m) {
			fallback := nlu.Intent{Name: IntentName, Confidence: c.config.Threshold}
			m.Intent = &fallback
			m.RankingHidden = m.Ranking == nil
			m.Ranking = slices.Concat([]nlu.Intent{fallback}, m.Ranking)
		}
	}
	return nil
}

func (c classifier) uncertain(m *nlu.Message) bool {
	if m.Intent.Confidence < c.config.Threshold {
		return true
	}
	return len(m.Ranking) >= 2 && m.Ranking[0].Confidence-m.Ranking[1].Confidence < c.config.AmbiguityThreshold
}

// Undo returns the intent that there would be without a fallback, as evaluations
// score it: the second of the ranking, where there is one.
func Undo(m *nlu.Message) *nlu.Intent {
	if m.Intent != nil && m.Intent.Name == IntentName && len(m.Ranking) >= 2 {
		return &m.Ranking[1]
	}
	return m.Intent
}
