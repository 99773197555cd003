package countvectors

import (
	"slices"
	"sync"

	"github.com/loquat-dev/loquat/internal/ml/sparse"
)

var pool = sync.Pool{New: func() any { return new(scratch) }}

// scratch holds the columns of one text's n-grams, repeated as often as they
// occur: those of each token, in the order of the tokens.
type scratch struct {
	text    text
	grams   grams
	columns []int32
	ends    []int // where each token's columns end
}

func (s *scratch) look(v map[string]int32, gram []byte) {
	if c, ok := v[string(gram)]; ok {
		s.columns = append(s.columns, c)
	}
}

func (s *scratch) count(a *analyzer, v map[string]int32) {
	s.columns, s.ends = s.columns[:0], s.ends[:0]
	look := func(gram []byte) { s.look(v, gram) }
	for i := range s.text.parts {
		from := len(s.columns)
		a.each(s.text.part(i), &s.grams, look)
		slices.Sort(s.columns[from:])
		s.ends = append(s.ends, len(s.columns))
	}
}

func (s *scratch) sequence(width int) *sparse.Matrix {
	distinct, from := 0, 0
	for _, end := range s.ends {
		distinct += countDistinct(s.columns[from:end])
		from = end
	}
	m := newMatrix(width, len(s.ends), distinct)
	from = 0
	for _, end := range s.ends {
		appendRow(m, s.columns[from:end])
		from = end
	}
	return m
}

// sentence counts over the whole text, which spoils the columns of the tokens.
func (s *scratch) sentence(a *analyzer, v map[string]int32) *sparse.Matrix {
	if !a.additive() {
		s.columns = s.columns[:0]
		a.each(s.text.buf, &s.grams, func(gram []byte) { s.look(v, gram) })
	}
	slices.Sort(s.columns)
	m := newMatrix(len(v), 1, countDistinct(s.columns))
	appendRow(m, s.columns)
	return m
}

func newMatrix(width, rows, values int) *sparse.Matrix {
	start := make([]int32, 1, rows+1)
	return &sparse.Matrix{Cols: width, Start: start, Index: make([]int32, 0, values), Value: make([]float32, 0, values)}
}

// appendRow adds a row with the number of times that each of the sorted columns
// occurs.
func appendRow(m *sparse.Matrix, columns []int32) {
	for i := 0; i < len(columns); {
		from := i
		for i < len(columns) && columns[i] == columns[from] {
			i++
		}
		m.Index = append(m.Index, columns[from])
		m.Value = append(m.Value, float32(i-from))
	}
	m.Start = append(m.Start, int32(len(m.Index)))
}

func countDistinct(sorted []int32) int {
	n := 0
	for i, c := range sorted {
		if i == 0 || c != sorted[i-1] {
			n++
		}
	}
	return n
}
