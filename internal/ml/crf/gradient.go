package crf

import (
	"cmp"
	"maps"
	"math/rand/v2"
	"slices"

	"github.com/loquat-dev/loquat/internal/ml/sparse"
)

// edges tells the number of each transition that has a weight of its own.
type edges map[[2]int32]int

func compareEdges(a, b [2]int32) int { return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1])) }

// newModel returns a model with all weights 0: one for each edge of the topology
// and each pair of neighbours in the data, and one for each pair of a feature and
// a part of a tag in the data. It has room for the weights of old, too, unless
// that is nil.
func newModel(data []Sequence, topology Topology, features int, old *Model) (*Model, edges) {
	m, e := &Model{Topology: topology}, edges{}
	for _, edge := range topology.Edges {
		e[edge] = 0
	}
	for _, s := range data {
		for i := 1; i < len(s.Y); i++ {
			e[[2]int32{s.Y[i-1], s.Y[i]}] = 0
		}
	}
	if old != nil {
		for _, edge := range old.Edges {
			e[edge] = 0
		}
	}
	m.Edges = slices.SortedFunc(maps.Keys(e), compareEdges)
	for k, edge := range m.Edges {
		e[edge] = k
	}
	m.edge = make([]float32, len(m.Edges))
	m.emissionPairs(data, features, old)
	m.refresh()
	return m, e
}

// emissionPairs gives a weight to each pair of a feature and a part of a tag in
// the data and in the old model.
func (m *Model) emissionPairs(data []Sequence, features int, old *Model) {
	pairs := map[uint64]struct{}{}
	key := func(feature, part int32) uint64 { return uint64(feature)<<16 | uint64(part) }
	for _, s := range data {
		for i, y := range s.Y {
			index, _ := s.X.Row(i)
			for _, j := range index {
				for _, p := range m.Parts[y] {
					pairs[key(j, p)] = struct{}{}
				}
			}
		}
	}
	if old != nil {
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
	m.start = make([]int32, features+1)
	m.part, m.weight = make([]int16, len(sorted)), make([]float32, len(sorted))
	for i, p := range sorted {
		m.part[i] = int16(p & 0xffff)
		m.start[p>>16+1] = int32(i + 1)
	}
	for j := range features {
		m.start[j+1] = max(m.start[j+1], m.start[j])
	}
	m.findSeen()
}

// sequence is the work space for the gradient of one sequence after the other.
type sequence struct {
	lattice  Lattice
	x        sparse.Matrix // the features that were not left out
	residual []float64     // expected − true count of each part, [tokens, parts]
	worth    []uint64      // of each token, the parts whose residual is worth an update
	edges    []float64     // expected − observed count of each edge
	shared   float64       // the same of all transitions without an edge
	loss     float64
	seed     uint64
	random   rand.PCG
	least    float64 // see Lattice.prepare
}

// newSequences returns n work spaces.
func newSequences(n int, least float64) []sequence {
	s := make([]sequence, n)
	for i := range s {
		s[i].least = least
	}
	return s
}

// run computes loss and residuals for features x and tags y.
func (s *sequence) run(m *Model, e edges, x *sparse.Matrix, y []int32) {
	s.lattice.prepare(m, len(y), s.least)
	m.emissions(x, &s.lattice)
	logZ := s.lattice.run(m)
	s.lattice.residuals(m, y, &s.residual)
	if len(s.edges) != len(m.Edges) {
		s.edges = make([]float64, len(m.Edges))
	}
	clear(s.edges)
	s.shared = 0
	truth := 0.0
	for i, tag := range y {
		truth += s.lattice.score[i*m.Tags()+int(tag)]
		if i == 0 {
			continue
		}
		s.shared += 1 - s.lattice.addEdges(m, i, s.edges)
		k := e[[2]int32{y[i-1], tag}]
		s.edges[k]--
		truth += float64(m.edge[k])
	}
	s.loss = logZ - truth
}

// residuals computes how far the expected count of each part is from the truth.
func (l *Lattice) residuals(m *Model, y []int32, out *[]float64) {
	parts := m.parts
	if n := l.tokens * parts; cap(*out) < n {
		*out = make([]float64, n)
	} else {
		*out = (*out)[:n]
	}
	clear(*out)
	for t, truth := range y {
		row := (*out)[t*parts : (t+1)*parts]
		marginal := l.at(l.marginal, t)
		for _, tag := range l.tagsAt(t) {
			for _, part := range m.Parts[tag] {
				row[part] += marginal[tag]
			}
		}
		for _, part := range m.Parts[truth] {
			row[part]--
		}
	}
}
