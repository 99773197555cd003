// Package diet is the DIETClassifier: it finds the intent of a message and its
// entities with their roles and groups.
//
// It does the job of Rasa's DIETClassifier with the same settings and results
// and learns in another way: intents with package textmodel, entities with package
// entitymodel. Both take the pipeline's features, sparse and dense, and add some
// of their own, made from the tokens (package encoder).
package diet

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/loquat-dev/loquat/internal/graph"
	"github.com/loquat-dev/loquat/internal/ml/weights"
	"github.com/loquat-dev/loquat/internal/nlu"
	"github.com/loquat-dev/loquat/internal/nlu/entitymodel"
	"github.com/loquat-dev/loquat/internal/nlu/textmodel"
	"github.com/loquat-dev/loquat/internal/nlu/transformer"
)

const componentName = "DIETClassifier"

// version goes up whenever the same data give another model, or its bytes mean
// something else: with that of either package.
const version = textmodel.Version + entitymodel.Version

// Type describes the component.
func Type() graph.Type {
	t := graph.Define[Config](graph.Type{
		Name:      componentName,
		ClassPath: "rasa.nlu.classifiers.diet_classifier.DIETClassifier",
		Kinds:     []graph.Kind{graph.EntityExtractor, graph.IntentClassifier},
		Trainable: true,
		Version:   version,
		Requires:  []string{"Featurizer"},
		AnyKind:   []string{"split_entities_by_comma"},
		Check:     check,
		Fns:       nlu.Fns(),
	}, defaults, nil)
	maps.Copy(t.Defaults, graph.Config(transformer.DIET))
	t.Build = build
	return t
}

// Classifier is a trained or untrained DIETClassifier.
type Classifier struct {
	config   Config
	inVain   []string // settings that were changed and have no effect
	env      graph.Env
	intents  *textmodel.Model   // nil if none were learned
	entities *entitymodel.Model // nil if none were learned
	work     sync.Pool          // of *scratch
}

// scratch is the work space of one message.
type scratch struct {
	text  textmodel.Scratch
	token entitymodel.Scratch
}

func build(env graph.Env, raw graph.Config, saved graph.Resource) (any, error) {
	c := &Classifier{config: defaults, env: env, inVain: transformer.DIET.Changed(raw)}
	c.work.New = func() any { return &scratch{} }
	if err := raw.Decode(&c.config); err != nil {
		return nil, err
	}
	if saved != nil {
		if err := c.load(saved[fileName]); err != nil {
			return nil, fmt.Errorf("read %s: %w", fileName, err)
		}
	}
	return c, nil
}

// Train learns intents and entities from the NLU examples that have features.
// With fewer than two intents nothing is learned; without entities, only
// intents.
func (c *Classifier) Train(ctx context.Context, data *nlu.TrainingData) error {
	if len(c.inVain) > 0 {
		c.env.Logger.InfoContext(ctx, "settings without effect here", "settings", c.inVain)
	}
	oldIntents, oldEntities := c.intents, c.entities
	c.intents, c.entities = nil, nil

	var messages []*nlu.Message
	intents := map[string]bool{}
	for _, m := range data.NLUExamples() {
		intent := m.Values[nlu.IntentLabel]
		if c.config.IntentClassification && intent == "" || !c.hasFeatures(m) {
			continue
		}
		messages = append(messages, m)
		intents[intent] = true
	}
	if len(messages) == 0 || c.config.IntentClassification && len(intents) < 2 {
		c.env.Logger.WarnContext(ctx, "classifier not trained: it needs examples of at least two intents", "examples", len(messages), "intents", len(intents))
		return nil
	}
	var err error
	if c.config.IntentClassification {
		if c.intents, err = c.trainIntents(ctx, messages, oldIntents); err != nil {
			return err
		}
	}
	if c.config.EntityRecognition {
		if c.entities, err = c.trainEntities(ctx, messages, oldEntities); err != nil {
			return err
		}
	}
	intentLoss, entityLoss := c.Loss()
	c.env.Logger.InfoContext(ctx, "learned", "examples", len(messages), "intents", len(intents), "intent_loss", intentLoss, "entity_loss", entityLoss)
	return nil
}

func (c *Classifier) hasFeatures(m *nlu.Message) bool {
	for i := range m.Features {
		f := &m.Features[i]
		if f.Attribute == nlu.Text && (len(c.config.Featurizers) == 0 || slices.Contains(c.config.Featurizers, f.Origin)) {
			return true
		}
	}
	return false
}

// Loss returns the mean losses of the last training: of a text's intent and of a
// token's tags. They are 0 where nothing was trained.
func (c *Classifier) Loss() (intent, entity float64) {
	if c.intents != nil {
		intent = c.intents.Loss
	}
	if c.entities != nil {
		entity = c.entities.Loss
	}
	return intent, entity
}

func (c *Classifier) logPass(ctx context.Context, what string) func(int, float64) {
	return func(pass int, loss float64) {
		c.env.Logger.DebugContext(ctx, "pass", "learning", what, "pass", pass+1, "loss", loss)
	}
}

// Process sets the intent and the ranking of each message and adds entities.
func (c *Classifier) Process(_ context.Context, messages []*nlu.Message) error {
	s := c.work.Get().(*scratch)
	for _, m := range messages {
		var ranking []nlu.Intent
		if c.config.IntentClassification {
			m.Intent, ranking = c.classify(m, s)
			m.Ranking = ranking
		}
		if c.config.EntityRecognition && c.entities != nil {
			m.Entities = append(m.Entities, c.entities.Extract(m, ranking, &s.token)...)
		}
		if len(m.Tokens[nlu.Text]) > textmodel.LongText { // don't hold on to so much
			s = &scratch{}
		}
	}
	c.work.Put(s)
	return nil
}

const (
	fileName    = "diet.bin"
	fileKind    = "diet"
	fileVersion = version
)

// Persist writes what was learned (docs/formats/diet.md).
func (c *Classifier) Persist() (graph.Resource, error) {
	w := weights.NewWriter(fileKind, fileVersion)
	w.Bool(c.intents != nil)
	if c.intents != nil {
		c.intents.Write(w)
	}
	w.Bool(c.entities != nil)
	if c.entities != nil {
		c.entities.Write(w)
	}
	return graph.Resource{fileName: w.Bytes()}, nil
}

func (c *Classifier) load(data []byte) error {
	r := weights.NewReader(data, fileKind, fileVersion)
	if r.Bool() {
		c.intents = textmodel.Read(r, c.config.Featurizers)
	}
	if r.Bool() {
		c.entities = entitymodel.Read(r, c.entitySettings())
	}
	if err := cmp.Or(r.Err(), r.Close()); err != nil {
		c.intents, c.entities = nil, nil
		return err
	}
	return nil
}
