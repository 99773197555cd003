// Package optim finds minima of smooth functions, and of such functions with an L1
// penalty.
package optim

import (
	"context"
	"math"

	"github.com/loquat-dev/loquat/internal/ml/parallel"
)

// Function is what a minimiser needs to know: the value at x, and its gradient,
// which is written to gradient. Both slices have the same length.
type Function func(x, gradient []float64) float64

// LBFGS minimises with the limited-memory BFGS method (Nocedal and Wright,
// Numerical Optimization, 2nd edition, algorithm 7.5) and a line search for the
// weak Wolfe conditions. Its stopping rules are those of SciPy's L-BFGS-B.
type LBFGS struct {
	MaxIterations int
	// GradientTolerance: stop when no component of the gradient is larger.
	GradientTolerance float64
	// ValueTolerance: stop when an iteration improves the value by no more than
	// this share of it. SciPy's default is 2.2e-9.
	ValueTolerance float64
	// Memory is how many steps the approximation of the curvature remembers.
	Memory int
	// Curvature, if not nil, is about the second derivative of the function by each
	// component. Steps are scaled with it, which saves many iterations when some
	// components matter much more than others. All must be greater than 0.
	Curvature []float64
	// L1, if greater than 0, adds L1·‖x‖₁ to the function (see orthant.go). Many
	// components of the minimum are then exactly 0.
	L1 float64
	// Threads is how many goroutines do the vector arithmetic.
	Threads int
}

// Result says how a minimisation ended.
type Result struct {
	Value      float64
	Iterations int
	Converged  bool // false if MaxIterations or the precision was reached first
}

// step is one remembered move: s = Δx and y = Δgradient in single precision,
// which is enough for a direction, and 1/(s·y).
type step struct {
	s, y []float32
	rho  float64
}

// Minimize moves x to a minimum of f. It returns early with the error of ctx
// when that is cancelled.
func (o LBFGS) Minimize(ctx context.Context, f Function, x []float64) (Result, error) {
	if o.L1 > 0 {
		return o.minimizeL1(ctx, f, x)
	}
	n := len(x)
	gradient, direction := make([]float64, n), make([]float64, n)
	nextX, nextGradient := make([]float64, n), make([]float64, n)
	var history []step

	result := Result{Value: f(x, gradient)}
	for o.largest(gradient) > o.GradientTolerance {
		if err := ctx.Err(); err != nil {
			return result, err
		}
		if result.Iterations == o.MaxIterations {
			return result, nil
		}
		result.Iterations++

		o.direction(history, gradient, direction)
		slope := o.dot(direction, gradient)
		if slope >= 0 { // the remembered curvature misleads: start over downhill
			history = history[:0]
			o.direction(nil, gradient, direction)
			slope = o.dot(direction, gradient)
		}
		first := 1.0
		if len(history) == 0 && o.Curvature == nil {
			first = 1 / math.Sqrt(-slope)
		}
		value, ok := o.search(f, x, direction, result.Value, slope, first, nextX, nextGradient)
		if !ok {
			return result, nil
		}
		history = o.remember(history, x, nextX, gradient, nextGradient)
		change := result.Value - value
		scale := max(math.Abs(result.Value), math.Abs(value), 1)
		result.Value = value
		copy(x, nextX)
		gradient, nextGradient = nextGradient, gradient
		if change <= o.ValueTolerance*scale {
			break
		}
	}
	result.Converged = true
	return result, nil
}

// search looks for a step along direction that satisfies the weak Wolfe
// conditions by doubling and bisecting, and leaves the point and its gradient in
// x1 and g1. It fails when rounding leaves no descent to be found.
func (o LBFGS) search(f Function, x, direction []float64, value, slope, t float64, x1, g1 []float64) (float64, bool) {
	const decrease, curvature, tries = 1e-4, 0.9, 30
	low, high := 0.0, math.Inf(1)
	for range tries {
		o.each(len(x), func(i int) { x1[i] = x[i] + t*direction[i] })
		v := f(x1, g1)
		switch {
		case !(v <= value+decrease*t*slope):
			high = t
		case o.dot(g1, direction) < curvature*slope:
			low = t
		default:
			return v, true
		}
		if math.IsInf(high, 1) {
			t = 2 * low
		} else {
			t = (low + high) / 2
		}
	}
	return value, false
}

// direction computes −H·gradient by the two-loop recursion.
func (o LBFGS) direction(history []step, gradient, d []float64) {
	o.each(len(d), func(i int) { d[i] = -gradient[i] })
	alpha := make([]float64, len(history))
	for k := len(history) - 1; k >= 0; k-- {
		h := history[k]
		alpha[k] = h.rho * o.dot32(h.s, d)
		o.each(len(d), func(i int) { d[i] -= alpha[k] * float64(h.y[i]) })
	}
	if len(history) > 0 {
		h := history[len(history)-1]
		yy := parallel.Sum(o.Threads, len(h.y), func(from, to int) float64 {
			sum := 0.0
			for i := from; i < to; i++ {
				sum += float64(h.y[i]) * float64(h.y[i]) / o.curvature(i)
			}
			return sum
		})
		scale := 1 / (h.rho * yy)
		o.each(len(d), func(i int) { d[i] *= scale / o.curvature(i) })
	} else if o.Curvature != nil {
		o.each(len(d), func(i int) { d[i] /= o.Curvature[i] })
	}
	for k, h := range history {
		beta := h.rho * o.dot32(h.y, d)
		o.each(len(d), func(i int) { d[i] += (alpha[k] - beta) * float64(h.s[i]) })
	}
}

func (o LBFGS) curvature(i int) float64 {
	if o.Curvature == nil {
		return 1
	}
	return o.Curvature[i]
}

func (o LBFGS) remember(history []step, x, x1, g, g1 []float64) []step {
	var h step
	if len(history) == max(o.Memory, 1) {
		h = history[0]
		copy(history, history[1:])
		history = history[:len(history)-1]
	} else {
		h = step{s: make([]float32, len(x)), y: make([]float32, len(x))}
	}
	o.each(len(x), func(i int) {
		h.s[i] = float32(x1[i] - x[i])
		h.y[i] = float32(g1[i] - g[i])
	})
	sy := parallel.Sum(o.Threads, len(x), func(from, to int) float64 {
		sum := 0.0
		for i := from; i < to; i++ {
			sum += float64(h.s[i]) * float64(h.y[i])
		}
		return sum
	})
	if sy <= 0 {
		return history
	}
	h.rho = 1 / sy
	return append(history, h)
}

func (o LBFGS) each(n int, f func(i int)) {
	parallel.Ranges(o.Threads, n, func(from, to int) {
		for i := from; i < to; i++ {
			f(i)
		}
	})
}

func (o LBFGS) dot(a, b []float64) float64 {
	return parallel.Sum(o.Threads, len(a), func(from, to int) float64 {
		sum := 0.0
		for i := from; i < to; i++ {
			sum += a[i] * b[i]
		}
		return sum
	})
}

func (o LBFGS) dot32(a []float32, b []float64) float64 {
	return parallel.Sum(o.Threads, len(a), func(from, to int) float64 {
		sum := 0.0
		for i := from; i < to; i++ {
			sum += float64(a[i]) * b[i]
		}
		return sum
	})
}

func (o LBFGS) largest(g []float64) float64 {
	m := 0.0
	for _, v := range g {
		m = max(m, math.Abs(v))
	}
	return m
}
