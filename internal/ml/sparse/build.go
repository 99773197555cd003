package sparse

import "slices"

// Builder makes a Matrix row by row. The zero value is ready.
type Builder struct {
	m     Matrix
	width int
}

// Row appends a row. Columns must be ascending.
func (b *Builder) Row(index []int32, value []float32) {
	if len(b.m.Start) == 0 {
		b.m.Start = append(b.m.Start, 0)
	}
	b.m.Index = append(b.m.Index, index...)
	b.m.Value = append(b.m.Value, value...)
	b.m.Start = append(b.m.Start, int32(len(b.m.Index)))
	if len(index) > 0 {
		b.width = max(b.width, int(index[len(index)-1])+1)
	}
}

// Matrix returns what was built, with the given number of columns, or as many as
// the rows use if that is more.
func (b *Builder) Matrix(cols int) *Matrix {
	if len(b.m.Start) == 0 {
		b.m.Start = []int32{0}
	}
	m := b.m
	m.Cols = max(cols, b.width)
	m.Index, m.Value = slices.Clip(m.Index), slices.Clip(m.Value)
	return &m
}

// Transpose returns the matrix with rows and columns exchanged.
func (m *Matrix) Transpose() *Matrix {
	t := &Matrix{
		Cols:  m.Rows(),
		Start: make([]int32, m.Cols+1),
		Index: make([]int32, len(m.Index)),
		Value: make([]float32, len(m.Value)),
	}
	for _, j := range m.Index {
		t.Start[j+1]++
	}
	for j := range m.Cols {
		t.Start[j+1] += t.Start[j]
	}
	next := slices.Clone(t.Start)
	for i := range m.Rows() {
		index, value := m.Row(i)
		for k, j := range index {
			t.Index[next[j]], t.Value[next[j]] = int32(i), value[k]
			next[j]++
		}
	}
	return t
}

// Clone returns a copy that shares no memory with m.
func (m *Matrix) Clone() *Matrix {
	return &Matrix{Cols: m.Cols, Start: slices.Clone(m.Start), Index: slices.Clone(m.Index), Value: slices.Clone(m.Value)}
}
