package countvectors

import (
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
	spare   []int32
}

func (s *scratch) look(t *table, gram []byte) {
	if c, ok := t.find(gram); ok {
		s.columns = append(s.columns, c)
	}
}

func (s *scratch) count(a *analyzer, t *table) {
	s.columns, s.ends = s.columns[:0], s.ends[:0]
	look := func(gram []byte) { s.look(t, gram) }
	for i := range s.text.parts {
		from := len(s.columns)
		done := false
		if a.kind == "char_wb" && !s.text.spaced {
			s.columns, done = t.padded(s.columns, s.text.part(i), a.min, a.max)
		}
		if !done {
			a.each(s.text.part(i), &s.grams, look)
		}
		sortColumns(s.columns[from:], &s.spare, t.width())
		s.ends = append(s.ends, len(s.columns))
	}
}

// sequence has a row for each token.
func (s *scratch) sequence(width int) *sparse.Matrix {
	distinct, from := 0, 0
	for _, end := range s.ends {
		distinct += countDistinct(s.columns[from:end])
		from = end
	}
	m := newMatrix(width, len(s.ends), distinct, len(s.columns))
	from = 0
	for _, end := range s.ends {
		appendRow(m, s.columns[from:end])
		from = end
	}
	return m
}

// sentence counts over the whole text, which spoils the columns of the tokens.
func (s *scratch) sentence(a *analyzer, t *table) *sparse.Matrix {
	if !a.additive() {
		s.columns = s.columns[:0]
		a.each(s.text.buf, &s.grams, func(gram []byte) { s.look(t, gram) })
	}
	sortColumns(s.columns, &s.spare, t.width())
	m := newMatrix(t.width(), 1, countDistinct(s.columns), len(s.columns))
	appendRow(m, s.columns)
	return m
}

// newMatrix makes room for rows of as many distinct columns in all, which occur
// so many times.
func newMatrix(width, rows, distinct, times int) *sparse.Matrix {
	places := make([]int32, rows+1+distinct) // for Start and Index
	m := &sparse.Matrix{Cols: width, Start: places[: 1 : rows+1], Index: places[rows+1:][:0]}
	if distinct == times {
		m.Value = sparse.Ones(distinct)
	} else {
		m.Value = make([]float32, distinct)
	}
	return m
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
		if n := i - from; n > 1 { // shared ones stay as they are
			m.Value[len(m.Index)-1] = float32(n)
		} else if v := &m.Value[len(m.Index)-1]; *v == 0 {
			*v = 1
		}
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
