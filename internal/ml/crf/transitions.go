package crf

import "math"

// transitions are what the forward and backward passes need of the weights.
type transitions struct {
	expEdge   []float64 // exp of each edge's weight
	expShared float64
	// correction is what an edge adds to the shared transition, if it has that
	// too.
	correction []float64
	from       []int32 // edges of tag x are those from from[x] to from[x+1]
	parts      int     // number of parts
}

// refresh computes transitions after the weights have changed. Edges are sorted.
func (m *Model) refresh() {
	if len(m.expEdge) != len(m.edge) || len(m.from) != m.Tags()+1 {
		m.expEdge, m.correction = make([]float64, len(m.edge)), make([]float64, len(m.edge))
		m.from = make([]int32, m.Tags()+1)
		for _, e := range m.Edges {
			m.from[e[0]+1]++
		}
		for x := range m.Tags() {
			m.from[x+1] += m.from[x]
		}
		m.parts = m.countParts()
	}
	m.expShared = math.Exp(float64(m.shared))
	for k, w := range m.edge {
		m.expEdge[k] = math.Exp(float64(w))
		m.correction[k] = m.expEdge[k]
		if e := m.Edges[k]; m.Closes[e[0]] && m.Opens[e[1]] {
			m.correction[k] -= m.expShared
		}
	}
}

// edgesOf lists the edges of tag x and their corrections.
func (m *Model) edgesOf(x int32) (edges [][2]int32, correction []float64) {
	from, to := m.from[x], m.from[x+1]
	return m.Edges[from:to], m.correction[from:to:to]
}

// follow computes a[y] = Σₓ before[x]·transition(x, y) of the tags to. before is 0
// except for the tags from, and e for the tags to.
func (m *Model) follow(before []float64, from []int32, a, e []float64, to []int32) {
	all := 0.0
	for _, x := range from {
		if m.Closes[x] {
			all += before[x]
		}
	}
	all *= m.expShared
	for _, y := range to {
		if m.Opens[y] {
			a[y] = all
		}
	}
	for _, x := range from {
		p := before[x]
		edges, correction := m.edgesOf(x)
		for k, edge := range edges {
			if y := edge[1]; e[y] != 0 {
				a[y] += p * correction[k]
			}
		}
	}
}

// precede computes b[x] = Σ_y transition(x, y)·ahead[y] / scale of the tags from.
// ahead is 0 except for the tags to.
func (m *Model) precede(ahead []float64, to []int32, scale float64, b []float64, from []int32) {
	all := 0.0
	for _, y := range to {
		if m.Opens[y] {
			all += ahead[y]
		}
	}
	all *= m.expShared
	for _, x := range from {
		sum := 0.0
		if m.Closes[x] {
			sum = all
		}
		edges, correction := m.edgesOf(x)
		for k, edge := range edges {
			if next := ahead[edge[1]]; next != 0 {
				sum += next * correction[k]
			}
		}
		b[x] = max(sum, 0) / scale
	}
}
