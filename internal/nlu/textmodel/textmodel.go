// Package textmodel learns which one of several labels a text has: its intent for
// DIETClassifier, the key of its response for ResponseSelector.
//
// The probabilities are the means of those of four learners that make different
// mistakes, over one sparse vector (package encoder): three networks with one hidden
// layer (package mlp), two of which do not see features of pairs of words, and
// support vector machines (package linear). Why these is told in
// docs/decisions/012-intent-learner.md.
//
// Where the pipeline has dense features, their classes (package discriminant) have a
// part in the probabilities, the machines see them too, and a few examples need no
// networks; see docs/decisions/014-sentence-encoder.md.
package textmodel

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/loquat-dev/loquat/internal/ml/linear"
	"github.com/loquat-dev/loquat/internal/ml/mlp"
	"github.com/loquat-dev/loquat/internal/ml/parallel"
	"github.com/loquat-dev/loquat/internal/ml/sparse"
	"github.com/loquat-dev/loquat/internal/ml/weights"
	"github.com/loquat-dev/loquat/internal/nlu"
	"github.com/loquat-dev/loquat/internal/nlu/encoder"
)

// Version goes up whenever the same examples give another model, or its bytes
// mean something else. It is part of the version of every component that learns
// with this package.
const Version = 7

// How labels are learned. The numbers were chosen on parts of the training
// data of four public sets (docs/decisions/012-intent-learner.md).
const (
	networks       = 3
	hiddenUnits    = 128
	learningRate   = 0.05
	inputDropout   = 0.5
	hiddenDropout  = 0.3
	labelSmoothing = 0.03
	// A pass over few examples teaches less than one over many: there are enough
	// passes to show this many examples, and never fewer than fewestPasses.
	examplesShown = 30_000
	fewestPasses  = 15
	// From a handful of examples on, enoughPasses are enough; fewer examples need
	// more, for each pass has fewer updates.
	enoughPasses = 40
	handful      = 300
	// Support vector machines and what their scores are multiplied with to become
	// the logits of probabilities.
	marginCost   = 1
	marginPasses = 30
	sharpness    = 6
	// What the learners' mean is raised to, see sharpen.
	confidencePower = 1.3
)

// Model finds the label of a message. Its methods are safe for concurrent use.
type Model struct {
	Labels []string // sorted
	Loss   float64  // of the networks: mean of −log p of the right label after training; 0 if it was read

	featurizers []string
	encoder     *encoder.Text
	nets        []*mlp.Packed // the first sees all features, the others those of single words; may be none
	margins     *linear.Margins
	meaning     *meaning // nil if the pipeline has no dense features
}

// Settings say how to learn.
type Settings struct {
	Featurizers []string // whose features to use; none means all
	Epochs      int      // how often the examples are seen at most
	Seed        uint64
	Threads     int
	Start       *Model // the model to go on from; nil starts afresh. It is used up
	// Share is how much of the passes to make that a fresh model would get, above 0
	// and at most 1; 0 means 1.
	Share     float64
	AfterPass func(pass int, loss float64)
}

// passes is how often n examples are shown. The epochs are a share already.
func passes(n, epochs int, share float64) int {
	if share <= 0 {
		share = 1
	}
	n = max(n, 1)
	wanted := min(examplesShown/n, max(enoughPasses, enoughPasses*handful*handful/(n*n)))
	return min(epochs, int(math.Ceil(share*float64(max(fewestPasses, wanted)))))
}

// batchSize keeps the number of updates up when there are few examples.
func batchSize(n int) int { return min(32, max(4, n/16)) }

// Seed is the seed that random_seed sets; where it is not set, training can be
// repeated all the same.
func Seed(setting *uint64) uint64 {
	if setting == nil {
		return 1
	}
	return *setting
}

// Train learns from messages and the label of each, and from the names of labels
// that have few. There must be two different labels. Going on from an earlier model
// needs the same ones.
func Train(ctx context.Context, messages []*nlu.Message, labels []string, o Settings) (*Model, error) {
	messages, labels = withNames(messages, labels)
	m := &Model{
		Labels:      slices.Compact(slices.Sorted(slices.Values(labels))),
		featurizers: o.Featurizers,
		encoder:     encoder.NewSparseText(),
	}
	start := make([]*mlp.Net, networks)
	if o.Start != nil {
		if !slices.Equal(o.Start.Labels, m.Labels) {
			return nil, fmt.Errorf("fine-tuning needs the labels of the earlier model: it has %d, the data %d, and they are not the same", len(o.Start.Labels), len(m.Labels))
		}
		m.encoder = o.Start.encoder
		start = nil
		for _, net := range o.Start.nets {
			start = append(start, net.Unpack())
		}
	}
	singles := m.encoder.Singles()
	if err := m.encoder.Learn(messages, o.Featurizers); err != nil {
		return nil, err
	}
	m.meaning = learnBlocks(messages, o.Featurizers)
	switch {
	case m.meaning == nil && len(start) == 0: // the earlier model had dense features
		start = make([]*mlp.Net, networks)
	case m.meaning != nil && o.Start == nil && len(messages) < enoughForNetworks:
		start = nil
	}
	if o.Start != nil && len(start) > 0 && start[0] != nil { // new features of single words have come before those of pairs
		start[0].Insert(singles, m.encoder.Singles()-singles)
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
	var dense [][]float32
	cost := float64(marginCost)
	if m.meaning != nil {
		cost = denseCost
		var err error
		if dense, err = m.meaning.train(ctx, messages, label, len(m.Labels), o); err != nil {
			return nil, err
		}
	}
	if err := m.trainNetworks(ctx, x, label, start, o); err != nil {
		return nil, err
	}
	// The machines' problem has one solution, whatever an earlier model says.
	var err error
	m.margins, err = linear.FitMargins(ctx, x, label, len(m.Labels), linear.MarginOptions{
		C: cost, Dense: dense, Passes: min(o.Epochs, marginPasses), Seed: o.Seed, Threads: max(o.Threads, 1),
	})
	return m, err
}

// trainNetworks trains the networks side by side, each with its share of the
// threads. Those of single words take half the time of the first.
func (m *Model) trainNetworks(ctx context.Context, x *sparse.Matrix, label []int, start []*mlp.Net, o Settings) error {
	if len(start) == 0 {
		m.Loss = m.meaning.model.Loss
		return nil
	}
	m.nets = make([]*mlp.Packed, networks)
	threads := max(o.Threads/networks, 1)
	inputs := m.inputs()
	var losses [networks]float64
	var errs [networks]error
	parallel.Ranges(o.Threads, networks, func(from, to int) {
		for i := from; i < to; i++ {
			options := mlp.Options{
				Hidden:        hiddenUnits,
				Inputs:        inputs[i],
				Passes:        passes(len(label), o.Epochs, o.Share),
				Batch:         batchSize(len(label)),
				LearningRate:  learningRate,
				InputDropout:  inputDropout,
				HiddenDropout: hiddenDropout,
				Smoothing:     labelSmoothing,
				Seed:          o.Seed + uint64(i),
				Threads:       threads,
				Start:         start[i],
			}
			if i == 0 {
				options.AfterPass = o.AfterPass
			}
			net, err := mlp.Train(ctx, x, label, len(m.Labels), options)
			if err != nil {
				errs[i] = err
				return
			}
			m.nets[i], losses[i] = net.Pack(), net.Loss(x, label, threads)
		}
	})
	for _, loss := range losses {
		m.Loss += loss / networks
	}
	return errors.Join(errs[:]...)
}

// inputs are how many features each network sees.
func (m *Model) inputs() [networks]int {
	return [networks]int{m.encoder.Len(), m.encoder.Singles(), m.encoder.Singles()}
}

// Scratch is the work space of one message after the other.
type Scratch struct {
	text   encoder.TextScratch
	net    mlp.Scratch
	scores []float32
	p      []float64
	dense  denseScratch
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
	if len(s.p) != len(m.Labels) {
		s.p, s.scores = make([]float64, len(m.Labels)), make([]float32, len(m.Labels))
	}
	var dense []float32
	if m.meaning != nil {
		dense = m.meaning.read(message, m.featurizers, &s.dense)
	}
	m.margins.ScoresBeside(s.text.Index, s.text.Value, dense, s.scores)
	top := slices.Max(s.scores)
	sum := 0.0
	for k, score := range s.scores {
		s.p[k] = math.Exp(sharpness * float64(score-top))
		sum += s.p[k]
	}
	parts := m.parts()
	for k := range s.p {
		s.p[k] = s.p[k] / sum * parts.machines
	}
	for _, net := range m.nets {
		for k, p := range net.Probabilities(s.text.Index, s.text.Value, &s.net) {
			s.p[k] += float64(p) * parts.network
		}
	}
	if m.meaning != nil {
		m.meaning.join(s.p, parts.meaning, &s.dense)
	}
	sharpen(s.p, parts.machines+float64(len(m.nets))*parts.network+parts.meaning, parts.power)
	return s.p
}

// sharpen makes the sum of several learners' probabilities, which add up to whole, one
// distribution. A mean is as unsure as the learners differ, which is more than it
// errs: raised to a power, it is as sure as it is right.
func sharpen(p []float64, whole, power float64) {
	sum := 0.0
	for k := range p {
		p[k] = math.Pow(p[k]/whole, power)
		sum += p[k]
	}
	for k := range p {
		p[k] /= sum
	}
}

// Write adds the model to a file.
func (m *Model) Write(w *weights.Writer) {
	m.encoder.Write(w)
	w.Strings(m.Labels)
	w.Int(len(m.nets))
	for _, net := range m.nets {
		net.Write(w)
	}
	m.margins.Write(w)
	w.Bool(m.meaning != nil)
	if m.meaning != nil {
		m.meaning.write(w)
	}
}

// Read reads what Write has written, for use with the same featurizers. Parts
// that do not fit together make the reader fail.
func Read(r *weights.Reader, featurizers []string) *Model {
	m := &Model{featurizers: featurizers, encoder: encoder.ReadText(r), Labels: r.Strings()}
	if n := r.Int(); n == networks {
		m.nets = make([]*mlp.Packed, networks)
	} else if n != 0 {
		r.Fail("%d networks", n)
	}
	for i, inputs := range m.inputs() {
		if m.nets == nil {
			break
		}
		m.nets[i] = mlp.Read(r)
		if r.Err() == nil && (m.nets[i].Inputs != inputs || m.nets[i].Classes != len(m.Labels)) {
			r.Fail("a network of %d inputs and %d classes for %d features and %d labels", m.nets[i].Inputs, m.nets[i].Classes, inputs, len(m.Labels))
		}
	}
	m.margins = linear.ReadMargins(r)
	if r.Bool() {
		m.meaning = readMeaning(r)
	}
	if r.Err() == nil && m.nets == nil && m.meaning == nil {
		r.Fail("neither networks nor dense features")
	}
	if r.Err() == nil && (m.margins.Features != m.encoder.Len()+m.meaning.width() || m.margins.Classes != len(m.Labels)) {
		r.Fail("machines for %d features and %d classes, an encoder of %d features and %d labels", m.margins.Features, m.margins.Classes, m.encoder.Len()+m.meaning.width(), len(m.Labels))
	}
	return m
}
