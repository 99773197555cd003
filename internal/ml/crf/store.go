package crf

import "github.com/loquat-dev/loquat/internal/ml/weights"

// tiny is the emission weight below which a pair is not worth keeping.
const tiny = 1e-3

// Write adds the model to a file, without weights that say nothing.
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

	count := make([]int32, 0, m.Features())
	var tags []int32
	var kept []float32
	for j := range m.Features() {
		before := len(tags)
		for i := m.start[j]; i < m.start[j+1]; i++ {
			if v := m.weight[i]; v > tiny || v < -tiny {
				tags, kept = append(tags, int32(m.tag[i])), append(kept, v)
			}
		}
		count = append(count, int32(len(tags)-before))
	}
	w.Ints(count)
	w.Ints(tags)
	w.Floats(kept)
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
	count, tag := r.Ints(), r.Ints()
	m.weight = r.Floats()
	valid := func(y int32) bool { return y >= 0 && int(y) < tags }
	if r.Err() != nil || len(edges) != 2*len(m.edge) || len(tag) != len(m.weight) || len(count) > features {
		r.Fail("a field's parts do not fit together")
		return nil
	}
	for i := 0; i < len(edges); i += 2 {
		if !valid(edges[i]) || !valid(edges[i+1]) {
			r.Fail("a transition of tags %d and %d", edges[i], edges[i+1])
			return nil
		}
		m.Edges = append(m.Edges, [2]int32{edges[i], edges[i+1]})
	}
	m.start = make([]int32, len(count)+1)
	for j, n := range count {
		if n < 0 || int(n) > len(tag)-int(m.start[j]) {
			r.Fail("weights of more pairs than there are")
			return nil
		}
		m.start[j+1] = m.start[j] + n
	}
	m.tag = make([]int16, len(tag))
	for i, y := range tag {
		if !valid(y) {
			r.Fail("a weight of tag %d", y)
			return nil
		}
		m.tag[i] = int16(y)
	}
	return m
}
