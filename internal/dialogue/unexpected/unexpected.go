// Package unexpected is the UnexpecTEDIntentPolicy: it notices when the user says
// something that no story leads one to expect, and predicts
// action_unlikely_intent.
//
// It has the settings and results of Rasa's policy and learns in another way: a
// logistic regression for each intent (package linear) tells from the conversation
// before a message whether the intent may come. Why is told in
// docs/decisions/013-dialogue-learner.md.
package unexpected

import (
	"fmt"
	"maps"

	"github.com/loquat-dev/loquat/internal/dialogue"
	"github.com/loquat-dev/loquat/internal/dialogue/ted"
	"github.com/loquat-dev/loquat/internal/graph"
	"github.com/loquat-dev/loquat/internal/ml/linear"
	"github.com/loquat-dev/loquat/internal/ml/vocab"
	"github.com/loquat-dev/loquat/internal/nlu/transformer"
)

const componentName = "UnexpecTEDIntentPolicy"

// Config is what config.yml may set for UnexpecTEDIntentPolicy and what has an
// effect.
type Config struct {
	MaxHistory *int `json:"max_history"` // number of states that count; null is all
	Priority   int  `json:"priority"`
	// Tolerance is the share of unexpected intents that may pass, in steps of a
	// twentieth, so that fewer expected ones are held back.
	Tolerance     float64                   `json:"tolerance"`
	IgnoreIntents []string                  `json:"ignore_intents_list"` // never unlikely
	RankingLength int                       `json:"ranking_length"`      // intents in the action's metadata; 0 is all
	Featurizer    dialogue.FeaturizerConfig `json:"featurizer,omitempty"`
}

var defaults = Config{Priority: 2, IgnoreIntents: []string{}, RankingLength: 10}

// featurizerName is the only tracker featurizer that this policy can use.
const featurizerName = "IntentMaxHistoryTrackerFeaturizer"

// Type describes the policy.
func Type() graph.Type {
	t := graph.Define[Config](graph.Type{
		Name:      componentName,
		ClassPath: "rasa.core.policies.unexpected_intent_policy." + componentName,
		Kinds:     []graph.Kind{graph.PolicyEndToEnd},
		Trainable: true,
		Version:   2,
		Check:     check,
		Fns:       dialogue.Fns(),
	}, defaults, nil)
	maps.Copy(t.Defaults, withoutEffect)
	for _, name := range []string{"max_history", "model_confidence", "negative_margin_scale"} {
		delete(t.Defaults, name) // Rasa 3.6.21 does not list them
	}
	t.Build = build
	return t
}

func check(c graph.Config) []error {
	config := defaults
	if err := c.Decode(&config); err != nil {
		return []error{err}
	}
	errs := withoutEffect.Check(c)
	if config.RankingLength < 0 {
		errs = append(errs, fmt.Errorf("ranking_length must be 0 (all intents) or more, not %d", config.RankingLength))
	}
	if config.Tolerance < 0 || config.Tolerance > 1 {
		errs = append(errs, fmt.Errorf("tolerance must be between 0 and 1, not %v", config.Tolerance))
	}
	return append(errs, dialogue.CheckHistory(c, featurizerName)...)
}

// Policy is a trained or untrained UnexpecTEDIntentPolicy.
type Policy struct {
	config     Config
	maxHistory int      // 0 is all
	inVain     []string // settings that were changed and have no effect
	env        graph.Env
	encoders   dialogue.EncoderCache

	intents    []string // that the stories have, sorted; nil until trained
	thresholds []limits // by intent
	features   vocab.Table
	model      *linear.OneVsRest
}

func build(env graph.Env, raw graph.Config, saved graph.Resource) (any, error) {
	p := &Policy{config: defaults, env: env, inVain: withoutEffect.Changed(raw)}
	if err := raw.Decode(&p.config); err != nil {
		return nil, err
	}
	n, err := p.config.Featurizer.MaxHistoryOf(featurizerName, p.config.MaxHistory)
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

// withoutEffect are Rasa's settings of a transformer, with this policy's defaults.
var withoutEffect = settings()

func settings() transformer.Settings {
	s := ted.Settings().With(transformer.Settings{
		"BILOU_flag":       false,
		"concat_dimension": map[string]any{"text": int64(128)},
		"dense_dimension": map[string]any{
			"text": int64(128), "intent": int64(20), "action_name": int64(20), "label_intent": int64(20),
			"entities": int64(20), "slots": int64(20), "active_loop": int64(20),
		},
		"entity_recognition":           false,
		"featurizers":                  []any{},
		"hidden_layers_sizes":          map[string]any{"text": []any{}},
		"number_of_transformer_layers": map[string]any{"text": int64(1), "dialogue": int64(1)},
		"similarity_type":              "inner",
		"split_entities_by_comma":      true,
		"transformer_size":             map[string]any{"text": int64(128), "dialogue": int64(128)},
	})
	for _, name := range []string{ // TEDPolicy's alone
		"constrain_similarities", "maximum_negative_similarity", "maximum_positive_similarity",
		"use_maximum_negative_similarity",
	} {
		delete(s, name)
	}
	return s
}

// WithoutEffect lists the settings that are accepted and change nothing, sorted.
func WithoutEffect() []string { return withoutEffect.Names() }
