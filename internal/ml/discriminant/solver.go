package discriminant

import (
	"context"
	"math"

	"github.com/loquat-dev/loquat/internal/ml/parallel"
	"github.com/loquat-dev/loquat/internal/ml/vector"
)

// solver solves (RᵀR + ridge·I)·y = v for a matrix R [n, d], by Cholesky's
// factors of it or, with fewer rows than columns, of RRᵀ + ridge·I:
//
//	y = (v − Rᵀ(RRᵀ + ridge·I)⁻¹R·v) / ridge
type solver struct {
	n, d   int
	rest   []float32 // R
	ridge  float32
	dual   bool
	size   int
	factor []float32 // [size, size], its lower triangle
	upper  []float32 // [size, size], the same, rows and columns exchanged
}

// work is the work space of one solution.
type work struct{ a []float32 }

func (s *solver) work() *work {
	return &work{make([]float32, s.size)}
}

func (f *fit) newSolver(ctx context.Context) *solver {
	s := &solver{n: f.n, d: f.d, rest: f.rest, ridge: f.ridge, dual: f.n < f.d, size: min(f.n, f.d)}
	s.factor = make([]float32, s.size*s.size)
	s.products(ctx, f.o.Threads)
	for i := range s.size {
		s.factor[i*s.size+i] += s.ridge
	}
	s.factorize(ctx, f.o.Threads)
	return s
}

// block is how many rows stay in the processor's cache while they are needed.
const block = 64

// products computes the lower triangle of RᵀR or RRᵀ. Every sum has the order of
// the rows.
func (s *solver) products(ctx context.Context, threads int) {
	row := func(i int) []float32 { return s.rest[i*s.d : (i+1)*s.d] }
	for from := 0; from < s.n && ctx.Err() == nil; from += block {
		rows := min(block, s.n-from)
		if s.dual {
			parallel.Ranges(threads, s.n-from, func(a, b int) {
				for i := from + a; i < from+b; i++ {
					for j := from; j < min(from+rows, i+1); j++ {
						s.factor[i*s.size+j] = vector.Dot(row(i), row(j))
					}
				}
			})
			continue
		}
		parallel.Ranges(threads, s.d, func(a, b int) {
			for j := a; j < b; j++ {
				to := s.factor[j*s.size : j*s.size+j+1]
				for i := from; i < from+rows; i++ {
					vector.AddScaled(to, s.rest[i*s.d+j], row(i)[:j+1])
				}
			}
		})
	}
}

// factorize replaces the lower triangle by Cholesky's factor, column by column.
func (s *solver) factorize(ctx context.Context, threads int) {
	row := func(i int) []float32 { return s.factor[i*s.size : (i+1)*s.size] }
	for j := range s.size {
		if ctx.Err() != nil {
			return
		}
		diagonal := row(j)[j] - vector.Dot(row(j)[:j], row(j)[:j])
		// The ridge bounds it from below but for rounding.
		diagonal = float32(math.Sqrt(float64(max(diagonal, s.ridge/2))))
		row(j)[j] = diagonal
		column := func(a, b int) {
			for i := j + 1 + a; i < j+1+b; i++ {
				row(i)[j] = (row(i)[j] - vector.Dot(row(i)[:j], row(j)[:j])) / diagonal
			}
		}
		if rest := s.size - j - 1; rest*j > 1<<16 {
			parallel.Ranges(threads, rest, column)
		} else {
			column(0, rest)
		}
	}
	s.upper = make([]float32, len(s.factor))
	for i := range s.size {
		for j := range i + 1 {
			s.upper[j*s.size+i] = s.factor[i*s.size+j]
		}
	}
}

// solve computes y for v.
func (s *solver) solve(v, y []float32, w *work) {
	if !s.dual {
		copy(w.a, v)
		s.substitute(w.a)
		copy(y, w.a)
		return
	}
	for i := range s.n {
		w.a[i] = vector.Dot(s.rest[i*s.d:(i+1)*s.d], v)
	}
	s.substitute(w.a)
	copy(y, v)
	for i := range s.n {
		vector.AddScaled(y, -w.a[i], s.rest[i*s.d:(i+1)*s.d])
	}
	for j := range y {
		y[j] /= s.ridge
	}
}

// substitute solves with both factors in place.
func (s *solver) substitute(v []float32) {
	for i := range v {
		v[i] = (v[i] - vector.Dot(s.factor[i*s.size:i*s.size+i], v[:i])) / s.factor[i*s.size+i]
	}
	for i := len(v) - 1; i >= 0; i-- {
		row := s.upper[i*s.size : (i+1)*s.size]
		v[i] = (v[i] - vector.Dot(row[i+1:], v[i+1:])) / row[i]
	}
}
