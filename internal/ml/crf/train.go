package crf

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"math/bits"
	"math/rand/v2"
	"slices"

	"github.com/loquat-dev/loquat/internal/ml/parallel"
	"github.com/loquat-dev/loquat/internal/ml/sparse"
)

// Sequence is one training example: a row of features and a tag for each token.
type Sequence struct {
	X *sparse.Matrix
	Y []int32
}

// Options say how to train.
type Options struct {
	Passes       int     // how often every sequence is seen
	Batch        int     // sequences between two updates
	LearningRate float64 // of AdaGrad; falls to 0 in a straight line
	// Dropout is the share of features that are left out at random.
	Dropout float64
	L2      float64 // λ of ½λ‖w‖², as a share of the mean loss
	// Models is how many are learned and averaged; 0 is 1.
	Models  int
	Seed    uint64
	Threads int
	// Start is the model to go on from, or nil. It must have the same tags; its
	// features come first.
	Start     *Model
	AfterPass func(pass int, loss float64) // told the mean loss of a token; may be nil
}

// Train learns a model of the given number of features. Tags with an edge are
// those of topology and every pair of neighbours in the data. The result does not
// depend on the number of threads.
//
// Several models are learned side by side, each with an order of the data and
// left-out features of its own, and their weights averaged (McDonald, Hall and
// Mann 2010, "Distributed Training Strategies for the Structured Perceptron"):
// what only one of them believes counts less.
func Train(ctx context.Context, data []Sequence, topology Topology, features int, o Options) (*Model, error) {
	if n := topology.countParts(); n > mostParts {
		return nil, fmt.Errorf("tags have %d parts together, more than %d", n, mostParts)
	}
	model, edges := newModel(data, topology, features, o.Start)
	if o.Start != nil {
		model.takeOver(o.Start, edges)
	}
	known := model.partSets()
	trainers := make([]*trainer, max(o.Models, 1))
	errs := make([]error, len(trainers))
	inner := max(1, o.Threads/len(trainers))
	for i := range trainers {
		trainers[i] = newTrainer(data, model.copyWeights(), known, edges, o, uint64(i), inner)
	}
	parallel.Ranges(o.Threads, len(trainers), func(from, to int) {
		for i := from; i < to; i++ {
			errs[i] = trainers[i].run(ctx)
		}
	})
	if err := cmp.Or(errs...); err != nil {
		return nil, err
	}
	for i, t := range trainers {
		model.mix(t.model, 1/float32(i+1))
	}
	model.prune(true)
	model.refresh()
	return model, nil
}

// copyWeights returns a copy whose weights can be changed.
func (m *Model) copyWeights() *Model {
	c := *m
	c.weight, c.edge = slices.Clone(m.weight), slices.Clone(m.edge)
	c.transitions = transitions{}
	c.refresh()
	return &c
}

// mix moves the weights towards those of other by a share of the way.
func (m *Model) mix(other *Model, share float32) {
	for i, w := range other.weight {
		m.weight[i] += (w - m.weight[i]) * share
	}
	for i, w := range other.edge {
		m.edge[i] += (w - m.edge[i]) * share
	}
	m.shared += (other.shared - m.shared) * share
}

// tiny is the emission weight below which a pair is not worth keeping.
const tiny = 1e-3

// prune drops the emission weights that say nothing; whole, it keeps features with a
// weight for all parts, which are quick to read as they are.
func (m *Model) prune(whole bool) {
	start := make([]int32, len(m.start))
	var part []int16
	var weight []float32
	for j := range m.Features() {
		keep := whole && int(m.start[j+1]-m.start[j]) == len(m.seen)
		for i := m.start[j]; i < m.start[j+1]; i++ {
			if w := m.weight[i]; keep || w > tiny || w < -tiny {
				part, weight = append(part, m.part[i]), append(weight, w)
			}
		}
		start[j+1] = int32(len(part))
	}
	m.start, m.part, m.weight = start, slices.Clip(part), slices.Clip(weight)
	m.findSeen()
}

type trainer struct {
	model   *Model
	known   *partSets
	data    []Sequence
	o       Options
	threads int
	first   bool // of several
	random  *rand.Rand
	rate    float64
	decay   float64

	edges      edges
	sumWeight  []float32 // sums of squared gradients
	sumEdge    []float64
	sumShared  float64
	sequences  []sequence
	edgeTotals []float64
}

func newTrainer(data []Sequence, m *Model, known *partSets, e edges, o Options, number uint64, threads int) *trainer {
	return &trainer{
		data: data, model: m, known: known, edges: e, o: o, threads: threads, first: number == 0,
		random:     rand.New(rand.NewPCG(o.Seed+number, 0x637266)),
		sumWeight:  make([]float32, len(m.weight)),
		sumEdge:    make([]float64, len(m.Edges)),
		edgeTotals: make([]float64, len(m.Edges)),
		sequences:  newSequences(o.Batch, negligibleInTraining),
	}
}

func (t *trainer) run(ctx context.Context) error {
	o, order := &t.o, make([]int, len(t.data))
	for i := range order {
		order[i] = i
	}
	batches := (len(order) + o.Batch - 1) / o.Batch
	for pass := range o.Passes {
		t.random.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		loss, tokens := 0.0, 0
		for b := range batches {
			if err := ctx.Err(); err != nil {
				return err
			}
			t.rate = o.LearningRate * (1 - float64(pass*batches+b)/float64(o.Passes*batches))
			batch := order[b*o.Batch : min(len(order), (b+1)*o.Batch)]
			loss += t.step(batch)
			for _, i := range batch {
				tokens += len(t.data[i].Y)
			}
		}
		if o.AfterPass != nil && t.first {
			o.AfterPass(pass, loss/float64(max(1, tokens)))
		}
	}
	return nil
}

// takeOver copies the weights of an earlier model.
func (m *Model) takeOver(old *Model, number edges) {
	for i, e := range old.Edges {
		m.edge[number[e]] = old.edge[i]
	}
	m.shared = old.shared
	m.refresh()
	for j := range min(old.Features(), m.Features()) {
		to := m.start[j]
		for i := old.start[j]; i < old.start[j+1]; i++ {
			for m.part[to] != old.part[i] { // both are sorted, and m has all of old's
				to++
			}
			m.weight[to] = old.weight[i]
		}
	}
}

// step updates the model once and returns the sum of the sequences' losses.
func (t *trainer) step(batch []int) float64 {
	t.decay = t.rate * t.o.L2
	for b := range batch {
		t.sequences[b].seed = t.random.Uint64()
	}
	parallel.Ranges(t.threads, len(batch), func(from, to int) {
		for b := from; b < to; b++ {
			t.gradient(&t.sequences[b], t.data[batch[b]])
		}
	})
	loss, shared := 0.0, 0.0
	clear(t.edgeTotals)
	for b := range batch {
		s := &t.sequences[b]
		loss += s.loss
		shared += s.shared
		for i, g := range s.edges {
			t.edgeTotals[i] += g
		}
	}
	for i, g := range t.edgeTotals {
		if g != 0 {
			t.sumEdge[i] += g * g
			t.model.edge[i] -= float32(t.rate * g / (math.Sqrt(t.sumEdge[i]) + epsilon))
		}
	}
	t.sumShared += shared * shared
	t.model.shared -= float32(t.rate * shared / (math.Sqrt(t.sumShared) + epsilon))
	t.model.refresh()

	// Each goroutine owns the features of one remainder, so every weight is
	// updated in the order of the batch.
	owners := t.threads
	parallel.Ranges(owners, owners, func(from, to int) {
		for owner := from; owner < to; owner++ {
			for b := range batch {
				t.update(&t.sequences[b], int32(owner), int32(owners))
			}
		}
	})
	return loss
}

const epsilon = 1e-6

// gradient runs one sequence, some features left out, and computes its loss and
// residuals.
func (t *trainer) gradient(s *sequence, example Sequence) {
	t.leaveOut(s, example.X)
	s.run(t.model, t.edges, &s.x, example.Y)
	s.worth = t.model.worth(s.residual, s.worth[:0])
}

// leaveOut copies x without a random share of its features.
func (t *trainer) leaveOut(s *sequence, x *sparse.Matrix) {
	s.random.Seed(s.seed, 1)
	scale := float32(1 / (1 - t.o.Dropout))
	below := uint64(t.o.Dropout * (1 << drawBits)) // those that draw less are left out
	s.x.Cols = x.Cols
	s.x.Start = append(s.x.Start[:0], 0)
	s.x.Index, s.x.Value = slices.Grow(s.x.Index[:0], len(x.Index))[:len(x.Index)], slices.Grow(s.x.Value[:0], len(x.Value))[:len(x.Value)]
	draws, left, n := uint64(0), 0, 0
	for i := range x.Rows() {
		index, value := x.Row(i)
		for k, j := range index {
			if left == 0 {
				draws, left = s.random.Uint64(), 64/drawBits
			}
			// Half of the features stay, and nobody can predict which: rather than
			// branching, write each one over the last that was left out.
			s.x.Index[n], s.x.Value[n] = j, value[k]*scale
			n += int(1 - (draws&(1<<drawBits-1)-below)>>63)
			draws, left = draws>>drawBits, left-1
		}
		s.x.Start = append(s.x.Start, int32(n))
	}
	s.x.Index, s.x.Value = s.x.Index[:n], s.x.Value[:n]
}

// drawBits is how many random bits decide about one feature.
const drawBits = 16

// update applies the gradient of one sequence to the features j with
// j mod owners = owner.
func (t *trainer) update(s *sequence, owner, owners int32) {
	m, parts, words := t.model, t.model.parts, t.known.words
	for i := range s.x.Rows() {
		residual, worth := s.residual[i*parts:(i+1)*parts], s.worth[i*words:(i+1)*words]
		index, value := s.x.Row(i)
		for k, j := range index {
			if j%owners != owner {
				continue
			}
			first := int(m.start[j])
			for n, known := range t.known.of(j) {
				for both := known & worth[n]; both != 0; both &= both - 1 {
					bit := bits.TrailingZeros64(both)
					w := first + bits.OnesCount64(known&(1<<bit-1))
					g := float64(value[k]) * residual[n<<6|bit]
					t.sumWeight[w] += float32(g * g)
					step := t.rate * g / (math.Sqrt(float64(t.sumWeight[w])) + epsilon)
					m.weight[w] -= float32(step + t.decay*float64(m.weight[w]))
				}
				first += bits.OnesCount64(known)
			}
		}
	}
}
