package evaluate

import "slices"

// Matrix is a confusion matrix.
type Matrix struct {
	Labels []string // of targets and predictions, in alphabetical order
	Counts [][]int  // [target][predicted]
}

// NewMatrix counts pairs.
func NewMatrix(pairs []Pair) *Matrix {
	index := map[string]int{}
	for _, p := range pairs {
		index[p.Target], index[p.Predicted] = 0, 0
	}
	m := &Matrix{Labels: make([]string, 0, len(index))}
	for label := range index {
		m.Labels = append(m.Labels, label)
	}
	slices.Sort(m.Labels)
	m.Counts = make([][]int, len(m.Labels))
	for i, label := range m.Labels {
		index[label] = i
		m.Counts[i] = make([]int, len(m.Labels))
	}
	for _, p := range pairs {
		m.Counts[index[p.Target]][index[p.Predicted]]++
	}
	return m
}
