// Package textmodel learns which one of several labels a text has: its intent for
// DIETClassifier, the key of its response for ResponseSelector.
//
// The probabilities are the means of those of two learners that make different
// mistakes: a network with one hidden layer (package mlp) and support vector
// machines (package linear), over one sparse vector (package encoder). Why these
// is told in docs/decisions/012-intent-learner.md.
package textmodel

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
	"github.com/loquat-dev/loquat/internal/nlu/encoder"
)

// Version goes up whenever the same examples give another model, or its bytes
// mean something else. It is part of the version of every component that learns
// with this package.
const Version = 2

// How labels are learned. The numbers were chosen on parts of the training
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

// Model finds the label of a message. Its methods are safe for concurrent use.
type Model struct {
	Labels []string // sorted
	Loss   float64  // of the network: mean of −log p of the right label after training; 0 if it was read

	featurizers []string
	encoder     *encoder.Text
	net         *mlp.Packed
	margins     *linear.Margins
}

// Settings say how to learn.
type Settings struct {
	Featurizers []string // whose features to use; none means all
	Epochs      int      // how often the examples are seen at most
	Seed        uint64
	Threads     int
	Start       *Model // the model to go on from; nil starts afresh. It is used up
	AfterPass   func(pass int, loss float64)
}

// passes is how often n examples are shown.
func passes(n, epochs int) int {
	return min(epochs, max(fewestPasses, examplesShown/max(n, 1)))
}

// batchSize keeps the number of updates up when there are few examples.
func batchSize(n int) int { return min(32, max(4, n/16)) }

// Train learns from messages and the label of each. There must be two different
// labels. Going on from an earlier model needs the same ones.
func Train(ctx context.Context, messages []*nlu.Message, labels []string, o Settings) (*Model, error) {
	m := &Model{
		Labels:      slices.Compact(slices.Sorted(slices.Values(labels))),
		featurizers: o.Featurizers,
		encoder:     encoder.NewText(),
	}
	var start *mlp.Net
	if o.Start != nil {
		if !slices.Equal(o.Start.Labels, m.Labels) {
			return nil, fmt.Errorf("fine-tuning needs the labels of the earlier model: it has %d, the data %d, and they are not the same", len(o.Start.Labels), len(m.Labels))
		}
		m.encoder, start = o.Start.encoder, o.Start.net.Unpack()
	}
	if err := m.encoder.Learn(messages, o.Featurizers); err != nil {
		return nil, err
	}
	var rows sparse.Builder
	var s encoder.TextScratch
	label := make([]int, len(labels))
	for i, message := range messages {
		m.encoder.Encode(message, o.Featurizers, &s)
		s.Sort()
		rows.Row(s.Index, s.Value)
		label[i], _ = slices.BinarySearch(m.Labels, labels[i])
	}
	x := rows.Matrix(m.encoder.Len())
	threads := max(o.Threads, 1)
	net, err := mlp.Train(ctx, x, label, len(m.Labels), mlp.Options{
		Hidden:        hiddenUnits,
		Passes:        passes(len(label), o.Epochs),
		Batch:         batchSize(len(label)),
		LearningRate:  learningRate,
		InputDropout:  inputDropout,
		HiddenDropout: hiddenDropout,
		Kept:          m.encoder.DenseColumns(),
		Smoothing:     labelSmoothing,
		Seed:          o.Seed,
		Threads:       threads,
		Start:         start,
		AfterPass:     o.AfterPass,
	})
	if err != nil {
		return nil, err
	}
	m.net, m.Loss = net.Pack(), net.Loss(x, label, threads)
	// The machines' problem has one solution, whatever an earlier model says.
	m.margins, err = linear.FitMargins(ctx, x, label, len(m.Labels), linear.MarginOptions{
		C: marginCost, Passes: min(o.Epochs, marginPasses), Seed: o.Seed, Threads: threads,
	})
	return m, err
}

// Scratch is the work space of one message after the other.
type Scratch struct {
	text   encoder.TextScratch
	net    mlp.Scratch
	scores []float32
	p      []float64
}

// LongText is how many tokens a text may have for its work space to be worth
// keeping.
const LongText = 512

// Probabilities computes how likely each label is for a message; nil if the
// pipeline gave it no features. The result belongs to s.
func (m *Model) Probabilities(message *nlu.Message, s *Scratch) []float64 {
	if !m.encoder.Encode(message, m.featurizers, &s.text) {
		return nil
	}
	net := m.net.Probabilities(s.text.Index, s.text.Value, &s.net)
	if len(s.p) != len(net) {
		s.p, s.scores = make([]float64, len(net)), make([]float32, len(net))
	}
	m.margins.Scores(s.text.Index, s.text.Value, s.scores)
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

// Write adds the model to a file.
func (m *Model) Write(w *weights.Writer) {
	m.encoder.Write(w)
	w.Strings(m.Labels)
	m.net.Write(w)
	m.margins.Write(w)
}

// Read reads what Write has written, for use with the same featurizers. Parts
// that do not fit together make the reader fail.
func Read(r *weights.Reader, featurizers []string) *Model {
	m := &Model{
		featurizers: featurizers, encoder: encoder.ReadText(r),
		Labels: r.Strings(), net: mlp.Read(r), margins: linear.ReadMargins(r),
	}
	if r.Err() == nil && (m.net.Inputs != m.encoder.Len() || m.net.Classes != len(m.Labels)) {
		r.Fail("a network of %d inputs and %d classes for %d features and %d labels", m.net.Inputs, m.net.Classes, m.encoder.Len(), len(m.Labels))
	}
	if r.Err() == nil && (m.margins.Features != m.net.Inputs || m.margins.Classes != m.net.Classes) {
		r.Fail("machines for %d features and %d classes, a network for %d and %d", m.margins.Features, m.margins.Classes, m.net.Inputs, m.net.Classes)
	}
	return m
}
