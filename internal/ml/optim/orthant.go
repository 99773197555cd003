package optim

import (
	"context"
	"math"

	"github.com/loquat-dev/loquat/internal/ml/parallel"
)

// minimizeL1 moves x to a minimum of f(x) + L1·‖x‖₁ with the orthant-wise
// limited-memory quasi-Newton method (Andrew and Gao 2007, "Scalable Training of
// L1-Regularized Log-Linear Models"). Within one orthant the penalty is linear,
// so the curvature is that of f alone; no step leaves the orthant, and a component
// that would is set to 0.
func (o LBFGS) minimizeL1(ctx context.Context, f Function, x []float64) (Result, error) {
	n := len(x)
	gradient, slope, direction := make([]float64, n), make([]float64, n), make([]float64, n)
	nextX, nextGradient := make([]float64, n), make([]float64, n)
	var history []step

	result := Result{Value: f(x, gradient) + o.L1*o.norm1(x)}
	for {
		o.steepest(x, gradient, slope)
		if o.largest(slope) <= o.GradientTolerance {
			break
		}
		if err := ctx.Err(); err != nil {
			return result, err
		}
		if result.Iterations == o.MaxIterations {
			return result, nil
		}
		result.Iterations++

		o.direction(history, slope, direction)
		// Components that the curvature would turn uphill do not move.
		o.each(n, func(i int) {
			if direction[i]*slope[i] >= 0 {
				direction[i] = 0
			}
		})
		t := 1.0
		if len(history) == 0 && o.Curvature == nil {
			t = 1 / math.Sqrt(o.dot(slope, slope))
		}
		value, ok := o.searchOrthant(f, x, slope, direction, result.Value, t, nextX, nextGradient)
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

// steepest computes the pseudo-gradient: the derivative of f + L1·‖x‖₁ where it
// has one, and at 0 the one-sided derivative that is nearest to 0.
func (o LBFGS) steepest(x, gradient, slope []float64) {
	o.each(len(x), func(i int) {
		switch g := gradient[i]; {
		case x[i] > 0:
			slope[i] = g + o.L1
		case x[i] < 0:
			slope[i] = g - o.L1
		case g < -o.L1:
			slope[i] = g + o.L1
		case g > o.L1:
			slope[i] = g - o.L1
		default:
			slope[i] = 0
		}
	})
}

// searchOrthant halves the step along direction, cut off where it leaves the
// orthant, until the value has decreased enough. It leaves the point and the
// gradient of f in x1 and g1, and fails when rounding leaves no descent.
func (o LBFGS) searchOrthant(f Function, x, slope, direction []float64, value, t float64, x1, g1 []float64) (float64, bool) {
	const decrease, tries = 1e-4, 30
	for range tries {
		o.each(len(x), func(i int) {
			x1[i] = x[i] + t*direction[i]
			orthant := x[i]
			if orthant == 0 {
				orthant = -slope[i]
			}
			if x1[i]*orthant <= 0 {
				x1[i] = 0
			}
		})
		expected := parallel.Sum(o.Threads, len(x), func(from, to int) float64 {
			sum := 0.0
			for i := from; i < to; i++ {
				sum += slope[i] * (x1[i] - x[i])
			}
			return sum
		})
		v := f(x1, g1) + o.L1*o.norm1(x1)
		if v <= value+decrease*expected && v < value {
			return v, true
		}
		t /= 2
	}
	return value, false
}

func (o LBFGS) norm1(x []float64) float64 {
	return parallel.Sum(o.Threads, len(x), func(from, to int) float64 {
		sum := 0.0
		for i := from; i < to; i++ {
			sum += math.Abs(x[i])
		}
		return sum
	})
}
