package linear

import (
	"bytes"
	"context"
	"errors"
	"math"
	"testing"

	"github.com/loquat-dev/loquat/internal/ml/weights"
)

func fitMargins(t *testing.T, threads int) *Margins {
	t.Helper()
	x, label, _ := problem(60, 40, 5)
	m, err := FitMargins(context.Background(), x, label, 5, MarginOptions{C: 1, Passes: 1000, Threads: threads})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// At the minimum of the primal problem the gradient is zero: w = 2C·Σ weight·y·ξ·x.
func TestMarginsAreAtTheMinimum(t *testing.T) {
	x, label, _ := problem(60, 40, 5)
	weight := []float64{1, 0.5, 3, 1, 0.1}
	d := &descent{x: x, label: label, square: make([]float64, 60), o: MarginOptions{C: 1, Weight: weight, Passes: 5000}, w: make([]float32, 40), alpha: make([]float64, 60), tolerance: 1e-4}
	for i := range d.square {
		_, value := x.Row(i)
		for _, v := range value {
			d.square[i] += float64(v) * float64(v)
		}
	}
	d.fit(context.Background(), 2)
	gradient := make([]float64, 40)
	for j, w := range d.w {
		gradient[j] = float64(w)
	}
	for i := range label {
		y := -1.0
		if label[i] == 2 {
			y = 1
		}
		index, value := x.Row(i)
		score := float64(bias)
		for k, j := range index {
			score += float64(d.w[j] * value[k])
		}
		slack := 2 * weight[label[i]] * max(0, 1-y*score) * y
		for k, j := range index {
			gradient[j] -= slack * float64(value[k])
		}
	}
	for j, g := range gradient {
		if math.Abs(g) > 1e-3 {
			t.Errorf("component %d of the gradient is %v", j, g)
		}
	}
}

func TestThreadsDoNotChangeTheMargins(t *testing.T) {
	if !bytes.Equal(stored(fitMargins(t, 1)), stored(fitMargins(t, 3))) {
		t.Error("the weights differ")
	}
}

func stored(m *Margins) []byte {
	w := weights.NewWriter("margins", 1)
	m.Write(w)
	return w.Bytes()
}

func TestStoredMarginsAnswerTheSame(t *testing.T) {
	m := fitMargins(t, 1)
	r := weights.NewReader(stored(m), "margins", 1)
	back := ReadMargins(r)
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	x, label, _ := problem(60, 40, 5)
	a, b := make([]float32, 5), make([]float32, 5)
	right := 0
	for i := range label {
		index, value := x.Row(i)
		m.Scores(index, value, a)
		back.Scores(index, value, b)
		best := 0
		for k := range a {
			if a[k] != b[k] {
				t.Fatalf("example %d, class %d: %v, stored %v", i, k, a[k], b[k])
			}
			if a[k] > a[best] {
				best = k
			}
		}
		if best == label[i] {
			right++
		}
	}
	if right < 55 {
		t.Errorf("%d of 60 examples right", right)
	}
}

func TestCancelledFittingStops(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	x, label, _ := problem(20, 10, 3)
	if _, err := FitMargins(ctx, x, label, 3, MarginOptions{C: 1, Passes: 10}); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
}
