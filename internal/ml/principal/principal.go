// Package principal finds the directions in which vectors differ most, so that few
// numbers stand for many.
//
// Source: Pearson 1901, "On lines and planes of closest fit to systems of points in
// space"; orthogonal iteration as in Golub, Van Loan, "Matrix Computations".
package principal

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"

	"github.com/loquat-dev/loquat/internal/ml/parallel"
	"github.com/loquat-dev/loquat/internal/ml/vector"
	"github.com/loquat-dev/loquat/internal/ml/weights"
)

// Model projects vectors onto directions. Its methods are safe for concurrent use.
type Model struct {
	Features, Components int

	center     []float32 // [Features]
	directions []float32 // [Components, Features], of length 1 and at right angles
}

const (
	// Enough is how many vectors are looked at: more would not move directions.
	Enough = 2000
	// rounds is how often directions are turned towards where vectors differ more.
	rounds = 10
)

// Fit finds directions for vectors of the same width, as many as are asked for or as
// there are numbers in a vector. The result is the same on any number of threads.
func Fit(ctx context.Context, vectors [][]float32, components, threads int) (*Model, error) {
	if len(vectors) == 0 || len(vectors[0]) == 0 {
		return nil, errors.New("no vectors to learn from")
	}
	if step := (len(vectors) + Enough - 1) / Enough; step > 1 {
		var some [][]float32
		for i := 0; i < len(vectors); i += step {
			some = append(some, vectors[i])
		}
		vectors = some
	}
	d := len(vectors[0])
	m := &Model{Features: d, Components: min(components, d), center: make([]float32, d)}
	for _, v := range vectors {
		vector.AddScaled(m.center, 1/float32(len(vectors)), v)
	}
	covariance, err := m.covariance(ctx, vectors, threads)
	if err != nil {
		return nil, err
	}
	random := rand.New(rand.NewPCG(0x7072696e, uint64(d)))
	m.directions = make([]float32, m.Components*d)
	for i := range m.directions {
		m.directions[i] = float32(random.NormFloat64())
	}
	m.straighten()
	for range rounds {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		turned := make([]float32, len(m.directions))
		parallel.Ranges(threads, m.Components, func(from, to int) {
			for k := from; k < to; k++ {
				direction := m.direction(k)
				for j, v := range direction {
					vector.AddScaled(turned[k*d:(k+1)*d], v, covariance[j*d:(j+1)*d])
				}
			}
		})
		m.directions = turned
		m.straighten()
	}
	return m, nil
}

// Identity is the model that leaves vectors of so many numbers as they are.
func Identity(features int) *Model {
	m := &Model{Features: features, Components: features, center: make([]float32, features), directions: make([]float32, features*features)}
	for j := range features {
		m.direction(j)[j] = 1
	}
	return m
}

// block is how many vectors stay in the processor's cache while they are needed.
const block = 64

// covariance computes Σ (x − center)·(x − center)ᵀ. Every sum has the order of the
// vectors.
func (m *Model) covariance(ctx context.Context, vectors [][]float32, threads int) ([]float32, error) {
	d := m.Features
	sums, rows := make([]float32, d*d), make([]float32, block*d)
	for from := 0; from < len(vectors); from += block {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		n := min(block, len(vectors)-from)
		for i, v := range vectors[from : from+n] {
			copy(rows[i*d:(i+1)*d], v)
			vector.AddScaled(rows[i*d:(i+1)*d], -1, m.center)
		}
		parallel.Ranges(threads, d, func(a, b int) {
			for j := a; j < b; j++ { // the lower triangle
				for i := range n {
					vector.AddScaled(sums[j*d:j*d+j+1], rows[i*d+j], rows[i*d:i*d+j+1])
				}
			}
		})
	}
	for j := range d {
		for i := range j {
			sums[i*d+j] = sums[j*d+i]
		}
	}
	return sums, nil
}

func (m *Model) direction(k int) []float32 { return m.directions[k*m.Features : (k+1)*m.Features] }

// straighten makes directions 1 long and turns each away from those before. One that
// has nothing of its own, where vectors differ in fewer directions, becomes 0.
func (m *Model) straighten() {
	for k := range m.Components {
		v := m.direction(k)
		before := vector.Dot(v, v)
		for range 2 { // the second time for what rounding left
			for other := range k {
				vector.AddScaled(v, -vector.Dot(v, m.direction(other)), m.direction(other))
			}
		}
		after, scale := vector.Dot(v, v), float32(0)
		if after > 1e-9*before {
			scale = float32(1 / math.Sqrt(float64(after)))
		}
		for j := range v {
			v[j] *= scale
		}
	}
}

// Project writes how far x lies along each direction to the numbers of to, of which
// there are Components. centered is work space for Features numbers.
func (m *Model) Project(x, to, centered []float32) {
	copy(centered, x)
	vector.AddScaled(centered[:m.Features], -1, m.center)
	for k := range to[:m.Components] {
		to[k] = vector.Dot(m.direction(k), centered[:m.Features])
	}
}

// Write adds the model to a file.
func (m *Model) Write(w *weights.Writer) {
	w.Int(m.Components)
	w.Floats(m.center)
	w.Floats(m.directions)
}

// Read reads what Write has written. Shapes that do not fit together make the
// reader fail.
func Read(r *weights.Reader) *Model {
	m := &Model{Components: r.Int(), center: r.Floats(), directions: r.Floats()}
	m.Features = len(m.center)
	if r.Err() == nil && (m.Components < 1 || m.Components > len(m.directions) || m.Components*m.Features != len(m.directions)) {
		r.Fail("%d numbers for %d directions of %d", len(m.directions), m.Components, m.Features)
	}
	return m
}
