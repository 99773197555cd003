package mlp

import (
	"context"
	"math"
	"math/rand/v2"

	"github.com/loquat-dev/loquat/internal/ml/parallel"
	"github.com/loquat-dev/loquat/internal/ml/sparse"
	"github.com/loquat-dev/loquat/internal/ml/vector"
)

// Options say how to train.
type Options struct {
	Hidden int
	Inputs int // how many of the first columns of x to learn from; 0 means all
	Passes int // how often every example is seen
	Batch  int // examples between two updates
	// LearningRate is that of AdaGrad (Duchi, Hazan and Singer 2011). It falls to
	// 0 in a straight line over the passes.
	LearningRate float64
	// InputDropout and HiddenDropout are the shares of features and of hidden
	// units that are left out at random (Srivastava et al. 2014).
	InputDropout, HiddenDropout float64
	// Kept is how many of the first input columns are never left out.
	Kept int
	// Smoothing moves this share of the target from the right class to all
	// classes alike (Szegedy et al. 2016). It keeps the network from being sure of
	// what it has never seen.
	Smoothing float64
	Seed      uint64
	Threads   int
	// Start is the network to go on from, or nil. It may have fewer inputs; the
	// new ones begin at random.
	Start *Net
	// AfterPass is told the mean training loss of each pass; nil is allowed.
	AfterPass func(pass int, loss float64)
}

// Train learns to predict label[i] from row i of x. The result does not depend
// on the number of threads: examples of a batch are worked on independently, and
// every weight is updated by one goroutine in the order of the examples.
func Train(ctx context.Context, x *sparse.Matrix, label []int, classes int, o Options) (*Net, error) {
	t := newTrainer(x, label, classes, o)
	order := make([]int, x.Rows())
	for i := range order {
		order[i] = i
	}
	batches := (len(order) + o.Batch - 1) / o.Batch
	for pass := range o.Passes {
		t.random.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		loss := 0.0
		for b := range batches {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			done := float64(pass*batches+b) / float64(o.Passes*batches)
			t.rate = float32(o.LearningRate * (1 - done))
			loss += t.step(order[b*o.Batch : min(len(order), (b+1)*o.Batch)])
		}
		if o.AfterPass != nil {
			o.AfterPass(pass, loss/float64(len(order)))
		}
	}
	return t.net, nil
}

// trainer holds a network in training and the work space of one batch.
type trainer struct {
	net    *Net
	o      Options
	x      *sparse.Matrix
	label  []int
	random *rand.Rand
	rate   float32

	// sums of squared gradients: one for each row of E and each weight of V
	sumE, sumV []float32

	examples []example // one for each place in the batch
}

type example struct {
	index []int32
	value []float32
	h     []float32 // activations after dropout
	keep  []float32 // 0 or 1/(1−p) for each hidden unit
	p     []float32 // p − target: gradient at the scores
	dh    []float32 // gradient at the hidden sums
	norm  float32   // mean square of dh
	loss  float64
}

func newTrainer(x *sparse.Matrix, label []int, classes int, o Options) *trainer {
	t := &trainer{o: o, x: x, label: label, random: rand.New(rand.NewPCG(o.Seed, 0x6c6f71756174))}
	inputs := x.Cols
	if o.Inputs > 0 {
		inputs = o.Inputs
	}
	t.net = t.start(inputs, classes)
	h := t.net.Hidden
	t.sumE, t.sumV = make([]float32, inputs), make([]float32, h*classes)
	t.examples = make([]example, o.Batch)
	for i := range t.examples {
		t.examples[i] = example{
			h: make([]float32, h), keep: make([]float32, h), dh: make([]float32, h),
			p: make([]float32, classes),
		}
	}
	return t
}

// start makes the network that training begins with.
func (t *trainer) start(inputs, classes int) *Net {
	hidden := t.o.Hidden
	if t.o.Start != nil {
		hidden = t.o.Start.Hidden
	}
	n := &Net{
		Inputs: inputs, Hidden: hidden, Classes: classes,
		E: make([]float32, inputs*hidden), V: make([]float32, hidden*classes),
	}
	scale := 1 / math.Sqrt(float64(hidden))
	from := 0
	if t.o.Start != nil {
		from = copy(n.E, t.o.Start.E)
		copy(n.V, t.o.Start.V)
	} else {
		for i := range n.V {
			n.V[i] = float32(t.random.NormFloat64() * scale)
		}
	}
	for i := from; i < len(n.E); i++ {
		n.E[i] = float32(t.random.NormFloat64() * 1.2 * scale)
	}
	return n
}

// step updates the network once and returns the sum of the examples' losses.
func (t *trainer) step(batch []int) float64 {
	for b, i := range batch {
		t.prepare(&t.examples[b], i)
	}
	parallel.Ranges(t.o.Threads, len(batch), func(from, to int) {
		for b := from; b < to; b++ {
			t.backward(&t.examples[b], t.label[batch[b]])
		}
	})
	examples := t.examples[:len(batch)]
	loss := 0.0
	for i := range examples {
		e := &examples[i]
		loss += e.loss
		for k, j := range e.index {
			t.sumE[j] += e.value[k] * e.value[k] * e.norm
		}
	}
	parallel.Ranges(t.o.Threads, t.net.Hidden, func(from, to int) {
		t.updateTop(examples, from, to)
		t.updateBottom(examples, from, to)
	})
	return loss
}

const epsilon = 1e-6

func root(x float32) float32 { return float32(math.Sqrt(float64(x))) }

// prepare takes example i with some of its features and hidden units left out.
func (t *trainer) prepare(e *example, i int) {
	index, value := t.x.Row(i)
	e.index, e.value = e.index[:0], e.value[:0]
	scale := float32(1 / (1 - t.o.InputDropout))
	for k, j := range index {
		switch {
		case int(j) >= t.net.Inputs:
		case int(j) < t.o.Kept:
			e.index, e.value = append(e.index, j), append(e.value, value[k])
		case t.random.Float64() >= t.o.InputDropout:
			e.index, e.value = append(e.index, j), append(e.value, value[k]*scale)
		}
	}
	up := float32(1 / (1 - t.o.HiddenDropout))
	for k := range e.keep {
		e.keep[k] = up
		if t.random.Float64() < t.o.HiddenDropout {
			e.keep[k] = 0
		}
	}
}

// backward computes the loss of one example and its gradients at the scores and
// at the hidden sums.
func (t *trainer) backward(e *example, label int) {
	n := t.net
	clear(e.h)
	for k, j := range e.index {
		vector.AddScaled(e.h, e.value[k], n.E[int(j)*n.Hidden:(int(j)+1)*n.Hidden])
	}
	for k := range e.h {
		e.h[k] *= e.keep[k]
	}
	n.top(e.h, e.p)
	e.loss = crossEntropy(e.p, label, t.o.Smoothing)
	var norm float32
	for k, a := range e.h {
		e.dh[k] = 0
		if a > 0 {
			e.dh[k] = e.keep[k] * vector.Dot(e.p, n.V[k*n.Classes:(k+1)*n.Classes])
		}
		norm += e.dh[k] * e.dh[k]
	}
	e.norm = 4 * norm / float32(n.Hidden)
}

// crossEntropy turns scores into the gradient of −Σ target·log softmax(scores)
// in place and returns that loss.
func crossEntropy(s []float32, label int, smoothing float64) float64 {
	mean := 0.0
	for _, v := range s {
		mean += float64(v)
	}
	mean /= float64(len(s))
	right := float64(s[label])
	loss := softmax(s) - (1-smoothing)*right - smoothing*mean
	for k := range s {
		s[k] -= float32(smoothing / float64(len(s)))
	}
	s[label] -= float32(1 - smoothing)
	return loss
}

// updateTop updates the rows from..to of V with the gradient of the batch.
func (t *trainer) updateTop(examples []example, from, to int) {
	classes := t.net.Classes
	gradient := make([]float32, classes)
	for k := from; k < to; k++ {
		clear(gradient)
		for i := range examples {
			if a := examples[i].h[k]; a > 0 {
				vector.AddScaled(gradient, a, examples[i].p)
			}
		}
		row, sum := t.net.V[k*classes:(k+1)*classes], t.sumV[k*classes:(k+1)*classes]
		for c, g := range gradient {
			if g != 0 {
				sum[c] += g * g
				row[c] -= t.rate * g / (root(sum[c]) + epsilon)
			}
		}
	}
}

// updateBottom updates the columns from..to of E, example after example.
func (t *trainer) updateBottom(examples []example, from, to int) {
	hidden := t.net.Hidden
	for i := range examples {
		e := &examples[i]
		if e.norm == 0 {
			continue
		}
		dh := e.dh[from:to]
		for k, j := range e.index {
			step := t.rate * e.value[k] / (root(t.sumE[j]) + epsilon)
			vector.AddScaled(t.net.E[int(j)*hidden+from:int(j)*hidden+to], -step, dh)
		}
	}
}

// Loss returns the mean of −log p(label) over the rows of x, nothing left out.
func (n *Net) Loss(x *sparse.Matrix, label []int, threads int) float64 {
	return parallel.Sum(threads, x.Rows(), func(from, to int) float64 {
		h, scores := make([]float32, n.Hidden), make([]float32, n.Classes)
		sum := 0.0
		for i := from; i < to; i++ {
			index, value := x.Row(i)
			n.forward(index, value, h, scores)
			right := float64(scores[label[i]])
			sum += softmax(scores) - right
		}
		return sum
	}) / float64(max(1, x.Rows()))
}
