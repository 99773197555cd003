// Package sparse holds matrices of which most values are zero.
package sparse

// Matrix is a matrix of float32 in compressed sparse rows: row i has the columns
// Index[Start[i]:Start[i+1]], ascending, with the values at the same places.
// Memory grows with the number of non-zeros.
type Matrix struct {
	Cols  int
	Start []int32 // length rows+1
	Index []int32
	Value []float32
}

// Rows gives the number of rows.
func (m *Matrix) Rows() int { return max(0, len(m.Start)-1) }

// Row returns the columns and values of row i; the slices belong to the matrix.
func (m *Matrix) Row(i int) (index []int32, value []float32) {
	from, to := m.Start[i], m.Start[i+1]
	return m.Index[from:to], m.Value[from:to]
}
