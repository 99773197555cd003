package recipe

import (
	"encoding/json"
	"fmt"

	"github.com/loquat-dev/loquat/internal/graph"
)

// unbuilt are the components of Rasa 3.6.21 that this binary knows and can't run,
// with what reading, completion and validation need of them. Nearest names what
// to use meanwhile.
var unbuilt = []struct {
	graph.Type
	defaults string // JSON
	nearest  string
}{
	// nodes of end-to-end graphs, which no configuration names
	{graph.Type{Name: "CoreFeaturizationInputConverter", ClassPath: "rasa.core.featurizers.precomputation.CoreFeaturizationInputConverter"}, `{}`, ""},
	{graph.Type{Name: "CoreFeaturizationCollector", ClassPath: "rasa.core.featurizers.precomputation.CoreFeaturizationCollector"}, `{}`, ""},
	{graph.Type{Name: "ConveRTFeaturizer", ClassPath: "rasa.nlu.featurizers.dense_featurizer.convert_featurizer.ConveRTFeaturizer", Kinds: []graph.Kind{graph.Featurizer}, Requires: []string{"Tokenizer"}, Languages: []string{"en"}, Packages: []string{"tensorflow_text", "tensorflow_hub"}},
		`{"alias": null, "model_url": null}`, "CountVectorsFeaturizer"},
	{graph.Type{Name: "DucklingEntityExtractor", ClassPath: "rasa.nlu.extractors.duckling_entity_extractor.DucklingEntityExtractor", Kinds: []graph.Kind{graph.EntityExtractor}},
		`{"dimensions": null, "locale": null, "timeout": 3, "timezone": null, "url": null}`, "RegexEntityExtractor"},
	{graph.Type{Name: "LanguageModelFeaturizer", ClassPath: "rasa.nlu.featurizers.dense_featurizer.lm_featurizer.LanguageModelFeaturizer", Kinds: []graph.Kind{graph.Featurizer}, Requires: []string{"Tokenizer"}, Packages: []string{"transformers"}},
		`{"alias": null, "cache_dir": null, "model_name": "bert", "model_weights": null}`, "CountVectorsFeaturizer"},
	{graph.Type{Name: "MitieEntityExtractor", ClassPath: "rasa.nlu.extractors.mitie_entity_extractor.MitieEntityExtractor", Kinds: []graph.Kind{graph.EntityExtractor}, Trainable: true, Requires: []string{"MitieNLP", "Tokenizer"}, Packages: []string{"mitie"}, ModelFrom: "MitieNLP"},
		`{"num_threads": 1}`, "DIETClassifier"},
	{graph.Type{Name: "MitieFeaturizer", ClassPath: "rasa.nlu.featurizers.dense_featurizer.mitie_featurizer.MitieFeaturizer", Kinds: []graph.Kind{graph.Featurizer}, Requires: []string{"MitieNLP", "Tokenizer"}, Packages: []string{"mitie", "numpy"}, ModelFrom: "MitieNLP"},
		`{"alias": null, "pooling": "mean"}`, "CountVectorsFeaturizer"},
	{graph.Type{Name: "MitieIntentClassifier", ClassPath: "rasa.nlu.classifiers.mitie_intent_classifier.MitieIntentClassifier", Kinds: []graph.Kind{graph.IntentClassifier}, Trainable: true, Requires: []string{"MitieNLP", "Featurizer"}, Packages: []string{"mitie"}, ModelFrom: "MitieNLP"},
		`{"num_threads": 1}`, "DIETClassifier"},
	{graph.Type{Name: "MitieNLP", ClassPath: "rasa.nlu.utils.mitie_utils.MitieNLP", Kinds: []graph.Kind{graph.ModelLoader}, Packages: []string{"mitie"}},
		`{"model": "data/total_word_feature_extractor.dat"}`, ""},
	{graph.Type{Name: "MitieTokenizer", ClassPath: "rasa.nlu.tokenizers.mitie_tokenizer.MitieTokenizer", Kinds: []graph.Kind{graph.Tokenizer}, Packages: []string{"mitie"}},
		`{"intent_split_symbol": "_", "intent_tokenization_flag": false, "prefix_separator_symbol": null, "token_pattern": null}`, "WhitespaceTokenizer"},
	{graph.Type{Name: "SklearnIntentClassifier", ClassPath: "rasa.nlu.classifiers.sklearn_intent_classifier.SklearnIntentClassifier", Kinds: []graph.Kind{graph.IntentClassifier}, Trainable: true, Requires: []string{"DenseFeaturizer"}, Packages: []string{"sklearn"}},
		`{"C": [1, 2, 5, 10, 20, 100], "gamma": [0.1], "kernels": ["linear"], "max_cross_validation_folds": 5, "num_threads": 1, "scoring_function": "f1_weighted"}`, "LogisticRegressionClassifier"},
	{graph.Type{Name: "SpacyEntityExtractor", ClassPath: "rasa.nlu.extractors.spacy_entity_extractor.SpacyEntityExtractor", Kinds: []graph.Kind{graph.EntityExtractor}, Requires: []string{"SpacyNLP"}, Packages: []string{"spacy"}, ModelFrom: "SpacyNLP"},
		`{"dimensions": null}`, "DIETClassifier"},
	{graph.Type{Name: "SpacyFeaturizer", ClassPath: "rasa.nlu.featurizers.dense_featurizer.spacy_featurizer.SpacyFeaturizer", Kinds: []graph.Kind{graph.Featurizer}, Requires: []string{"SpacyTokenizer"}, Packages: []string{"spacy"}},
		`{"alias": null, "pooling": "mean"}`, "CountVectorsFeaturizer"},
	{graph.Type{Name: "SpacyNLP", ClassPath: "rasa.nlu.utils.spacy_utils.SpacyNLP", Kinds: []graph.Kind{graph.Featurizer, graph.ModelLoader}, Packages: []string{"spacy"}, ModelFrom: "SpacyNLP"},
		`{"case_sensitive": false}`, ""},
	{graph.Type{Name: "SpacyTokenizer", ClassPath: "rasa.nlu.tokenizers.spacy_tokenizer.SpacyTokenizer", Kinds: []graph.Kind{graph.Tokenizer}, Requires: []string{"SpacyNLP"}, Packages: []string{"spacy"}},
		`{"intent_split_symbol": "_", "intent_tokenization_flag": false, "prefix_separator_symbol": null, "token_pattern": null}`, "WhitespaceTokenizer"},
	{graph.Type{Name: "TEDPolicy", ClassPath: "rasa.core.policies.ted_policy.TEDPolicy", Kinds: []graph.Kind{graph.PolicyEndToEnd}, Trainable: true},
		`{"BILOU_flag": true, "batch_size": [64, 256], "batch_strategy": "balanced", "checkpoint_model": false, "concat_dimension": {"action_text": 128, "label_action_text": 128, "text": 128}, "connection_density": 0.2, "constrain_similarities": false, "dense_dimension": {"action_name": 20, "action_text": 128, "active_loop": 20, "entities": 20, "intent": 20, "label_action_name": 20, "label_action_text": 128, "slots": 20, "text": 128}, "drop_rate": 0.0, "drop_rate_attention": 0.0, "drop_rate_dialogue": 0.1, "drop_rate_label": 0.0, "e2e_confidence_threshold": 0.5, "embedding_dimension": 20, "encoding_dimension": 50, "entity_recognition": true, "epochs": 1, "evaluate_every_number_of_epochs": 20, "evaluate_on_number_of_examples": 0, "featurizers": [], "hidden_layers_sizes": {"action_text": [], "label_action_text": [], "text": []}, "learning_rate": 0.001, "loss_type": "cross_entropy", "max_history": null, "max_relative_position": 5, "maximum_negative_similarity": -0.2, "maximum_positive_similarity": 0.8, "model_confidence": "softmax", "negative_margin_scale": 0.8, "number_of_attention_heads": 4, "number_of_negative_examples": 20, "number_of_transformer_layers": {"action_text": 1, "dialogue": 1, "label_action_text": 1, "text": 1}, "priority": 1, "random_seed": null, "ranking_length": 0, "regularization_constant": 0.001, "renormalize_confidences": false, "scale_loss": true, "similarity_type": "auto", "split_entities_by_comma": true, "tensorboard_log_directory": null, "tensorboard_log_level": "epoch", "transformer_size": {"action_text": 128, "dialogue": 128, "label_action_text": 128, "text": 128}, "unidirectional_encoder": false, "use_dense_input_dropout": true, "use_gpu": true, "use_key_relative_attention": false, "use_masked_language_model": false, "use_maximum_negative_similarity": true, "use_sparse_input_dropout": true, "use_value_relative_attention": false}`, "MemoizationPolicy"},
	{graph.Type{Name: "UnexpecTEDIntentPolicy", ClassPath: "rasa.core.policies.unexpected_intent_policy.UnexpecTEDIntentPolicy", Kinds: []graph.Kind{graph.PolicyEndToEnd}, Trainable: true},
		`{"BILOU_flag": false, "batch_size": [64, 256], "batch_strategy": "balanced", "checkpoint_model": false, "concat_dimension": {"text": 128}, "connection_density": 0.2, "dense_dimension": {"action_name": 20, "active_loop": 20, "entities": 20, "intent": 20, "label_intent": 20, "slots": 20, "text": 128}, "drop_rate": 0.0, "drop_rate_attention": 0.0, "drop_rate_dialogue": 0.1, "drop_rate_label": 0.0, "embedding_dimension": 20, "encoding_dimension": 50, "entity_recognition": false, "epochs": 1, "evaluate_every_number_of_epochs": 20, "evaluate_on_number_of_examples": 0, "featurizers": [], "hidden_layers_sizes": {"text": []}, "ignore_intents_list": [], "learning_rate": 0.001, "loss_type": "cross_entropy", "max_relative_position": 5, "number_of_attention_heads": 4, "number_of_negative_examples": 20, "number_of_transformer_layers": {"dialogue": 1, "text": 1}, "priority": 2, "random_seed": null, "ranking_length": 10, "regularization_constant": 0.001, "scale_loss": true, "similarity_type": "inner", "split_entities_by_comma": true, "tensorboard_log_directory": null, "tensorboard_log_level": "epoch", "tolerance": 0.0, "transformer_size": {"dialogue": 128, "text": 128}, "unidirectional_encoder": false, "use_dense_input_dropout": true, "use_gpu": true, "use_key_relative_attention": false, "use_masked_language_model": false, "use_sparse_input_dropout": true, "use_value_relative_attention": false}`, ""},
}

// Unbuilt returns the types of components that are known and not built.
func Unbuilt() []graph.Type {
	types := make([]graph.Type, len(unbuilt))
	for i, u := range unbuilt {
		types[i] = u.Type
		if err := json.Unmarshal([]byte(u.defaults), &types[i].Defaults); err != nil {
			panic(fmt.Sprintf("recipe: defaults of %s: %v", u.Name, err)) // a broken literal in our own code
		}
	}
	return types
}

// Nearest names the component that does most of what an unbuilt one does, or "".
func Nearest(name string) string {
	for _, u := range unbuilt {
		if u.Name == name {
			return u.nearest
		}
	}
	return ""
}
