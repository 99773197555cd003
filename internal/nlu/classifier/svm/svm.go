// Package svm is the SklearnIntentClassifier: linear support vector machines
// whose cost is chosen by cross-validation.
//
// Settings and result are those of Rasa 3.6.21, which trains scikit-learn's
// machines on dense features alone. Ours take sparse features too, in the vector
// of package encoder that DIETClassifier learns from.
package svm

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"sync"

	"github.com/loquat-dev/loquat/internal/graph"
	"github.com/loquat-dev/loquat/internal/ml/linear"
	"github.com/loquat-dev/loquat/internal/ml/sparse"
	"github.com/loquat-dev/loquat/internal/ml/weights"
	"github.com/loquat-dev/loquat/internal/nlu"
	"github.com/loquat-dev/loquat/internal/nlu/encoder"
	"github.com/loquat-dev/loquat/internal/nlu/textmodel"
)

// version goes up with the vectors of package encoder, which textmodel.Version
// counts, and with the number here for whatever else is learned differently.
const version = textmodel.Version

// Type describes the component.
func Type() graph.Type {
	return graph.Define(graph.Type{
		Name:      "SklearnIntentClassifier",
		ClassPath: "rasa.nlu.classifiers.sklearn_intent_classifier.SklearnIntentClassifier",
		Kinds:     []graph.Kind{graph.IntentClassifier},
		Trainable: true,
		Version:   version,
		Requires:  []string{"DenseFeaturizer"},
		Packages:  []string{"sklearn"},
		Check:     check,
		Fns:       nlu.Fns(),
	}, defaults, build)
}

// rankingLength is that of Rasa, which has no setting for it.
const rankingLength = 10

// Classifier is a trained or untrained SklearnIntentClassifier.
type Classifier struct {
	config Config
	env    graph.Env
	model  *model    // nil until trained
	work   sync.Pool // of *scratch
}

// model is what training gives.
type model struct {
	intents   []string // sorted
	encoder   *encoder.Text
	margins   *linear.Margins
	sharpness float64 // what scores are multiplied with to become logits
}

// scratch is the work space of one message.
type scratch struct {
	text   encoder.TextScratch
	scores []float32
}

func build(env graph.Env, config Config, saved graph.Resource) (any, error) {
	c := &Classifier{config: config, env: env}
	c.work.New = func() any { return &scratch{} }
	// A convex problem has the same answer from any start, so fine-tuning learns
	// it afresh, as Rasa does.
	if saved == nil || env.Finetuning {
		return c, nil
	}
	if err := c.load(saved[fileName]); err != nil {
		return nil, fmt.Errorf("read %s: %w", fileName, err)
	}
	return c, nil
}

func (c *Classifier) threads() int {
	available := max(c.env.Threads, 1)
	if c.config.Threads < 0 { // scikit-learn's word for all
		return available
	}
	return min(available, max(c.config.Threads, 1))
}

// Train learns from the messages that have an intent and sentence features. With
// fewer than two intents nothing is learned.
func (c *Classifier) Train(ctx context.Context, data *nlu.TrainingData) error {
	c.model = nil
	if vain := c.config.inVain(); len(vain) > 0 {
		c.env.Logger.InfoContext(ctx, "settings without effect here", "settings", vain)
	}
	var messages []*nlu.Message
	var names []string
	for _, m := range data.NLUExamples() {
		if m.Values[nlu.IntentLabel] != "" && len(m.Select(nlu.Text, nlu.Sentence, nil)) > 0 {
			messages, names = append(messages, m), append(names, m.Values[nlu.IntentLabel])
		}
	}
	intents := slices.Compact(slices.Sorted(slices.Values(names)))
	if len(intents) < 2 {
		c.env.Logger.WarnContext(ctx, "classifier not trained: it needs at least two intents", "intents", len(intents))
		return nil
	}
	m := &model{intents: intents, encoder: encoder.NewText()}
	if err := m.encoder.Learn(messages, nil); err != nil {
		return err
	}
	p := problem{classes: len(intents), threads: c.threads()}
	var rows sparse.Builder
	var s encoder.TextScratch
	for i, message := range messages {
		m.encoder.Encode(message, nil, &s)
		s.Sort()
		rows.Row(s.Index, s.Value)
		label, _ := slices.BinarySearch(intents, names[i])
		p.label = append(p.label, label)
	}
	p.x = rows.Matrix(m.encoder.Len())

	found, err := p.search(ctx, c.config)
	if err != nil {
		return err
	}
	m.sharpness = fitSharpness(found.scores, p.label)
	if m.margins, err = p.fit(ctx, found.cost); err != nil {
		return err
	}
	c.model = m
	c.env.Logger.InfoContext(ctx, "learned", "examples", len(messages), "intents", len(intents), "C", found.cost, c.config.Scoring, found.quality)
	return nil
}

// Process sets the intent and the ranking of each message.
func (c *Classifier) Process(_ context.Context, messages []*nlu.Message) error {
	s := c.work.Get().(*scratch)
	for _, m := range messages {
		m.Intent, m.Ranking = c.classify(m, s)
	}
	c.work.Put(s)
	return nil
}

func (c *Classifier) classify(m *nlu.Message, s *scratch) (*nlu.Intent, []nlu.Intent) {
	if c.model == nil || !c.model.encoder.Encode(m, nil, &s.text) {
		return &nlu.Intent{}, []nlu.Intent{}
	}
	if len(s.scores) != len(c.model.intents) {
		s.scores = make([]float32, len(c.model.intents))
	}
	c.model.margins.Scores(s.text.Index, s.text.Value, s.scores)
	top, sum := slices.Max(s.scores), 0.0
	ranking := make([]nlu.Intent, len(s.scores))
	for k, score := range s.scores {
		e := math.Exp(c.model.sharpness * float64(score-top))
		ranking[k] = nlu.Intent{Name: c.model.intents[k], Confidence: e}
		sum += e
	}
	for k := range ranking {
		ranking[k].Confidence /= sum
	}
	ranking = nlu.Rank(ranking, rankingLength)
	first := ranking[0]
	return &first, ranking
}

const (
	fileName    = "svm.bin"
	fileKind    = "support vector machines"
	fileVersion = version
)

// Persist writes what was learned (docs/formats/diet.md).
func (c *Classifier) Persist() (graph.Resource, error) {
	w := weights.NewWriter(fileKind, fileVersion)
	w.Bool(c.model != nil)
	if m := c.model; m != nil {
		w.Strings(m.intents)
		m.encoder.Write(w)
		m.margins.Write(w)
		w.Float(m.sharpness)
	}
	return graph.Resource{fileName: w.Bytes()}, nil
}

func (c *Classifier) load(data []byte) error {
	r := weights.NewReader(data, fileKind, fileVersion)
	if r.Bool() {
		m := &model{intents: r.Strings(), encoder: encoder.ReadText(r), margins: linear.ReadMargins(r), sharpness: r.Float()}
		if r.Err() == nil && (len(m.intents) < 2 || m.margins.Features != m.encoder.Len() || m.margins.Classes != len(m.intents)) {
			r.Fail("machines for %d features and %d classes, and %d features and %d intents", m.margins.Features, m.margins.Classes, m.encoder.Len(), len(m.intents))
		}
		c.model = m
	}
	if err := cmp.Or(r.Err(), r.Close()); err != nil {
		c.model = nil
		return err
	}
	return nil
}
