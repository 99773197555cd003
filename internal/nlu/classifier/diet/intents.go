package diet

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/loquat-dev/loquat/internal/ml/linear"
	"github.com/loquat-dev/loquat/internal/ml/mlp"
	"github.com/loquat-dev/loquat/internal/ml/sparse"
	"github.com/loquat-dev/loquat/internal/ml/weights"
	"github.com/loquat-dev/loquat/internal/nlu"
)

// How intents are learned. The numbers were chosen on parts of the training
// data of four public sets (docs/decisions/012-intent-learner.md).
const (
	hiddenUnits    = 128
	learningRate   = 0.05
	inputDropout   = 0.5
	hiddenDropout  = 0.3
	labelSmoothing = 0.03
	// A pass over few examples teaches less than one over many: there are enough
	// passes to show this many examples, and never fewer than fewestPasses.
	examplesShown = 30_000
	fewestPasses  = 15
	// Support vector machines and what their scores are multiplied with to become
	// the logits of probabilities.
	marginCost   = 1
	marginPasses = 30
	sharpness    = 6
)

// intentModel finds the intent of a message. Its probabilities are the means of
// those of two learners that make different mistakes: a network, and support
// vector machines.
type intentModel struct {
	encoder *textEncoder
	intents []string // sorted
	net     *mlp.Packed
	margins *linear.Margins
	loss    float64 // of the network: mean of −log p of the right intent after training
}

// passes is how often n examples are shown.
func passes(n, epochs int) int {
	return min(epochs, max(fewestPasses, examplesShown/max(n, 1)))
}

// batchSize keeps the number of updates up when there are few examples.
func batchSize(n int) int { return min(32, max(4, n/16)) }

// trainIntents learns from messages that have an intent and features. old is the
// model to go on from, or nil.
func (c *Classifier) trainIntents(ctx context.Context, messages []*nlu.Message, old *intentModel) (*intentModel, error) {
	m := &intentModel{encoder: &textEncoder{columns: columns{level: nlu.Sentence}}}
	var names []string
	for _, message := range messages {
		names = append(names, message.Values[nlu.IntentLabel])
	}
	m.intents = slices.Compact(slices.Sorted(slices.Values(names)))
	var start *mlp.Net
	if old != nil {
		if !slices.Equal(old.intents, m.intents) {
			return nil, fmt.Errorf("fine-tuning needs the intents of the earlier model: it has %d, the data %d, and they are not the same", len(old.intents), len(m.intents))
		}
		m.encoder, start = old.encoder, old.net.Unpack()
	}
	if err := m.encoder.learn(messages, c.config.Featurizers); err != nil {
		return nil, err
	}
	var rows sparse.Builder
	var s textScratch
	label := make([]int, len(names))
	for i, message := range messages {
		m.encoder.encode(message, c.config.Featurizers, &s)
		s.sort()
		rows.Row(s.index, s.value)
		label[i], _ = slices.BinarySearch(m.intents, names[i])
	}
	x := rows.Matrix(m.encoder.table.Len())
	net, err := mlp.Train(ctx, x, label, len(m.intents), mlp.Options{
		Hidden:        hiddenUnits,
		Passes:        passes(len(label), c.config.Epochs),
		Batch:         batchSize(len(label)),
		LearningRate:  learningRate,
		InputDropout:  inputDropout,
		HiddenDropout: hiddenDropout,
		Kept:          m.encoder.columns.denseColumns(),
		Smoothing:     labelSmoothing,
		Seed:          c.seed(),
		Threads:       max(c.env.Threads, 1),
		Start:         start,
		AfterPass:     c.logPass(ctx, "intents"),
	})
	if err != nil {
		return nil, err
	}
	m.net, m.loss = net.Pack(), net.Loss(x, label, max(c.env.Threads, 1))
	// The machines' problem has one solution, whatever an earlier model says.
	m.margins, err = linear.FitMargins(ctx, x, label, len(m.intents), linear.MarginOptions{
		C: marginCost, Passes: min(c.config.Epochs, marginPasses), Seed: c.seed(), Threads: max(c.env.Threads, 1),
	})
	return m, err
}

// probabilities computes how likely each intent is for the vector in s.
func (m *intentModel) probabilities(s *scratch) []float64 {
	net := m.net.Probabilities(s.text.index, s.text.value, &s.net)
	if len(s.p) != len(net) {
		s.p, s.scores = make([]float64, len(net)), make([]float32, len(net))
	}
	m.margins.Scores(s.text.index, s.text.value, s.scores)
	top := slices.Max(s.scores)
	sum := 0.0
	for k, score := range s.scores {
		s.p[k] = math.Exp(sharpness * float64(score-top))
		sum += s.p[k]
	}
	for k := range s.p {
		s.p[k] = (s.p[k]/sum + float64(net[k])) / 2
	}
	return s.p
}

// classify returns the intent and the ranking of a message.
func (c *Classifier) classify(m *nlu.Message, s *scratch) (*nlu.Intent, []nlu.Intent) {
	if c.intents == nil || !c.intents.encoder.encode(m, c.config.Featurizers, &s.text) {
		return &nlu.Intent{}, []nlu.Intent{}
	}
	p := c.intents.probabilities(s)
	ranking := make([]nlu.Intent, len(p))
	for k, name := range c.intents.intents {
		ranking[k] = nlu.Intent{Name: name, Confidence: p[k]}
	}
	ranking = nlu.Rank(ranking, c.config.RankingLength)
	if c.config.RenormalizeConfidence {
		sum := 0.0
		for _, r := range ranking {
			sum += r.Confidence
		}
		for i := range ranking {
			ranking[i].Confidence /= sum
		}
	}
	top := ranking[0]
	return &top, ranking
}

func (m *intentModel) write(w *weights.Writer) {
	m.encoder.write(w)
	w.Strings(m.intents)
	m.net.Write(w)
	m.margins.Write(w)
}

func readIntents(r *weights.Reader) *intentModel {
	m := &intentModel{encoder: readTextEncoder(r), intents: r.Strings(), net: mlp.Read(r), margins: linear.ReadMargins(r)}
	if r.Err() == nil && (m.net.Inputs != m.encoder.table.Len() || m.net.Classes != len(m.intents)) {
		r.Fail("a network of %d inputs and %d classes for %d features and %d intents", m.net.Inputs, m.net.Classes, m.encoder.table.Len(), len(m.intents))
	}
	if r.Err() == nil && (m.margins.Features != m.net.Inputs || m.margins.Classes != m.net.Classes) {
		r.Fail("machines for %d features and %d classes, a network for %d and %d", m.margins.Features, m.margins.Classes, m.net.Inputs, m.net.Classes)
	}
	return m
}
