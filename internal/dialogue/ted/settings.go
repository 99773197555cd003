package ted

import "github.com/loquat-dev/loquat/internal/nlu/transformer"

// withoutEffect are Rasa's settings of a transformer, with TEDPolicy's defaults.
var withoutEffect = settings()

func settings() transformer.Settings {
	s := transformer.DIET.With(transformer.Settings{
		"concat_dimension": map[string]any{"text": int64(128), "action_text": int64(128), "label_action_text": int64(128)},
		"dense_dimension": map[string]any{
			"text": int64(128), "action_text": int64(128), "label_action_text": int64(128),
			"intent": int64(20), "action_name": int64(20), "label_action_name": int64(20),
			"entities": int64(20), "slots": int64(20), "active_loop": int64(20),
		},
		"drop_rate":                    0.0,
		"drop_rate_attention":          0.0,
		"drop_rate_dialogue":           0.1,
		"drop_rate_label":              0.0,
		"encoding_dimension":           int64(50),
		"epochs":                       int64(1),
		"hidden_layers_sizes":          map[string]any{"text": []any{}, "action_text": []any{}, "label_action_text": []any{}},
		"maximum_negative_similarity":  -0.2,
		"number_of_transformer_layers": map[string]any{"text": int64(1), "action_text": int64(1), "label_action_text": int64(1), "dialogue": int64(1)},
		"random_seed":                  nil,
		"regularization_constant":      0.001,
		"scale_loss":                   true,
		"transformer_size":             map[string]any{"text": int64(128), "action_text": int64(128), "label_action_text": int64(128), "dialogue": int64(128)},
		"use_gpu":                      true,
	})
	for _, name := range []string{"drop_small_last_batch", "run_eagerly", "share_hidden_layers"} { // DIETClassifier's alone
		delete(s, name)
	}
	return s
}

// Settings are the settings without effect and their defaults.
func Settings() transformer.Settings { return withoutEffect }

// WithoutEffect lists the settings that are accepted and change nothing, sorted.
func WithoutEffect() []string { return withoutEffect.Names() }
