// Package ted is the TEDPolicy: it learns from the stories which action comes
// next, also in conversations that no story tells word for word.
//
// It does the job of Rasa's TEDPolicy with the same settings and results and
// learns in another way: multinomial logistic regression (package linear) over
// what the newest states hold and how it goes together. The problem is convex, so
// there is one answer, whatever the seed. Why this learner is told in
// docs/decisions/013-dialogue-learner.md. Entities in texts of end-to-end stories
// are learned as DIETClassifier learns those of messages (package entitymodel).
package ted

import (
	"fmt"
	"maps"

	"github.com/loquat-dev/loquat/internal/dialogue"
	"github.com/loquat-dev/loquat/internal/graph"
	"github.com/loquat-dev/loquat/internal/ml/linear"
	"github.com/loquat-dev/loquat/internal/ml/vocab"
	"github.com/loquat-dev/loquat/internal/nlu"
	"github.com/loquat-dev/loquat/internal/nlu/encoder"
	"github.com/loquat-dev/loquat/internal/nlu/entitymodel"
)

const componentName = "TEDPolicy"

// Config is what config.yml may set for TEDPolicy and what has an effect.
type Config struct {
	MaxHistory             *int                      `json:"max_history"` // number of states that count; null is all
	Priority               int                       `json:"priority"`
	RankingLength          int                       `json:"ranking_length"` // actions that get a probability; 0 is all
	RenormalizeConfidences bool                      `json:"renormalize_confidences"`
	Featurizer             dialogue.FeaturizerConfig `json:"featurizer,omitempty"`
	// Featurizers are those of the pipeline whose features of texts count; none
	// means all.
	Featurizers []string `json:"featurizers"`
	// TextThreshold is how sure a prediction by the text of a message must be to
	// be taken instead of that by its intent.
	TextThreshold float64 `json:"e2e_confidence_threshold"`

	// What follows is about entities in texts of end-to-end stories.
	EntityRecognition    bool           `json:"entity_recognition"`
	BILOU                bool           `json:"BILOU_flag"`
	SplitEntitiesByComma nlu.CommaSplit `json:"split_entities_by_comma"`
}

var defaults = Config{
	Priority:             1,
	Featurizers:          []string{},
	TextThreshold:        0.5,
	EntityRecognition:    true,
	BILOU:                true,
	SplitEntitiesByComma: nlu.CommaSplit{Default: true},
}

// Type describes the policy.
func Type() graph.Type {
	t := graph.Define[Config](graph.Type{
		Name:      componentName,
		ClassPath: "rasa.core.policies.ted_policy." + componentName,
		Kinds:     []graph.Kind{graph.PolicyEndToEnd},
		Trainable: true,
		Version:   3 + entitymodel.Version,
		AnyKind:   []string{"split_entities_by_comma"},
		Check:     check,
		Fns:       dialogue.Fns(),
	}, defaults, nil)
	maps.Copy(t.Defaults, withoutEffect)
	t.Build = build
	return t
}

// check refuses what Rasa 3.6.21 refuses, and values that no training could use.
func check(c graph.Config) []error {
	config := defaults
	if err := c.Decode(&config); err != nil {
		return []error{err}
	}
	errs := withoutEffect.Check(c)
	if config.RankingLength < 0 {
		errs = append(errs, fmt.Errorf("ranking_length must be 0 (all actions) or more, not %d", config.RankingLength))
	}
	return append(errs, dialogue.CheckHistory(c, dialogue.MaxHistoryFeaturizer)...)
}

// Policy is a trained or untrained TEDPolicy.
type Policy struct {
	config     Config
	maxHistory int      // 0 is all
	inVain     []string // settings that were changed and have no effect
	env        graph.Env
	encoders   dialogue.EncoderCache

	actions    []string      // labels: names and texts of actions, sorted; nil until trained
	texts      *encoder.Text // of users in end-to-end stories; nil if there are none
	textLength float64       // mean squared length of their vectors
	textsAlone bool          // no story names an intent
	features   vocab.Table
	model      *linear.Softmax
	entities   *entitymodel.Model // of the texts; nil if none are annotated
}

func (p *Policy) forget() {
	p.actions, p.texts, p.textLength, p.textsAlone, p.features, p.model, p.entities = nil, nil, 0, false, vocab.Table{}, nil, nil
}

func build(env graph.Env, raw graph.Config, saved graph.Resource) (any, error) {
	p := &Policy{config: defaults, env: env, inVain: withoutEffect.Changed(raw)}
	if err := raw.Decode(&p.config); err != nil {
		return nil, err
	}
	n, err := p.config.Featurizer.MaxHistory(p.config.MaxHistory)
	if err != nil {
		return nil, err
	}
	if n != nil {
		p.maxHistory = max(0, *n)
	}
	// A convex problem has the same answer from any start, so fine-tuning learns
	// it afresh.
	if saved != nil && !env.Finetuning {
		if err := p.load(saved[fileName]); err != nil {
			return nil, fmt.Errorf("read %s: %w", fileName, err)
		}
	}
	return p, nil
}
