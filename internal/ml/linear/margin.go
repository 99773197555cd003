package linear

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/loquat-dev/loquat/internal/ml/parallel"
	"github.com/loquat-dev/loquat/internal/ml/sparse"
	"github.com/loquat-dev/loquat/internal/ml/vector"
	"github.com/loquat-dev/loquat/internal/ml/weights"
)

// Margins is a linear support vector machine for each class against all others:
// score(k|x) = x·W[:,k] − 1, about 1 for examples of k and −1 for the rest. The
// bias is the same for all classes, so a vector without known features has the
// same score for all.
// Weights are kept in 8 bits with one scale for each class. The last of the
// features may be dense ones.
type Margins struct {
	Classes, Features int
	w                 []byte    // [Features, Classes]
	scale             []float32 // [Classes]
}

// MarginOptions say how to fit.
type MarginOptions struct {
	C float64 // cost of a violated margin
	// Weight multiplies C for the examples of each class; nil means 1 for all.
	Weight []float64
	// Dense holds a dense vector for each row, all of the same width, which are
	// further features; nil for none.
	Dense   [][]float32
	Passes  int    // over the examples at most
	Seed    uint64 // of the order in which examples are taken
	Threads int
}

// FitMargins minimises for each class ½‖w‖² + Σ C·weight·max(0, 1 − y·score)² by dual
// coordinate descent with shrinking (Hsieh et al., ICML 2008, algorithms 1 and
// 3). Classes are independent of each other, so the result is the same on any
// number of threads.
func FitMargins(ctx context.Context, x *sparse.Matrix, label []int, classes int, o MarginOptions) (*Margins, error) {
	features := x.Cols
	if len(o.Dense) > 0 {
		features += len(o.Dense[0])
	}
	m := &Margins{Classes: classes, Features: features, w: make([]byte, features*classes), scale: make([]float32, classes)}
	square := make([]float64, x.Rows()) // ‖xᵢ‖²
	for i := range square {
		_, value := x.Row(i)
		for _, v := range value {
			square[i] += float64(v) * float64(v)
		}
		if o.Dense != nil {
			square[i] += float64(vector.Dot(o.Dense[i], o.Dense[i]))
		}
	}
	parallel.Ranges(o.Threads, classes, func(from, to int) {
		d := &descent{x: x, label: label, square: square, o: o, w: make([]float32, features), alpha: make([]float64, x.Rows()), tolerance: defaultTolerance}
		for k := from; k < to && ctx.Err() == nil; k++ {
			d.fit(ctx, k)
			m.scale[k] = vector.Pack(m.w[k:], classes, d.w)
		}
	})
	return m, ctx.Err()
}

// descent finds the weights of one class after the other.
type descent struct {
	x      *sparse.Matrix
	label  []int
	square []float64
	o      MarginOptions
	w      []float32
	alpha  []float64 // dual variables
	active []int
	// tolerance is how far apart the violations of the optimality conditions may
	// be at the end.
	tolerance float64
}

// bias is what a class scores before it has seen anything: most examples are of
// other classes.
const bias = -1

// defaultTolerance is that of LIBLINEAR.
const defaultTolerance = 0.1

func (d *descent) fit(ctx context.Context, class int) {
	random := rand.New(rand.NewPCG(d.o.Seed, uint64(class)))
	clear(d.w)
	clear(d.alpha)
	d.active = d.active[:0]
	for i := range d.label {
		d.active = append(d.active, i)
	}
	all := len(d.active)
	active, bound := all, math.Inf(1)
	for pass := 0; pass < d.o.Passes && ctx.Err() == nil; pass++ {
		random.Shuffle(active, func(i, j int) { d.active[i], d.active[j] = d.active[j], d.active[i] })
		highest, lowest := math.Inf(-1), math.Inf(1)
		for s := 0; s < active; s++ {
			violation, shrink := d.step(d.active[s], class, bound)
			if shrink { // it will hardly change any more: leave it out for now
				active--
				d.active[s], d.active[active] = d.active[active], d.active[s]
				s--
				continue
			}
			highest, lowest = max(highest, violation), min(lowest, violation)
		}
		if highest-lowest <= d.tolerance {
			if active == all {
				return
			}
			active, bound = all, math.Inf(1) // check those that were left out
			continue
		}
		if bound = highest; bound <= 0 {
			bound = math.Inf(1)
		}
	}
}

// step improves one dual variable and returns by how much it violated its
// optimality condition.
func (d *descent) step(i, class int, bound float64) (violation float64, shrink bool) {
	y := float32(-1)
	if d.label[i] == class {
		y = 1
	}
	index, value := d.x.Row(i)
	score := float32(bias)
	for t, j := range index {
		score += d.w[j] * value[t]
	}
	if d.o.Dense != nil {
		score += vector.Dot(d.w[d.x.Cols:], d.o.Dense[i])
	}
	diagonal := 0.5 / d.o.C
	if d.o.Weight != nil {
		diagonal /= d.o.Weight[d.label[i]]
	}
	gradient := float64(y*score) - 1 + d.alpha[i]*diagonal
	if d.alpha[i] == 0 {
		if gradient > bound {
			return 0, true
		}
		if gradient >= 0 {
			return 0, false
		}
	}
	before := d.alpha[i]
	d.alpha[i] = max(before-gradient/(d.square[i]+diagonal), 0)
	change := float32(d.alpha[i]-before) * y
	for t, j := range index {
		d.w[j] += change * value[t]
	}
	if d.o.Dense != nil {
		vector.AddScaled(d.w[d.x.Cols:], change, d.o.Dense[i])
	}
	return gradient, false
}

// Scores computes the score of each class for one sparse vector into out.
func (m *Margins) Scores(index []int32, value []float32, out []float32) {
	m.ScoresBeside(index, value, nil, out)
}

// ScoresBeside is Scores with the dense vector that was beside the sparse one in
// training.
func (m *Margins) ScoresBeside(index []int32, value, dense, out []float32) {
	out = out[:m.Classes]
	clear(out)
	for t, j := range index {
		vector.AddScaledBytes(out, value[t], m.w[int(j)*m.Classes:(int(j)+1)*m.Classes])
	}
	first := m.Features - len(dense)
	for t, v := range dense {
		vector.AddScaledBytes(out, v, m.w[(first+t)*m.Classes:(first+t+1)*m.Classes])
	}
	for k := range out {
		out[k] = out[k]*m.scale[k] + bias
	}
}

// Write adds the machines to a file.
func (m *Margins) Write(w *weights.Writer) {
	w.Int(m.Features)
	w.Floats(m.scale)
	w.Raw(m.w)
}

// ReadMargins reads what Write has written. Shapes that do not fit together make
// the reader fail.
func ReadMargins(r *weights.Reader) *Margins {
	m := &Margins{Features: r.Int(), scale: slices.Clip(r.Floats()), w: r.Raw()}
	m.Classes = len(m.scale)
	if r.Err() == nil && (m.Features < 0 || m.Features > len(m.w) || m.Features*m.Classes != len(m.w)) {
		r.Fail("%d weights for %d features and %d classes", len(m.w), m.Features, m.Classes)
	}
	return m
}
