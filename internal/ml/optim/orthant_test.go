package optim_test

import (
	"context"
	"math"
	"testing"

	"github.com/loquat-dev/loquat/internal/ml/optim"
)

// Of ½·Σ aᵢ(xᵢ−bᵢ)² + c·‖x‖₁ the minimum is known: bᵢ, moved towards 0 by c/aᵢ and
// no further.
func TestPenaltyShrinksToTheKnownMinimum(t *testing.T) {
	const n, penalty = 600, 0.7
	a, b := make([]float64, n), make([]float64, n)
	for i := range a {
		a[i], b[i] = 1+float64(i%7), math.Sin(float64(i))
	}
	f := func(x, g []float64) float64 {
		sum := 0.0
		for i := range x {
			d := x[i] - b[i]
			g[i] = a[i] * d
			sum += a[i] * d * d / 2
		}
		return sum
	}
	x := make([]float64, n)
	o := optim.LBFGS{MaxIterations: 500, GradientTolerance: 1e-6, Memory: 6, L1: penalty, Threads: 2}
	r, err := o.Minimize(context.Background(), f, x)
	if err != nil || !r.Converged {
		t.Fatalf("got %+v, %v", r, err)
	}
	zeros := 0
	for i := range x {
		want := math.Copysign(max(0, math.Abs(b[i])-penalty/a[i]), b[i])
		if math.Abs(x[i]-want) > 1e-6 {
			t.Fatalf("x[%d] = %v, want %v", i, x[i], want)
		}
		if want == 0 {
			zeros++
			if x[i] != 0 {
				t.Errorf("x[%d] = %v, not exactly 0", i, x[i])
			}
		}
	}
	if zeros == 0 || zeros == n {
		t.Fatalf("%d of %d components are 0: the penalty was not tried", zeros, n)
	}
}

// In a curved valley the minimum is not known, but what holds there is: each
// derivative is balanced by the penalty.
func TestPenaltyBalancesTheGradient(t *testing.T) {
	const penalty = 0.5
	x, g := make([]float64, 20), make([]float64, 20)
	o := optim.LBFGS{MaxIterations: 5000, GradientTolerance: 1e-6, Memory: 10, L1: penalty, Threads: 1}
	r, err := o.Minimize(context.Background(), rosenbrock, x)
	if err != nil || !r.Converged {
		t.Fatalf("got %+v, %v", r, err)
	}
	rosenbrock(x, g)
	for i, v := range x {
		if v != 0 && math.Abs(g[i]+math.Copysign(penalty, v)) > 1e-5 || v == 0 && math.Abs(g[i]) > penalty+1e-5 {
			t.Errorf("x[%d] = %v has the derivative %v", i, v, g[i])
		}
	}
}

func TestThreadsDoNotChangeTheResultWithAPenalty(t *testing.T) {
	run := func(threads int) []float64 {
		x := make([]float64, 600)
		o := optim.LBFGS{MaxIterations: 40, Memory: 5, L1: 0.1, Threads: threads}
		if _, err := o.Minimize(context.Background(), rosenbrock, x); err != nil {
			t.Fatal(err)
		}
		return x
	}
	one, three := run(1), run(3)
	for i := range one {
		if one[i] != three[i] {
			t.Fatalf("x[%d]: %v with one thread, %v with three", i, one[i], three[i])
		}
	}
}
