package mlp

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/loquat-dev/loquat/internal/ml/sparse"
	"github.com/loquat-dev/loquat/internal/ml/weights"
)

// problem has rows of random features of which one names the class.
func problem(rows, cols, classes int) (*sparse.Matrix, []int) {
	r := rand.New(rand.NewPCG(1, 2))
	var b sparse.Builder
	label := make([]int, rows)
	for i := range rows {
		label[i] = r.IntN(classes)
		index, value := []int32{int32(label[i])}, []float32{1}
		for j := classes; j < cols; j++ {
			if r.IntN(4) == 0 {
				index, value = append(index, int32(j)), append(value, r.Float32())
			}
		}
		b.Row(index, value)
	}
	return b.Matrix(cols), label
}

func options(threads int) Options {
	return Options{Hidden: 10, Passes: 30, Batch: 8, LearningRate: 0.1, InputDropout: 0.1, HiddenDropout: 0.1, Seed: 1, Threads: threads}
}

func TestLearnsASmallProblem(t *testing.T) {
	x, label := problem(200, 30, 5)
	net, err := Train(context.Background(), x, label, 5, options(2))
	if err != nil {
		t.Fatal(err)
	}
	if loss := net.Loss(x, label, 2); loss > 0.05 {
		t.Errorf("loss %v", loss)
	}
}

// The gradients that backward computes are compared with differences of the loss.
func TestGradients(t *testing.T) {
	x, label := problem(6, 12, 4)
	tr := newTrainer(x, label, 4, Options{Hidden: 5, Batch: 1, Smoothing: 0.1, Seed: 3})
	e := &tr.examples[0]
	loss := func(i int) float64 {
		tr.prepare(e, i)
		tr.backward(e, label[i])
		return e.loss
	}
	const h = 2e-3
	for i := range label {
		loss(i)
		atScores, atHidden := slices.Clone(e.p), slices.Clone(e.dh)
		hidden := slices.Clone(e.h)
		check := func(name string, weight *float32, got float32) {
			at := *weight
			*weight = at + h
			up := loss(i)
			*weight = at - h
			down := loss(i)
			*weight = at
			if want := (up - down) / (2 * h); math.Abs(want-float64(got)) > 4e-3 {
				t.Errorf("example %d, %s: gradient %v, finite difference %v", i, name, got, want)
			}
		}
		for c := range 4 {
			for k := range tr.net.Hidden {
				check("V", &tr.net.V[k*4+c], hidden[k]*atScores[c])
			}
		}
		index, value := x.Row(i)
		for k := range tr.net.Hidden {
			for n, j := range index {
				check("E", &tr.net.E[int(j)*5+k], value[n]*atHidden[k])
			}
		}
	}
}

func TestThreadsDoNotChangeTheWeights(t *testing.T) {
	x, label := problem(100, 30, 5)
	one, err := Train(context.Background(), x, label, 5, options(1))
	if err != nil {
		t.Fatal(err)
	}
	three, err := Train(context.Background(), x, label, 5, options(3))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(one.E, three.E) || !slices.Equal(one.V, three.V) {
		t.Error("the weights differ")
	}
}

func TestGoingOnStartsFromTheOldWeights(t *testing.T) {
	x, label := problem(200, 30, 5)
	old, err := Train(context.Background(), x, label, 5, options(1))
	if err != nil {
		t.Fatal(err)
	}
	wider := *x
	wider.Cols += 3
	onePass := options(1)
	onePass.Passes = 1
	fresh, _ := Train(context.Background(), &wider, label, 5, onePass)
	onePass.Start = old.Pack().Unpack()
	tuned, _ := Train(context.Background(), &wider, label, 5, onePass)
	if a, b := tuned.Loss(&wider, label, 1), fresh.Loss(&wider, label, 1); a >= b {
		t.Errorf("loss %v after one pass more, %v after one pass from scratch", a, b)
	}
}

func TestColumnsThatAreNotInputsHaveNoPart(t *testing.T) {
	x, label := problem(100, 30, 5)
	few := options(1)
	few.Inputs = 20
	net, err := Train(context.Background(), x, label, 5, few)
	if err != nil {
		t.Fatal(err)
	}
	var b sparse.Builder
	for i := range x.Rows() {
		index, value := x.Row(i)
		n, _ := slices.BinarySearch(index, 20)
		b.Row(index[:n], value[:n])
	}
	narrow, err := Train(context.Background(), b.Matrix(20), label, 5, options(1))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(net.E, narrow.E) || !slices.Equal(net.V, narrow.V) {
		t.Error("columns beyond the inputs changed the weights")
	}
	index, value := x.Row(0)
	n, _ := slices.BinarySearch(index, 20)
	var s, without Scratch
	p := net.Pack()
	if !slices.Equal(p.Probabilities(index, value, &s), p.Probabilities(index[:n], value[:n], &without)) {
		t.Error("columns beyond the inputs changed a prediction")
	}
}

func TestInsertedInputsHaveNoEffectYet(t *testing.T) {
	x, label := problem(50, 30, 5)
	net, err := Train(context.Background(), x, label, 5, options(1))
	if err != nil {
		t.Fatal(err)
	}
	before := net.Loss(x, label, 1)
	net.Insert(10, 3)
	var b sparse.Builder
	for i := range x.Rows() {
		index, value := x.Row(i)
		moved, values := []int32{}, []float32{}
		for k, j := range index {
			if j >= 10 {
				j += 3
			}
			moved, values = append(moved, j), append(values, value[k])
		}
		moved, values = append(moved, 11), append(values, 1)
		slices.Sort(moved) // 11 is not taken; values move along below
		n, _ := slices.BinarySearch(moved, 11)
		values = slices.Insert(values[:len(values)-1], n, 1)
		b.Row(moved, values)
	}
	if after := net.Loss(b.Matrix(33), label, 1); after != before {
		t.Errorf("loss %v before, %v with new inputs", before, after)
	}
}

func TestCancelledTrainingStops(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	x, label := problem(20, 10, 2)
	if _, err := Train(ctx, x, label, 2, options(1)); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
}

func TestPackedNetAnswersTheSame(t *testing.T) {
	x, label := problem(100, 30, 5)
	net, err := Train(context.Background(), x, label, 5, options(1))
	if err != nil {
		t.Fatal(err)
	}
	w := weights.NewWriter("net", 1)
	net.Pack().Write(w)
	r := weights.NewReader(w.Bytes(), "net", 1)
	packed := Read(r)
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	h, want := make([]float32, 10), make([]float32, 5)
	var s Scratch
	for i := range label {
		index, value := x.Row(i)
		net.forward(index, value, h, want)
		softmax(want)
		for c, p := range packed.Probabilities(index, value, &s) {
			if math.Abs(float64(p-want[c])) > 0.02 {
				t.Fatalf("example %d, class %d: %v packed, %v before", i, c, p, want[c])
			}
		}
	}
	index, value := x.Row(0)
	if n := testing.AllocsPerRun(10, func() { packed.Probabilities(index, value, &s) }); n > 0 {
		t.Errorf("%v allocations per prediction", n)
	}
}
