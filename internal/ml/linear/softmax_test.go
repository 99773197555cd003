package linear

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/loquat-dev/loquat/internal/ml/sparse"
)

// problem is a small random data set.
func problem(rows, cols, classes int) (*sparse.Matrix, []int, []float64) {
	r := rand.New(rand.NewPCG(1, 2))
	var b sparse.Builder
	label, weight := make([]int, rows), make([]float64, rows)
	for i := range rows {
		var index []int32
		var value []float32
		for j := range cols {
			if r.IntN(3) == 0 {
				index, value = append(index, int32(j)), append(value, r.Float32()*2)
			}
		}
		b.Row(index, value)
		label[i], weight[i] = r.IntN(classes), 0.5+r.Float64()
	}
	return b.Matrix(cols), label, weight
}

func TestSoftmaxGradient(t *testing.T) {
	x, label, weight := problem(20, 7, 5)
	f := softmaxLoss(x, label, weight, 5, 0.7, 2)
	r := rand.New(rand.NewPCG(3, 4))
	w, g, scratch := make([]float64, 8*5), make([]float64, 8*5), make([]float64, 8*5)
	for i := range w {
		w[i] = r.NormFloat64()
	}
	f(w, g)
	const h = 1e-5
	for i := range w {
		at := w[i]
		w[i] = at + h
		up := f(w, scratch)
		w[i] = at - h
		down := f(w, scratch)
		w[i] = at
		if numeric := (up - down) / (2 * h); math.Abs(numeric-g[i]) > 1e-6*max(1, math.Abs(numeric)) {
			t.Errorf("component %d: gradient %v, finite difference %v", i, g[i], numeric)
		}
	}
}

func TestSoftmaxSeparatesWhatIsSeparable(t *testing.T) {
	var b sparse.Builder
	b.Row([]int32{0}, []float32{1})
	b.Row([]int32{1}, []float32{1})
	b.Row([]int32{2}, []float32{1})
	x := b.Matrix(3)
	m, err := FitSoftmax(context.Background(), x, []int{0, 1, 2}, []float64{1, 1, 1}, 3, SoftmaxOptions{L2: 1e-3, MaxIterations: 100, Tolerance: 1e-6, Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	p := make([]float64, 3)
	for i := range 3 {
		index, value := x.Row(i)
		m.Probabilities(index, value, p)
		if p[i] < 0.98 {
			t.Errorf("example %d: %v", i, p)
		}
	}
}

func TestThreadsDoNotChangeTheWeights(t *testing.T) {
	x, label, weight := problem(700, 30, 4)
	fit := func(threads int) []float32 {
		m, err := FitSoftmax(context.Background(), x, label, weight, 4, SoftmaxOptions{L2: 1, MaxIterations: 30, Threads: threads})
		if err != nil {
			t.Fatal(err)
		}
		return m.Weights
	}
	one, two := fit(1), fit(2)
	for i := range one {
		if one[i] != two[i] {
			t.Fatalf("weight %d differs: %v and %v", i, one[i], two[i])
		}
	}
}
