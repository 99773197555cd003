package crf

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/loquat-dev/loquat/internal/ml/sparse"
)

// free lets each of five tags follow each other one, as CRFEntityExtractor does.
func free() Topology {
	var t Topology
	for n := range 5 {
		t.Opens, t.Closes = append(t.Opens, true), append(t.Closes, true)
		t.Parts = append(t.Parts, []int32{int32(n)})
	}
	return t
}

func TestGradientOfThePenalisedLoss(t *testing.T) {
	for name, topology := range map[string]Topology{"free": free(), "bilou": bilou()} {
		t.Run(name, func(t *testing.T) {
			f := newFitter(sentences(70), topology, 12, FitOptions{L2: 0.3, Threads: 2}) // more than a block
			r := rand.New(rand.NewPCG(9, 10))
			x, gradient := make([]float64, f.unknowns()), make([]float64, f.unknowns())
			for i := range x {
				x[i] = float64(float32(r.NormFloat64()))
			}
			f.value(x, gradient)
			scratch := make([]float64, len(x))
			for i := range x {
				const h = 1.0 / 512
				at := x[i]
				x[i] = at + h
				up := f.value(x, scratch)
				x[i] = at - h
				down := f.value(x, scratch)
				x[i] = at
				if want := (up - down) / (2 * h); math.Abs(want-gradient[i]) > 1e-3 {
					t.Errorf("unknown %d: gradient %v, finite difference %v", i, gradient[i], want)
				}
			}
		})
	}
}

// Of one token with one feature that says nothing, the minimum is known: each of
// the weights w₁, w₂ of its two tags has the derivative n·p − nᵢ, and the penalty
// balances it.
func TestFitIsThePenalisedMaximum(t *testing.T) {
	const l1, l2 = 0.5, 0.25
	topology := Topology{Opens: []bool{true, true}, Closes: []bool{true, true}, Parts: [][]int32{{0}, {1}}}
	var data []Sequence
	for i := range 10 {
		var b sparse.Builder
		b.Row([]int32{0}, []float32{1})
		tag := int32(0)
		if i < 3 {
			tag = 1
		}
		data = append(data, Sequence{b.Matrix(1), []int32{tag}})
	}
	m, loss, err := Fit(context.Background(), data, topology, 1, FitOptions{MaxIterations: 200, L1: l1, L2: l2, Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	w := m.weight
	if len(w) != 2 {
		t.Fatalf("weights %v, want one for each tag", w)
	}
	p := 1 / (1 + math.Exp(float64(w[0]-w[1])))
	for i, balance := range []float64{10*(1-p) - 7, 10*p - 3} {
		v := float64(w[i])
		if got := balance + math.Copysign(l1, v) + 2*l2*v; math.Abs(got) > 0.02 {
			t.Errorf("weight %d = %v leaves the derivative %v", i, v, got)
		}
	}
	if want := -(0.7*math.Log(1-p) + 0.3*math.Log(p)); math.Abs(loss-want) > 1e-3 {
		t.Errorf("loss %v of a token, want %v", loss, want)
	}
}

func TestFitGivesTheSameOnAnyNumberOfThreads(t *testing.T) {
	fit := func(threads int) *Model {
		m, _, err := Fit(context.Background(), sentences(150), free(), 12, FitOptions{MaxIterations: 20, L1: 0.1, L2: 0.1, Threads: threads})
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	one, three := fit(1), fit(3)
	if !slices.Equal(one.weight, three.weight) || !slices.Equal(one.edge, three.edge) || one.shared != three.shared {
		t.Error("the weights differ")
	}
}

func TestPenaltyLeavesFewerWeights(t *testing.T) {
	count := func(l1 float64) int {
		m, _, err := Fit(context.Background(), sentences(60), free(), 12, FitOptions{MaxIterations: 50, L1: l1, L2: 0.1, Threads: 2})
		if err != nil {
			t.Fatal(err)
		}
		return len(m.weight)
	}
	if none, some := count(0), count(3); some >= none || some == 0 {
		t.Errorf("%d weights with a penalty, %d without", some, none)
	}
}

func TestCancelledFitStops(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, _, err := Fit(ctx, sentences(4), free(), 12, FitOptions{MaxIterations: 10, Threads: 1}); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
}
