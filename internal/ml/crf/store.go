package crf

import "github.com/loquat-dev/loquat/internal/ml/weights"

// mostParts is more parts than any model has tags.
const mostParts = 1<<15 - 1

// Write adds the model to a file.
func (m *Model) Write(w *weights.Writer) {
	w.Int(m.Tags())
	for y := range m.Opens {
		w.Bool(m.Opens[y])
		w.Bool(m.Closes[y])
	}
	edges := make([]int32, 0, 2*len(m.Edges))
	for _, e := range m.Edges {
		edges = append(edges, e[0], e[1])
	}
	w.Ints(edges)
	w.Floats(m.edge)
	w.Float(float64(m.shared))
	for _, parts := range m.Parts {
		w.Ints(parts)
	}

	count := make([]int32, m.Features())
	for j := range count {
		count[j] = m.start[j+1] - m.start[j]
	}
	part := make([]int32, len(m.part))
	for i, p := range m.part {
		part[i] = int32(p)
	}
	w.Ints(count)
	w.Ints(part)
	w.Floats(m.weight)
}

// Read reads what Write has written; the model must have no more than the given
// number of features. Parts that do not fit together make the reader fail, and
// then the model is nil.
func Read(r *weights.Reader, features int) *Model {
	m := &Model{}
	tags := r.Int()
	if tags < 1 || tags > 1<<15-1 {
		r.Fail("a field of %d tags", tags)
		return nil
	}
	for range tags {
		m.Opens, m.Closes = append(m.Opens, r.Bool()), append(m.Closes, r.Bool())
	}
	edges := r.Ints()
	m.edge = r.Floats()
	m.shared = float32(r.Float())
	for range tags {
		m.Parts = append(m.Parts, r.Ints())
	}
	count, part := r.Ints(), r.Ints()
	m.weight = r.Floats()
	valid := func(y int32) bool { return y >= 0 && int(y) < tags }
	for _, parts := range m.Parts {
		for _, p := range parts {
			if p < 0 || p >= mostParts {
				r.Fail("a tag with part %d", p)
				return nil
			}
		}
	}
	if r.Err() != nil || len(edges) != 2*len(m.edge) || len(part) != len(m.weight) || len(count) > features {
		r.Fail("a field's parts do not fit together")
		return nil
	}
	for i := 0; i < len(edges); i += 2 {
		edge := [2]int32{edges[i], edges[i+1]}
		if !valid(edge[0]) || !valid(edge[1]) || i > 0 && compareEdges(m.Edges[i/2-1], edge) >= 0 {
			r.Fail("a transition of tags %d and %d, or in the wrong place", edge[0], edge[1])
			return nil
		}
		m.Edges = append(m.Edges, edge)
	}
	m.refresh()
	m.start = make([]int32, len(count)+1)
	for j, n := range count {
		if n < 0 || int(n) > len(part)-int(m.start[j]) {
			r.Fail("weights of more pairs than there are")
			return nil
		}
		m.start[j+1] = m.start[j] + n
	}
	m.part = make([]int16, len(part))
	parts := int32(m.parts)
	for i, p := range part {
		if p < 0 || p >= parts {
			r.Fail("a weight of part %d", p)
			return nil
		}
		m.part[i] = int16(p)
	}
	m.findSeen()
	return m
}
