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
	{graph.Type{Name: "ConveRTFeaturizer", ClassPath: "rasa.nlu.featurizers.dense_featurizer.convert_featurizer.ConveRTFeaturizer", Kinds: []graph.Kind{graph.Featurizer}, Requires: []string{"Tokenizer"}, Languages: []string{"en"}, Packages: []string{"tensorflow_text", "tensorflow_hub"}},
		`{"alias": null, "model_url": null}`, "CountVectorsFeaturizer"},
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
	{graph.Type{Name: "SpacyEntityExtractor", ClassPath: "rasa.nlu.extractors.spacy_entity_extractor.SpacyEntityExtractor", Kinds: []graph.Kind{graph.EntityExtractor}, Requires: []string{"SpacyNLP"}, Packages: []string{"spacy"}, ModelFrom: "SpacyNLP"},
		`{"dimensions": null}`, "DIETClassifier"},
	{graph.Type{Name: "SpacyFeaturizer", ClassPath: "rasa.nlu.featurizers.dense_featurizer.spacy_featurizer.SpacyFeaturizer", Kinds: []graph.Kind{graph.Featurizer}, Requires: []string{"SpacyTokenizer"}, Packages: []string{"spacy"}},
		`{"alias": null, "pooling": "mean"}`, "CountVectorsFeaturizer"},
	{graph.Type{Name: "SpacyNLP", ClassPath: "rasa.nlu.utils.spacy_utils.SpacyNLP", Kinds: []graph.Kind{graph.Featurizer, graph.ModelLoader}, Packages: []string{"spacy"}, ModelFrom: "SpacyNLP"},
		`{"case_sensitive": false}`, ""},
	{graph.Type{Name: "SpacyTokenizer", ClassPath: "rasa.nlu.tokenizers.spacy_tokenizer.SpacyTokenizer", Kinds: []graph.Kind{graph.Tokenizer}, Requires: []string{"SpacyNLP"}, Packages: []string{"spacy"}},
		`{"intent_split_symbol": "_", "intent_tokenization_flag": false, "prefix_separator_symbol": null, "token_pattern": null}`, "WhitespaceTokenizer"},
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
