package selector

import (
	"fmt"

	"github.com/loquat-dev/loquat/internal/graph"
	"github.com/loquat-dev/loquat/internal/nlu/transformer"
)

// Config is what config.yml may set for ResponseSelector and what has an effect.
type Config struct {
	// Epochs is how often the examples are seen at most.
	Epochs int `json:"epochs"`
	// Share of the passes to make, which --epoch-fraction sets when fine-tuning; 0
	// is all.
	Share      float64 `json:"finetuning_epoch_fraction,omitempty"`
	RandomSeed *uint64 `json:"random_seed"` // nil is a seed of our own: training is always repeatable

	Featurizers           []string `json:"featurizers"`    // whose features to use; none means all
	RankingLength         int      `json:"ranking_length"` // 0 keeps every key
	RenormalizeConfidence bool     `json:"renormalize_confidences"`

	// RetrievalIntent is the only intent whose responses are learned; nil means
	// those of all retrieval intents.
	RetrievalIntent *string `json:"retrieval_intent"`
	// UseTextAsLabel takes responses with the same text for one.
	UseTextAsLabel bool `json:"use_text_as_label"`
}

var defaults = Config{Epochs: 300, Featurizers: []string{}, RankingLength: 10}

// withoutEffect are those of DIETClassifier with other defaults, and DIET's
// settings for intents and entities, which have none in Rasa either.
var withoutEffect = transformer.DIET.With(transformer.Settings{
	"concat_dimension":             map[string]any{"text": int64(512), "label": int64(512)},
	"connection_density":           1.0,
	"dense_dimension":              map[string]any{"text": int64(512), "label": int64(512)},
	"hidden_layers_sizes":          map[string]any{"text": []any{int64(256), int64(128)}, "label": []any{int64(256), int64(128)}},
	"number_of_transformer_layers": int64(0),
	"scale_loss":                   true,
	"transformer_size":             nil,
	"use_dense_input_dropout":      false,
	"use_sparse_input_dropout":     false,

	"BILOU_flag":              true,
	"entity_recognition":      true,
	"intent_classification":   true,
	"split_entities_by_comma": true,
})

// WithoutEffect lists the settings that are accepted and change nothing, sorted.
func WithoutEffect() []string { return withoutEffect.Names() }

// check refuses what Rasa 3.6.21 refuses, and values that no training could use.
func check(c graph.Config) []error {
	config := defaults
	if err := c.Decode(&config); err != nil {
		return []error{err}
	}
	errs := withoutEffect.Check(c)
	if config.Epochs < 1 {
		errs = append(errs, fmt.Errorf("epochs must be at least 1, not %d", config.Epochs))
	}
	if config.RankingLength < 0 {
		errs = append(errs, fmt.Errorf("ranking_length must be 0 (all responses) or more, not %d", config.RankingLength))
	}
	return errs
}
