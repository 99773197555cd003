package discriminant

import (
	"context"
	"errors"
	"math"

	"github.com/loquat-dev/loquat/internal/ml/parallel"
	"github.com/loquat-dev/loquat/internal/ml/vector"
)

// Options say how to fit.
type Options struct {
	Prior   float64 // how many examples the identity counts for, above 0
	Threads int
}

// Fit learns classes from vectors of the same width and the class of each. A class
// without an example scores 0 for every vector. The result is the same on any number of threads.
func Fit(ctx context.Context, vectors [][]float32, label []int, classes int, o Options) (*Model, error) {
	if len(vectors) == 0 || len(vectors[0]) == 0 {
		return nil, errors.New("no vectors to learn from")
	}
	f := &fit{o: o, n: len(vectors), d: len(vectors[0]), classes: classes, label: label}
	f.read(vectors)
	f.solver = f.newSolver(ctx)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	f.solveMeans()
	m := f.model()
	m.Sharpness, m.Loss = f.sharpness()
	return m, ctx.Err()
}

// fit is one fitting.
type fit struct {
	o             Options
	n, d, classes int
	label         []int

	center []float32
	x      []float32 // [n, d], normalized
	mean   []float32 // [classes, d]
	count  []int     // examples of each class
	rest   []float32 // [n, d], each vector minus the mean of its class
	ridge  float32   // what the prior adds to the diagonal of Σ rest·restᵀ
	scale  float64   // degrees of freedom, the prior's included

	solver *solver
	w      []float32 // [classes, d], the solution for each mean
	half   []float32 // [classes], ½ meanᵀ·w
}

// row is row i of a matrix of vectors.
func (f *fit) row(matrix []float32, i int) []float32 { return matrix[i*f.d : (i+1)*f.d] }

// read normalizes the vectors and takes the means of the classes from them.
func (f *fit) read(vectors [][]float32) {
	f.center = make([]float32, f.d)
	for _, v := range vectors {
		vector.AddScaled(f.center, 1/float32(f.n), v)
	}
	f.x, f.rest = make([]float32, f.n*f.d), make([]float32, f.n*f.d)
	f.mean, f.count = make([]float32, f.classes*f.d), make([]int, f.classes)
	for i, v := range vectors {
		normalize(v, f.center, f.row(f.x, i))
		f.count[f.label[i]]++
	}
	for i, k := range f.label {
		vector.AddScaled(f.row(f.mean, k), 1/float32(f.count[k]), f.row(f.x, i))
	}
	copy(f.rest, f.x)
	squares := 0.0
	for i, k := range f.label {
		vector.AddScaled(f.row(f.rest, i), -1, f.row(f.mean, k))
		squares += float64(vector.Dot(f.row(f.rest, i), f.row(f.rest, i)))
	}
	freedom := float64(max(f.n-f.classes, 0))
	variance := 1.0 // of a vector in its class: without other evidence, that of any vector
	if freedom > 0 && squares > smallest {
		variance = squares / freedom
	}
	f.ridge = float32(f.o.Prior * variance / float64(f.d))
	f.scale = freedom + f.o.Prior
}

// smallest is a sum of squares that only rounding makes.
const smallest = 1e-6

// solveMeans computes w and half.
func (f *fit) solveMeans() {
	f.w, f.half = make([]float32, f.classes*f.d), make([]float32, f.classes)
	parallel.Ranges(f.o.Threads, f.classes, func(from, to int) {
		work := f.solver.work()
		for k := from; k < to; k++ {
			f.solver.solve(f.row(f.mean, k), f.row(f.w, k), work)
			f.half[k] = vector.Dot(f.row(f.mean, k), f.row(f.w, k)) / 2
		}
	})
}

// model rounds what was found for prediction.
func (f *fit) model() *Model {
	m := &Model{
		Features: f.d, Classes: f.classes, center: f.center,
		w: make([]byte, f.d*f.classes), scale: make([]float32, f.classes), bias: make([]float32, f.classes),
	}
	parallel.Ranges(f.o.Threads, f.classes, func(from, to int) {
		for k := from; k < to; k++ {
			m.scale[k] = vector.Pack(m.w[k:], f.classes, f.row(f.w, k)) * float32(f.scale)
			m.bias[k] = f.half[k] * float32(f.scale)
		}
	})
	return m
}

const (
	// judges is how many examples sharpness is measured with at most.
	judges = 400
	// usualSharpness is what it is if no class has two examples.
	usualSharpness = 0.05
)

// sharpness finds the value that makes examples most probable which were not
// learned from, and their mean loss with it.
func (f *fit) sharpness() (best, loss float64) {
	step := (f.n + judges - 1) / judges
	scores := make([][]float32, (f.n+step-1)/step)
	right := make([]int, len(scores))
	judged := 0
	for s := range scores {
		if f.count[f.label[s*step]] > 1 {
			judged++
		}
	}
	if judged == 0 {
		return usualSharpness, 0
	}
	parallel.Ranges(f.o.Threads, len(scores), func(from, to int) {
		work, u := f.solver.work(), make([]float32, f.d)
		for s := from; s < to; s++ {
			if i := s * step; f.count[f.label[i]] > 1 {
				scores[s], right[s] = f.scoresWithout(i, u, work), f.label[i]
			}
		}
	})
	mean := func(sharpness float64) float64 {
		return parallel.Sum(f.o.Threads, len(scores), func(from, to int) (sum float64) {
			for s := from; s < to; s++ {
				if scores[s] != nil {
					sum += logLoss(scores[s], right[s], sharpness)
				}
			}
			return sum
		}) / float64(judged)
	}
	// The loss has one valley: divide the range of the logarithm by the golden ratio.
	low, high := math.Log(1e-4), math.Log(1e2)
	ratio := (math.Sqrt(5) - 1) / 2
	for range 24 {
		width := ratio * (high - low)
		if mean(math.Exp(high-width)) <= mean(math.Exp(low+width)) {
			high = low + width
		} else {
			low = high - width
		}
	}
	best = math.Exp((low + high) / 2)
	return best, mean(best)
}

// scoresWithout scores example i as if it had not been learned from, which takes
// one solution and no new factors. u is work space.
//
// Source: Sherman, Morrison 1950.
func (f *fit) scoresWithout(i int, u []float32, work *work) []float32 {
	k := f.label[i]
	x, rest := f.row(f.x, i), f.row(f.rest, i)
	f.solver.solve(rest, u, work)
	others := float32(f.count[k] - 1)
	g := (others + 1) / others
	g /= max(1-g*vector.Dot(rest, u), 1e-3) // below that, only rounding
	along := vector.Dot(x, u)
	scores := make([]float32, f.classes)
	for c := range scores {
		uMean := vector.Dot(u, f.row(f.mean, c))
		straight, half := vector.Dot(x, f.row(f.w, c)), f.half[c]
		if c == k { // its mean moves away from x
			half += (vector.Dot(rest, u)/others - 2*uMean) / (2 * others)
			uMean -= vector.Dot(rest, u) / others
			straight -= along / others
		}
		scores[c] = (straight + g*along*uMean - half - g*uMean*uMean/2) * float32(f.scale-1)
	}
	return scores
}

// logLoss is −log softmax(sharpness·scores)[right].
func logLoss(scores []float32, right int, sharpness float64) float64 {
	sum := 0.0
	for _, s := range scores {
		sum += math.Exp(max(sharpness*float64(s-scores[right]), -700))
	}
	return math.Log(min(sum, math.MaxFloat64))
}
