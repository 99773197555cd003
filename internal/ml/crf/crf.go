// Package crf is a linear-chain conditional random field (Lafferty, McCallum and
// Pereira 2001) that stays fast with hundreds of tags:
//
//	p(y|x) ∝ exp( Σₜ emission(xₜ, yₜ) + Σₜ transition(yₜ₋₁, yₜ) )
//
// Emissions have weights only for pairs of feature and tag that occur in
// training, so memory and work grow with the data and not with features·tags.
//
// Transitions have the structure of BILOU tags. A tag may open (begin a span or
// be outside) and may close (end a span or be outside). Every closing tag may be
// followed by every opening one, all with one shared weight, unless the pair has
// a weight of its own: an edge. All other transitions are impossible unless they
// are edges. So the sums of the forward and backward passes take one addition
// for each edge instead of one for each pair of tags.
package crf

import "github.com/loquat-dev/loquat/internal/ml/sparse"

// Topology says which tags may follow each other.
type Topology struct {
	Opens, Closes []bool // for each tag
	// Edges are the transitions with a weight of their own: [from, to].
	Edges [][2]int32
}

// Tags gives the number of tags.
func (t *Topology) Tags() int { return len(t.Opens) }

// Model is a trained field. Its methods are safe for concurrent use.
type Model struct {
	Topology
	edge   []float32 // log weight of each edge
	shared float32   // log weight of every other transition

	// Emissions in compressed rows, one for each feature.
	start  []int32
	tag    []int16
	weight []float32
}

// Features gives the number of features that the model knows.
func (m *Model) Features() int { return len(m.start) - 1 }

// emissions adds Σⱼ xⱼ·weight(j, y) to each row of e, which has shape
// [tokens, tags]. Features that the model doesn't know are ignored.
func (m *Model) emissions(x *sparse.Matrix, e []float64) {
	tags := m.Tags()
	for t := range x.Rows() {
		row := e[t*tags : (t+1)*tags]
		index, value := x.Row(t)
		for i, j := range index {
			if int(j) < m.Features() {
				m.emit(j, float64(value[i]), row)
			}
		}
	}
}

func (m *Model) emit(feature int32, value float64, row []float64) {
	from, to := m.start[feature], m.start[feature+1]
	weight := m.weight[from:to]
	for i, y := range m.tag[from:to] {
		row[y] += value * float64(weight[i])
	}
}

// Marginals computes p(yₜ = y | x) for every token and tag. x has one row for
// each token. The result has shape [tokens, tags] and belongs to l, which may be
// reused for the next call.
func (m *Model) Marginals(x *sparse.Matrix, l *Lattice) []float64 {
	l.prepare(m, x.Rows())
	m.emissions(x, l.score)
	l.run(m)
	return l.marginal
}
