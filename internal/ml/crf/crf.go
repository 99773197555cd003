// Package crf is a linear-chain conditional random field (Lafferty, McCallum and
// Pereira 2001) that stays fast with hundreds of tags:
//
//	p(y|x) ∝ exp( Σₜ emission(xₜ, yₜ) + Σₜ transition(yₜ₋₁, yₜ) )
//
// Emissions have weights only for pairs of feature and tag that occur in
// training, so memory and work grow with the data and not with features·tags.
//
// Tags may have parts, such as the label and the place in the span of a BILOU tag.
// The emission of a tag is the sum of its parts', so what is learned from
// "B-city" helps with "U-city" and, less, with "B-street".
//
// Transitions have the structure of BILOU tags. A tag may open (begin a span or
// be outside) and may close (end a span or be outside). Every closing tag may be
// followed by every opening one, all with one shared weight, unless the pair has
// a weight of its own: an edge. All other transitions are impossible unless they
// are edges. So the sums of the forward and backward passes take one addition
// for each edge instead of one for each pair of tags.
package crf

import (
	"github.com/loquat-dev/loquat/internal/ml/sparse"
	"github.com/loquat-dev/loquat/internal/ml/vector"
)

// Topology says which tags may follow each other.
type Topology struct {
	Opens, Closes []bool // for each tag
	// Edges are the transitions with a weight of their own: [from, to].
	Edges [][2]int32
	// Parts are the numbers of the parts that each tag is made of.
	Parts [][]int32
}

// countParts gives the number of parts.
func (t *Topology) countParts() int {
	n := int32(0)
	for _, parts := range t.Parts {
		for _, p := range parts {
			n = max(n, p+1)
		}
	}
	return int(n)
}

// Tags gives the number of tags.
func (t *Topology) Tags() int { return len(t.Opens) }

// Model is a trained field. Its methods are safe for concurrent use.
type Model struct {
	Topology
	edge        []float32 // log weight of each edge; they are sorted
	shared      float32   // log weight of every other transition
	transitions           // made of them

	// Emissions in compressed rows, one for each feature.
	start  []int32
	part   []int16
	weight []float32
	seen   []int16 // the parts that any feature has a weight for
}

// Features gives the number of features that the model knows.
func (m *Model) Features() int { return len(m.start) - 1 }

// emissions computes Σⱼ xⱼ·weight(j, y) for each token and tag into l.score. Features
// that the model doesn't know are ignored.
func (m *Model) emissions(x *sparse.Matrix, l *Lattice) {
	for t := range x.Rows() {
		clear(l.part)
		clear(l.seen)
		index, value := x.Row(t)
		for i, j := range index {
			if int(j) < m.Features() {
				m.emit(j, value[i], l)
			}
		}
		for i, p := range m.seen {
			l.part[p] += float64(l.seen[i])
		}
		score := l.at(l.score, t)
		for y, parts := range m.Parts {
			sum := 0.0
			for _, p := range parts {
				sum += l.part[p]
			}
			score[y] = sum
		}
	}
}

// emit adds what one feature says. One that is there whatever the tag, such as a dense
// one, has a weight for all parts that are seen, and these lie side by side.
func (m *Model) emit(feature int32, value float32, l *Lattice) {
	from, to := m.start[feature], m.start[feature+1]
	weight := m.weight[from:to]
	if len(weight) == len(m.seen) {
		vector.AddScaled(l.seen, value, weight)
		return
	}
	sums, v := l.part, float64(value)
	part := m.part[from:to]
	for i, w := range weight[:len(part)] {
		sums[part[i]] += v * float64(w)
	}
}

// findSeen lists the parts that any feature has a weight for.
func (m *Model) findSeen() {
	is := make([]bool, m.countParts())
	for _, p := range m.part {
		is[p] = true
	}
	m.seen = nil
	for p, is := range is {
		if is {
			m.seen = append(m.seen, int16(p))
		}
	}
}

// Marginals computes p(yₜ = y | x) for every token and tag. x has one row for
// each token. The result has shape [tokens, tags] and belongs to l, which may be
// reused for the next call.
func (m *Model) Marginals(x *sparse.Matrix, l *Lattice) []float64 {
	l.prepare(m, x.Rows(), negligible)
	m.emissions(x, l)
	l.run(m)
	return l.marginal
}
