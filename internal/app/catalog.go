package app

import (
	"slices"
	"strings"

	"github.com/loquat-dev/loquat/internal/dialogue/ensemble"
	"github.com/loquat-dev/loquat/internal/dialogue/memoization"
	"github.com/loquat-dev/loquat/internal/dialogue/rule"
	"github.com/loquat-dev/loquat/internal/dialogue/ted"
	"github.com/loquat-dev/loquat/internal/dialogue/unexpected"
	"github.com/loquat-dev/loquat/internal/graph"
	"github.com/loquat-dev/loquat/internal/nlu/classifier/diet"
	"github.com/loquat-dev/loquat/internal/nlu/classifier/fallback"
	"github.com/loquat-dev/loquat/internal/nlu/classifier/keyword"
	"github.com/loquat-dev/loquat/internal/nlu/classifier/logistic"
	"github.com/loquat-dev/loquat/internal/nlu/classifier/svm"
	"github.com/loquat-dev/loquat/internal/nlu/converter"
	"github.com/loquat-dev/loquat/internal/nlu/extractor/crfentity"
	"github.com/loquat-dev/loquat/internal/nlu/extractor/duckling"
	"github.com/loquat-dev/loquat/internal/nlu/extractor/regexentity"
	"github.com/loquat-dev/loquat/internal/nlu/extractor/synonyms"
	"github.com/loquat-dev/loquat/internal/nlu/featurizer/countvectors"
	"github.com/loquat-dev/loquat/internal/nlu/featurizer/languagemodel"
	"github.com/loquat-dev/loquat/internal/nlu/featurizer/lexicalsyntactic"
	"github.com/loquat-dev/loquat/internal/nlu/featurizer/regexfeaturizer"
	"github.com/loquat-dev/loquat/internal/nlu/intentmessage"
	"github.com/loquat-dev/loquat/internal/nlu/selector"
	"github.com/loquat-dev/loquat/internal/nlu/tokenizer/jieba"
	"github.com/loquat-dev/loquat/internal/nlu/tokenizer/whitespace"
	"github.com/loquat-dev/loquat/internal/provider"
	"github.com/loquat-dev/loquat/internal/recipe"
	"github.com/loquat-dev/loquat/internal/tracing"
)

// catalog lists everything that a configuration or a graph can name: what this
// binary can run, and what it only knows of. Requests to other servers become
// part of t's traces; t may be nil.
func catalog(t *tracing.Tracing) []graph.Type {
	types := []graph.Type{
		// the pipeline
		jieba.Type(),
		whitespace.Type(),
		countvectors.Type(),
		languagemodel.Type(),
		lexicalsyntactic.Type(),
		regexfeaturizer.Type(),
		diet.Type(),
		duckling.Type(duckling.Settings{Wrap: t.Endpoint}),
		fallback.Type(),
		keyword.Type(),
		logistic.Type(),
		svm.Type(),
		crfentity.Type(),
		regexentity.Type(),
		selector.Type(),
		synonyms.Type(),
		// policies
		memoization.AugmentedType(),
		memoization.Type(),
		rule.Type(),
		ted.Type(),
		unexpected.Type(),
		// what every graph has
		converter.Type(),
		ensemble.Type(),
		intentmessage.Type(),
	}
	return slices.Concat(types, provider.Types(), recipe.Unbuilt())
}

// Catalog returns the types of all components by name.
func Catalog() graph.Types { return graph.NewTypes(catalog(nil)) }

// Component is an entry of "loquat components".
type Component struct {
	Name  string
	Kind  string // in words
	Ready bool   // this binary can run it
}

// Components lists what config.yml can name, by kind and name.
func Components() []Component {
	var out []Component
	for _, t := range catalog(nil) {
		if len(t.Kinds) > 0 {
			out = append(out, Component{Name: t.Name, Kind: kindInWords(t), Ready: t.Build != nil})
		}
	}
	slices.SortFunc(out, func(a, b Component) int {
		return strings.Compare(a.Kind+" "+a.Name, b.Kind+" "+b.Name)
	})
	return out
}

func kindInWords(t graph.Type) string {
	words := map[graph.Kind]string{
		graph.Tokenizer: "tokenizer", graph.Featurizer: "featurizer", graph.IntentClassifier: "intent classifier",
		graph.EntityExtractor: "entity extractor", graph.ModelLoader: "model loader", graph.PolicyEndToEnd: "policy", graph.Policy: "policy",
	}
	var kinds []string
	for _, k := range t.Kinds {
		kinds = append(kinds, words[k])
	}
	slices.Sort(kinds)
	return strings.Join(kinds, ", ")
}
