package diet

import (
	"errors"
	"fmt"

	"github.com/loquat-dev/loquat/internal/graph"
	"github.com/loquat-dev/loquat/internal/nlu"
	"github.com/loquat-dev/loquat/internal/nlu/transformer"
)

// Config is what config.yml may set for DIETClassifier and what has an effect.
type Config struct {
	// Epochs is how often the examples are seen at most: ours needs fewer passes
	// over many examples than over few.
	Epochs int `json:"epochs"`
	// Share of the passes to make, which --epoch-fraction sets when fine-tuning; 0
	// is all. The epochs are that share already.
	Share      float64 `json:"finetuning_epoch_fraction,omitempty"`
	RandomSeed *uint64 `json:"random_seed"` // nil is a seed of our own: training is always repeatable

	IntentClassification bool `json:"intent_classification"`
	EntityRecognition    bool `json:"entity_recognition"`

	Featurizers           []string       `json:"featurizers"`    // whose features to use; none means all
	RankingLength         int            `json:"ranking_length"` // 0 keeps every intent
	RenormalizeConfidence bool           `json:"renormalize_confidences"`
	BILOU                 bool           `json:"BILOU_flag"`
	SplitEntitiesByComma  nlu.CommaSplit `json:"split_entities_by_comma"`
}

var defaults = Config{
	Epochs:               300,
	IntentClassification: true,
	EntityRecognition:    true,
	Featurizers:          []string{},
	RankingLength:        10,
	BILOU:                true,
	SplitEntitiesByComma: nlu.CommaSplit{Default: true},
}

// WithoutEffect lists the settings that are accepted and change nothing, sorted.
func WithoutEffect() []string { return transformer.DIET.Names() }

// check refuses what Rasa 3.6.21 refuses, and values that no training could use.
func check(c graph.Config) []error {
	config := defaults
	if err := c.Decode(&config); err != nil {
		return []error{err}
	}
	errs := transformer.DIET.Check(c)
	if config.Epochs < 1 {
		errs = append(errs, fmt.Errorf("epochs must be at least 1, not %d", config.Epochs))
	}
	if config.RankingLength < 0 {
		errs = append(errs, fmt.Errorf("ranking_length must be 0 (all intents) or more, not %d", config.RankingLength))
	}
	if !config.IntentClassification && !config.EntityRecognition {
		errs = append(errs, errors.New("intent_classification and entity_recognition are both false: there is nothing to learn"))
	}
	return errs
}
