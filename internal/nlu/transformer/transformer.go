// Package transformer knows the settings of Rasa's transformer networks. Our
// learners are no transformers: the settings are accepted, checked as Rasa checks
// them, and have nothing that they could change.
package transformer

import (
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/loquat-dev/loquat/internal/graph"
)

// Settings are the settings that have no effect, with a component's defaults.
type Settings graph.Config

// DIET are the settings of Rasa 3.6.21's DIETClassifier.
var DIET = Settings{
	"batch_size":                      []any{int64(64), int64(256)},
	"batch_strategy":                  "balanced",
	"checkpoint_model":                false,
	"concat_dimension":                map[string]any{"text": int64(128), "label": int64(20)},
	"connection_density":              0.2,
	"constrain_similarities":          false,
	"dense_dimension":                 map[string]any{"text": int64(128), "label": int64(20)},
	"drop_rate":                       0.2,
	"drop_rate_attention":             int64(0),
	"drop_small_last_batch":           false,
	"embedding_dimension":             int64(20),
	"evaluate_every_number_of_epochs": int64(20),
	"evaluate_on_number_of_examples":  int64(0),
	"hidden_layers_sizes":             map[string]any{"text": []any{}, "label": []any{}},
	"learning_rate":                   0.001,
	"loss_type":                       "cross_entropy",
	"max_relative_position":           int64(5),
	"maximum_negative_similarity":     -0.4,
	"maximum_positive_similarity":     0.8,
	"model_confidence":                "softmax",
	"negative_margin_scale":           0.8,
	"number_of_attention_heads":       int64(4),
	"number_of_negative_examples":     int64(20),
	"number_of_transformer_layers":    int64(2),
	"regularization_constant":         0.002,
	"run_eagerly":                     false,
	"scale_loss":                      false,
	"share_hidden_layers":             false,
	"similarity_type":                 "auto",
	"tensorboard_log_directory":       nil,
	"tensorboard_log_level":           "epoch",
	"transformer_size":                int64(256),
	"unidirectional_encoder":          false,
	"use_dense_input_dropout":         true,
	"use_key_relative_attention":      false,
	"use_masked_language_model":       false,
	"use_maximum_negative_similarity": true,
	"use_sparse_input_dropout":        true,
	"use_value_relative_attention":    false,
}

// With returns the settings with other defaults, and perhaps more settings.
func (s Settings) With(changes Settings) Settings {
	out := maps.Clone(s)
	maps.Copy(out, changes)
	return out
}

// Names lists the settings, sorted.
func (s Settings) Names() []string { return slices.Sorted(maps.Keys(s)) }

// Changed lists the settings that a configuration sets to something else than
// their defaults.
func (s Settings) Changed(c graph.Config) []string {
	var names []string
	for _, name := range s.Names() {
		if v, ok := c[name]; ok && !same(v, s[name]) {
			names = append(names, name)
		}
	}
	return names
}

// same compares settings; a whole number may have been written as 1 or as 1.0.
func same(a, b any) bool {
	if x, ok := number(a); ok {
		y, ok := number(b)
		return ok && x == y
	}
	return reflect.DeepEqual(a, b)
}

func number(v any) (float64, bool) {
	switch v := v.(type) {
	case int64:
		return float64(v), true
	case int:
		return float64(v), true
	case float64:
		return v, true
	}
	return 0, false
}

// Check refuses the values and combinations that Rasa 3.6.21 refuses.
func (s Settings) Check(c graph.Config) []error {
	var errs []error
	refuse := func(bad bool, format string, args ...any) {
		if bad {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	setting := func(name string) any {
		if v, ok := c[name]; ok {
			return v
		}
		return s[name]
	}
	confidence, loss, similarity := setting("model_confidence"), setting("loss_type"), setting("similarity_type")
	refuse(confidence != "softmax" && confidence != "auto", `model_confidence must be "softmax", not %v`, quoted(confidence))
	refuse(loss != "cross_entropy" && loss != "margin", `loss_type must be "cross_entropy" or "margin", not %v`, quoted(loss))
	refuse(similarity != "auto" && similarity != "inner" && similarity != "cosine",
		`similarity_type must be "auto", "inner" or "cosine", not %v`, quoted(similarity))
	refuse(confidence == "softmax" && loss == "cross_entropy" && similarity == "cosine",
		`model_confidence "softmax" can't be computed from similarity_type "cosine"`)
	strategy := setting("batch_strategy")
	refuse(strategy != "balanced" && strategy != "sequence", `batch_strategy must be "balanced" or "sequence", not %v`, quoted(strategy))
	layers, single := number(setting("number_of_transformer_layers")) // policies have several transformers
	refuse(setting("use_masked_language_model") == true && single && layers == 0,
		"use_masked_language_model needs number_of_transformer_layers of at least 1")
	if sizes, ok := setting("hidden_layers_sizes").(map[string]any); ok && setting("share_hidden_layers") == true {
		refuse(!reflect.DeepEqual(sizes["text"], sizes["label"]),
			"share_hidden_layers needs hidden_layers_sizes to be the same for text and label")
	}
	return errs
}

func quoted(v any) string {
	if s, ok := v.(string); ok {
		return fmt.Sprintf("%q", s)
	}
	return fmt.Sprint(v)
}
