package crf

import (
	"context"
	"fmt"
	"math"
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
func Train(ctx context.Context, data []Sequence, topology Topology, features int, o Options) (*Model, error) {
	if n := topology.parts(); n > mostParts {
		return nil, fmt.Errorf("tags have %d parts together, more than %d", n, mostParts)
	}
	t := newTrainer(data, topology, features, o)
	order := make([]int, len(data))
	for i := range order {
		order[i] = i
	}
	batches := (len(order) + o.Batch - 1) / o.Batch
	for pass := range o.Passes {
		t.random.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		loss, tokens := 0.0, 0
		for b := range batches {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			t.rate = o.LearningRate * (1 - float64(pass*batches+b)/float64(o.Passes*batches))
			batch := order[b*o.Batch : min(len(order), (b+1)*o.Batch)]
			loss += t.step(batch)
			for _, i := range batch {
				tokens += len(data[i].Y)
			}
		}
		if o.AfterPass != nil {
			o.AfterPass(pass, loss/float64(max(1, tokens)))
		}
	}
	t.model.prune()
	return t.model, nil
}

// tiny is the emission weight below which a pair is not worth keeping.
const tiny = 1e-3

// prune drops the emission weights that say nothing.
func (m *Model) prune() {
	start := make([]int32, len(m.start))
	var part []int16
	var weight []float32
	for j := range m.Features() {
		for i := m.start[j]; i < m.start[j+1]; i++ {
			if w := m.weight[i]; w > tiny || w < -tiny {
				part, weight = append(part, m.part[i]), append(weight, w)
			}
		}
		start[j+1] = int32(len(part))
	}
	m.start, m.part, m.weight = start, slices.Clip(part), slices.Clip(weight)
}

type trainer struct {
	model  *Model
	data   []Sequence
	o      Options
	random *rand.Rand
	rate   float64
	decay  float64

	edgeOf     map[[2]int32]int
	sumWeight  []float32 // sums of squared gradients
	sumEdge    []float64
	sumShared  float64
	sequences  []sequence
	edgeTotals []float64
}

// sequence is the work space of one place in the batch.
type sequence struct {
	lattice  Lattice
	x        sparse.Matrix // the features that were not left out
	residual []float64     // expected − true count of each part, [tokens, parts]
	edges    []float64     // expected − observed count of each edge
	shared   float64       // the same of all transitions without an edge
	loss     float64
	seed     uint64
}

func newTrainer(data []Sequence, topology Topology, features int, o Options) *trainer {
	t := &trainer{data: data, o: o, random: rand.New(rand.NewPCG(o.Seed, 0x637266))}
	t.model = &Model{Topology: topology}
	t.model.Edges = slices.Clone(topology.Edges)
	t.edgeOf = map[[2]int32]int{}
	for i, e := range t.model.Edges {
		t.edgeOf[e] = i
	}
	for _, s := range data {
		for i := 1; i < len(s.Y); i++ {
			t.addEdge([2]int32{s.Y[i-1], s.Y[i]})
		}
	}
	if o.Start != nil {
		for _, e := range o.Start.Edges {
			t.addEdge(e)
		}
	}
	t.model.edge = make([]float32, len(t.model.Edges))
	t.emissionPairs(features)
	if o.Start != nil {
		t.takeOver(o.Start)
	}
	t.sumWeight = make([]float32, len(t.model.weight))
	t.sumEdge = make([]float64, len(t.model.Edges))
	t.edgeTotals = make([]float64, len(t.model.Edges))
	t.sequences = make([]sequence, o.Batch)
	return t
}

func (t *trainer) addEdge(e [2]int32) {
	if _, ok := t.edgeOf[e]; !ok {
		t.edgeOf[e] = len(t.model.Edges)
		t.model.Edges = append(t.model.Edges, e)
	}
}

// emissionPairs gives a weight to each pair of a feature and a part of a tag in
// the data, and of the model to start from.
func (t *trainer) emissionPairs(features int) {
	pairs := map[uint64]struct{}{}
	key := func(feature, part int32) uint64 { return uint64(feature)<<16 | uint64(part) }
	for _, s := range t.data {
		for i, y := range s.Y {
			index, _ := s.X.Row(i)
			for _, j := range index {
				for _, p := range t.model.Parts[y] {
					pairs[key(j, p)] = struct{}{}
				}
			}
		}
	}
	if old := t.o.Start; old != nil {
		for j := range old.Features() {
			for _, p := range old.part[old.start[j]:old.start[j+1]] {
				pairs[key(int32(j), int32(p))] = struct{}{}
			}
		}
	}
	sorted := make([]uint64, 0, len(pairs))
	for p := range pairs {
		sorted = append(sorted, p)
	}
	slices.Sort(sorted)
	m := t.model
	m.start = make([]int32, features+1)
	m.part, m.weight = make([]int16, len(sorted)), make([]float32, len(sorted))
	for i, p := range sorted {
		m.part[i] = int16(p & 0xffff)
		m.start[p>>16+1] = int32(i + 1)
	}
	for j := range features {
		m.start[j+1] = max(m.start[j+1], m.start[j])
	}
}

// takeOver copies the weights of an earlier model.
func (t *trainer) takeOver(old *Model) {
	m := t.model
	for i, e := range old.Edges {
		m.edge[t.edgeOf[e]] = old.edge[i]
	}
	m.shared = old.shared
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
	parallel.Ranges(t.o.Threads, len(batch), func(from, to int) {
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

	// Each goroutine owns the features of one remainder, so every weight is
	// updated in the order of the batch.
	owners := max(t.o.Threads, 1)
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
	m := t.model
	t.leaveOut(s, example.X)
	s.lattice.of = nil // the weights have changed
	s.lattice.prepare(m, len(example.Y))
	m.emissions(&s.x, s.lattice.score, s.lattice.part)
	logZ := s.lattice.run(m)

	tags := m.Tags()
	s.lattice.residuals(m, example.Y, &s.residual)
	if len(s.edges) != len(m.Edges) {
		s.edges = make([]float64, len(m.Edges))
	}
	clear(s.edges)
	s.shared = 0
	truth := 0.0
	for i, y := range example.Y {
		truth += s.lattice.score[i*tags+int(y)]
		if i == 0 {
			continue
		}
		expected := 0.0
		for k := range m.Edges {
			p := s.lattice.edgeMarginal(m, k, i)
			s.edges[k] += p
			expected += p
		}
		s.shared += 1 - expected
		k := t.edgeOf[[2]int32{example.Y[i-1], y}]
		s.edges[k]--
		truth += float64(m.edge[k])
	}
	s.loss = logZ - truth
}

// residuals computes how far the expected count of each part is from the truth.
func (l *Lattice) residuals(m *Model, y []int32, out *[]float64) {
	parts := m.parts()
	if n := l.tokens * parts; cap(*out) < n {
		*out = make([]float64, n)
	} else {
		*out = (*out)[:n]
	}
	clear(*out)
	for t, truth := range y {
		row := (*out)[t*parts : (t+1)*parts]
		for tag, p := range l.at(l.marginal, t) {
			for _, part := range m.Parts[tag] {
				row[part] += p
			}
		}
		for _, part := range m.Parts[truth] {
			row[part]--
		}
	}
}

// leaveOut copies x without a random share of its features.
func (t *trainer) leaveOut(s *sequence, x *sparse.Matrix) {
	random := rand.New(rand.NewPCG(s.seed, 1))
	scale := float32(1 / (1 - t.o.Dropout))
	s.x.Cols = x.Cols
	s.x.Start = append(s.x.Start[:0], 0)
	s.x.Index, s.x.Value = s.x.Index[:0], s.x.Value[:0]
	for i := range x.Rows() {
		index, value := x.Row(i)
		for k, j := range index {
			if t.o.Dropout == 0 || random.Float64() >= t.o.Dropout {
				s.x.Index, s.x.Value = append(s.x.Index, j), append(s.x.Value, value[k]*scale)
			}
		}
		s.x.Start = append(s.x.Start, int32(len(s.x.Index)))
	}
}

// update applies the gradient of one sequence to the features j with
// j mod owners = owner.
func (t *trainer) update(s *sequence, owner, owners int32) {
	m, parts := t.model, t.model.parts()
	for i := range s.x.Rows() {
		residual := s.residual[i*parts : (i+1)*parts]
		index, value := s.x.Row(i)
		for k, j := range index {
			if j%owners != owner {
				continue
			}
			for w := m.start[j]; w < m.start[j+1]; w++ {
				g := float64(value[k]) * residual[m.part[w]]
				if g > -1e-5 && g < 1e-5 {
					continue
				}
				t.sumWeight[w] += float32(g * g)
				step := t.rate * g / (math.Sqrt(float64(t.sumWeight[w])) + epsilon)
				m.weight[w] -= float32(step + t.decay*float64(m.weight[w]))
			}
		}
	}
}
