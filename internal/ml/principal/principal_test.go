package principal

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/loquat-dev/loquat/internal/ml/weights"
)

// vectors differ much along two known directions, and little along all.
func vectors(n int) (out [][]float32, along [2][]float32) {
	const d = 40
	for k := range along {
		along[k] = make([]float32, d)
		for j := range 4 {
			along[k][10*k+j] = 0.5
		}
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range n {
		v := make([]float32, d)
		a, b := float32(6*r.NormFloat64()), float32(3*r.NormFloat64())
		for j := range v {
			v[j] = 7 + a*along[0][j] + b*along[1][j] + float32(0.3*r.NormFloat64())
		}
		out = append(out, v)
	}
	return out, along
}

func fit(t *testing.T, vectors [][]float32, components, threads int) *Model {
	t.Helper()
	m, err := Fit(context.Background(), vectors, components, threads)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestDirectionsAreThoseInWhichVectorsDiffer(t *testing.T) {
	all, along := vectors(3 * Enough)
	m := fit(t, all, 3, 2)
	for k, want := range along {
		cosine := 0.0
		for j, v := range m.direction(k) {
			cosine += float64(v) * float64(want[j])
		}
		if math.Abs(cosine) < 0.999 {
			t.Errorf("direction %d is %v off", k, math.Acos(math.Abs(cosine)))
		}
	}
	// What is projected has a mean of 0, and says where a vector lies.
	to, work := make([]float32, 3), make([]float32, 40)
	var sum, squares float64
	for _, v := range all {
		m.Project(v, to, work)
		sum += float64(to[0])
		squares += float64(to[0]) * float64(to[0])
	}
	if mean, spread := sum/float64(len(all)), math.Sqrt(squares/float64(len(all))); math.Abs(mean) > 0.5 || math.Abs(spread-6) > 0.3 {
		t.Errorf("along the first direction vectors have a mean of %v and a spread of %v", mean, spread)
	}
}

func TestThreadsDoNotChangeDirections(t *testing.T) {
	all, _ := vectors(300)
	if !slices.Equal(fit(t, all, 8, 1).directions, fit(t, all, 8, 3).directions) {
		t.Error("other directions on three threads")
	}
}

func TestFewVectors(t *testing.T) {
	all, _ := vectors(3)
	for _, some := range [][][]float32{all, all[:1], {all[0], all[0]}} {
		m := fit(t, some, 100, 1)
		to := make([]float32, m.Components)
		for _, v := range some {
			m.Project(v, to, make([]float32, m.Features))
			for k, v := range to {
				if v-v != 0 {
					t.Fatalf("component %d of %d vectors is %v", k, len(some), v)
				}
			}
		}
		if m.Components != 40 {
			t.Errorf("%d components of 40 numbers", m.Components)
		}
	}
	if _, err := Fit(context.Background(), nil, 3, 1); err == nil {
		t.Error("directions of nothing")
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Fit(ctx, all, 3, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestIdentity(t *testing.T) {
	x, to := []float32{3, -1, 4}, make([]float32, 3)
	if Identity(3).Project(x, to, make([]float32, 3)); !slices.Equal(x, to) {
		t.Errorf("%v becomes %v", x, to)
	}
}

func TestStoredModelProjectsTheSame(t *testing.T) {
	all, _ := vectors(100)
	m := fit(t, all, 5, 1)
	w := weights.NewWriter("directions", 1)
	m.Write(w)
	r := weights.NewReader(w.Bytes(), "directions", 1)
	again := Read(r)
	if err := r.Close(); err != nil || !slices.Equal(again.directions, m.directions) || !slices.Equal(again.center, m.center) {
		t.Errorf("it reads as another one (%v)", err)
	}
	m.Components = 7
	w = weights.NewWriter("directions", 1)
	m.Write(w)
	r = weights.NewReader(w.Bytes(), "directions", 1)
	if Read(r); r.Err() == nil {
		t.Error("a model that doesn't fit together was read")
	}
}
