// Package languagemodel is Rasa's LanguageModelFeaturizer: dense features that say
// what a text means, made by a transformer encoder (package sentence). Texts that
// mean the same have vectors that are close, whatever words they use.
//
// The encoder is the one for English that is part of the program, or any of BERT's
// architecture that a folder of the project holds. A text's features are the means
// of its pieces' vectors after the last layer and the two before, side by side:
// with few examples that tells intents apart better than the last one's alone
// (docs/decisions/014-sentence-encoder.md). A token's are the mean of its pieces'
// vectors after the last layer, from which entities are learned.
package languagemodel

import (
	"context"
	"log/slog"
	"slices"

	"github.com/loquat-dev/loquat/internal/graph"
	"github.com/loquat-dev/loquat/internal/nlu"
)

const name = "LanguageModelFeaturizer"

// version goes up whenever a text gets other features.
const version = 2

// Type describes the component.
func Type() graph.Type {
	e := &encoders{opened: map[string]*weights{}}
	t := graph.Type{
		Name:      name,
		ClassPath: "rasa.nlu.featurizers.dense_featurizer.lm_featurizer.LanguageModelFeaturizer",
		Kinds:     []graph.Kind{graph.Featurizer},
		Version:   version,
		Requires:  []string{"Tokenizer"},
		Packages:  []string{"transformers"},
		Check:     e.check,
		Resolve:   e.resolve,
		Fns:       nlu.Fns(),
	}
	return graph.Define(t, Config{ModelName: defaultModel}, e.build)
}

// Featurizer adds the features. It is safe for concurrent use.
type Featurizer struct {
	origin  string
	logger  *slog.Logger
	cache   graph.Cache // nil for none
	weights *weights
}

func (e *encoders) build(env graph.Env, c Config, _ graph.Resource) (any, error) {
	w, err := e.load(c)
	if err != nil {
		return nil, err
	}
	return &Featurizer{origin: nlu.Origin(env, c.Alias), logger: env.Logger, cache: env.Cache, weights: w}, nil
}

// ProcessTrainingData adds features to all texts of the training data, and to the
// names of intents and responses, which say something about them too. Tokens of texts
// have features if there are entities to be learned.
func (f *Featurizer) ProcessTrainingData(ctx context.Context, data *nlu.TrainingData) (*nlu.TrainingData, error) {
	entities := slices.ContainsFunc(data.Messages, func(m *nlu.Message) bool { return len(m.Entities) > 0 })
	var texts []wanted
	known := map[string]int{} // place of a text in the list
	for _, m := range data.Messages {
		for _, a := range learned {
			w := wanted{text: textOf(m, a)}
			if w.text == "" {
				continue
			}
			if entities && a == nlu.Text {
				w.tokens = m.Tokens[a]
			}
			if i, ok := known[w.text]; !ok {
				known[w.text] = len(texts)
				texts = append(texts, w)
			} else if len(w.tokens) > 0 {
				texts[i] = w
			}
		}
	}
	vectors, err := f.trainingVectors(ctx, texts)
	if err != nil {
		return nil, err
	}
	return nlu.FeaturizeTrainingData(ctx, data, func(m *nlu.Message) {
		for _, a := range learned {
			if text := textOf(m, a); text != "" {
				f.add(m, a, vectors[text], entities && a == nlu.Text)
			}
		}
	})
}

// Process adds features to the texts of messages.
func (f *Featurizer) Process(ctx context.Context, messages []*nlu.Message) error {
	for _, a := range []nlu.Attribute{nlu.Text, nlu.ActionText} {
		texts := make([]wanted, 0, len(messages))
		for _, m := range messages {
			w := wanted{text: textOf(m, a)}
			if a == nlu.Text {
				w.tokens = m.Tokens[a]
			}
			if w.text != "" {
				texts = append(texts, w)
			}
		}
		if len(texts) == 0 {
			continue
		}
		vectors, err := f.weights.recentVectors(ctx, texts)
		if err != nil {
			return err
		}
		for _, m := range messages {
			if textOf(m, a) != "" {
				f.add(m, a, vectors[0], a == nlu.Text)
				vectors = vectors[1:]
			}
		}
	}
	return nil
}

func (f *Featurizer) add(m *nlu.Message, a nlu.Attribute, e encoded, tokens bool) {
	if n := len(m.Tokens[a]); tokens && n > 0 {
		rows := e.tokens.rows(n, f.weights.encoder.Dim())
		m.Features = append(m.Features, nlu.Features{Attribute: a, Level: nlu.Sequence, Origin: f.origin, Dense: rows})
	}
	m.Features = append(m.Features, nlu.Features{Attribute: a, Level: nlu.Sentence, Origin: f.origin, Dense: [][]float32{e.text}})
}

// learned are the attributes that get features in training.
var learned = []nlu.Attribute{nlu.Text, nlu.ActionText, nlu.ResponseText, nlu.IntentLabel, nlu.IntentResponseKey}

// textOf is what is encoded of an attribute; "" for nothing. Names of intents and
// responses count beside an example, as the words that they are made of.
func textOf(m *nlu.Message, a nlu.Attribute) string {
	switch a {
	case nlu.IntentLabel, nlu.IntentResponseKey:
		if m.Values[nlu.Text] == "" {
			return ""
		}
		return nlu.NameWords(m.Values[a])
	default:
		return m.Values[a]
	}
}
