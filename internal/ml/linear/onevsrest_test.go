package linear

import (
	"context"
	"math"
	"slices"
	"testing"

	"github.com/loquat-dev/loquat/internal/ml/sparse"
)

func TestOneVsRestLearnsClassesThatHoldTogether(t *testing.T) {
	var b sparse.Builder
	var holds [][]int
	for range 3 {
		b.Row([]int32{0}, []float32{1})
		b.Row([]int32{1}, []float32{1})
		b.Row([]int32{2}, []float32{1})
		holds = append(holds, []int{0, 1}, []int{1}, nil)
	}
	fit := func(threads int) *OneVsRest {
		m, err := FitOneVsRest(context.Background(), b.Matrix(3), holds, 2, SoftmaxOptions{L2: 1e-2, MaxIterations: 100, Tolerance: 1e-6, Threads: threads})
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	m := fit(1)
	scores := make([]float64, 2)
	for row, want := range [][]int{{0, 1}, {1}, nil} {
		m.Scores([]int32{int32(row)}, []float32{1}, scores)
		var got []int
		for k, s := range scores {
			if s > 0 {
				got = append(got, k)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("row %d: classes %v hold, want %v (scores %v)", row, got, want, scores)
		}
	}
	if !slices.Equal(m.Weights, fit(2).Weights) {
		t.Error("1 and 2 threads give different weights")
	}
}

// A logistic regression on one feature has a penalised likelihood whose gradient
// is easy to write down; it must vanish where the fit ends.
func TestOneVsRestMinimisesItsLoss(t *testing.T) {
	x, _, _ := problem(60, 5, 2)
	holds := make([][]int, 60)
	for i := range holds {
		if i%3 == 0 {
			holds[i] = []int{0}
		}
	}
	const l2 = 0.5
	m, err := FitOneVsRest(context.Background(), x, holds, 1, SoftmaxOptions{L2: l2, MaxIterations: 500, Tolerance: 1e-9, Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	gradient := make([]float64, 6)
	score := make([]float64, 1)
	for i := range 60 {
		index, value := x.Row(i)
		m.Scores(index, value, score)
		residual := 1 / (1 + math.Exp(-score[0]))
		if len(holds[i]) > 0 {
			residual--
		}
		for k, j := range index {
			gradient[j] += residual * float64(value[k])
		}
		gradient[5] += residual
	}
	for j := range 5 {
		gradient[j] += l2 * float64(m.Weights[j])
	}
	for j, g := range gradient {
		if math.Abs(g) > 1e-4 {
			t.Errorf("component %d of the gradient at the end is %v", j, g)
		}
	}
}
