package optim_test

import (
	"context"
	"errors"
	"math"
	"testing"

	"github.com/loquat-dev/loquat/internal/ml/optim"
)

// rosenbrock is the classic curved valley; its minimum is 0 at (1, 1, ...).
func rosenbrock(x, g []float64) float64 {
	clear(g)
	sum := 0.0
	for i := 0; i+1 < len(x); i++ {
		a, b := x[i+1]-x[i]*x[i], 1-x[i]
		sum += 100*a*a + b*b
		g[i] += -400*a*x[i] - 2*b
		g[i+1] += 200 * a
	}
	return sum
}

func TestMinimumOfACurvedValley(t *testing.T) {
	x := make([]float64, 600) // several chunks for the sums
	o := optim.LBFGS{MaxIterations: 5000, GradientTolerance: 1e-7, Memory: 10, Threads: 2}
	r, err := o.Minimize(context.Background(), rosenbrock, x)
	if err != nil {
		t.Fatal(err)
	}
	if !r.Converged || r.Value > 1e-10 {
		t.Fatalf("got %+v", r)
	}
	for i, v := range x {
		if math.Abs(v-1) > 1e-4 {
			t.Fatalf("x[%d] = %v", i, v)
		}
	}
}

func TestThreadsDoNotChangeTheResult(t *testing.T) {
	run := func(threads int) []float64 {
		x := make([]float64, 600)
		o := optim.LBFGS{MaxIterations: 40, Memory: 5, Threads: threads}
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

func TestCancelledMinimisationStops(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := optim.LBFGS{MaxIterations: 10, Memory: 5}.Minimize(ctx, rosenbrock, make([]float64, 4))
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
}
