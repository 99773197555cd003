package crf

import (
	"cmp"
	"context"
	"fmt"

	"github.com/loquat-dev/loquat/internal/ml/optim"
	"github.com/loquat-dev/loquat/internal/ml/parallel"
)

// FitOptions say how to minimise.
type FitOptions struct {
	MaxIterations int
	L1            float64 // c₁ of the penalty c₁·‖w‖₁ + c₂·‖w‖²
	L2            float64 // c₂
	Threads       int
}

// Fit learns a model of the given number of features by minimising
//
//	−Σ log p(y|x) + c₁·‖w‖₁ + c₂·‖w‖²
//
// with L-BFGS, over all data at once. This is the penalised maximum likelihood of
// CRFsuite. Tags with an edge are those of topology and every pair of neighbours
// in the data. It also returns the mean loss of a token. The result does not
// depend on the number of threads.
//
// Train is several times as fast on many examples; Fit does what is asked exactly.
func Fit(ctx context.Context, data []Sequence, topology Topology, features int, o FitOptions) (*Model, float64, error) {
	if n := topology.countParts(); n > mostParts {
		return nil, 0, fmt.Errorf("tags have %d parts together, more than %d", n, mostParts)
	}
	f := newFitter(data, topology, features, o)
	x := make([]float64, f.unknowns())
	_, err := optim.LBFGS{
		MaxIterations: o.MaxIterations, ValueTolerance: 1e-6, Memory: 6, L1: o.L1, Threads: o.Threads,
	}.Minimize(ctx, func(x, gradient []float64) float64 {
		if ctx.Err() != nil { // the line search need not go on
			return 0
		}
		return f.value(x, gradient)
	}, x)
	if err := cmp.Or(err, ctx.Err()); err != nil {
		return nil, 0, err
	}
	f.set(x)
	tokens := 0
	for _, s := range data {
		tokens += len(s.Y)
	}
	f.model.prune(false)
	return f.model, f.loss / float64(max(1, tokens)), nil
}

// fitter computes the penalised loss of all data as a function of one vector: the
// weights of emissions, then those of edges, then the shared one.
type fitter struct {
	model *Model
	edges edges
	data  []Sequence
	o     FitOptions
	block []sequence
	loss  float64 // of the last value, without penalty
}

// blockSize is how many sequences are worked on before their gradients are added
// up. It bounds memory and gives each core enough to do.
const blockSize = 64

func newFitter(data []Sequence, topology Topology, features int, o FitOptions) *fitter {
	f := &fitter{data: data, o: o, block: newSequences(blockSize, negligible)}
	f.model, f.edges = newModel(data, topology, features, nil)
	return f
}

func (f *fitter) unknowns() int { return len(f.model.weight) + len(f.model.edge) + 1 }

// set gives the model the weights x.
func (f *fitter) set(x []float64) {
	m := f.model
	for i := range m.weight {
		m.weight[i] = float32(x[i])
	}
	x = x[len(m.weight):]
	for i := range m.edge {
		m.edge[i] = float32(x[i])
	}
	m.shared = float32(x[len(m.edge)])
	m.refresh()
}

// value computes loss and gradient at x, with the smooth part of the penalty.
func (f *fitter) value(x, gradient []float64) float64 {
	f.set(x)
	m := f.model
	clear(gradient)
	transitions := gradient[len(m.weight):]
	f.loss = 0
	for from := 0; from < len(f.data); from += blockSize {
		examples := f.data[from:min(len(f.data), from+blockSize)]
		parallel.Ranges(f.o.Threads, len(examples), func(from, to int) {
			for i := from; i < to; i++ {
				f.block[i].run(m, f.edges, examples[i].X, examples[i].Y)
			}
		})
		for i := range examples {
			s := &f.block[i]
			f.loss += s.loss
			for k, g := range s.edges {
				transitions[k] += g
			}
			transitions[len(m.edge)] += s.shared
		}
		// Each goroutine owns the features of one remainder, so every sum is taken
		// in the order of the data.
		owners := max(f.o.Threads, 1)
		parallel.Ranges(owners, owners, func(from, to int) {
			for owner := from; owner < to; owner++ {
				for i, s := range examples {
					f.addEmissions(&f.block[i], s, gradient, int32(owner), int32(owners))
				}
			}
		})
	}
	penalty := 0.0
	for i, w := range x {
		penalty += w * w
		gradient[i] += 2 * f.o.L2 * w
	}
	return f.loss + f.o.L2*penalty
}

// addEmissions adds the gradient of one sequence for the features j with
// j mod owners = owner.
func (f *fitter) addEmissions(s *sequence, example Sequence, gradient []float64, owner, owners int32) {
	m, parts := f.model, f.model.parts
	for t := range example.X.Rows() {
		residual := s.residual[t*parts : (t+1)*parts]
		index, value := example.X.Row(t)
		for k, j := range index {
			if j%owners != owner {
				continue
			}
			sums := gradient[m.start[j]:m.start[j+1]]
			for w, part := range m.part[m.start[j]:m.start[j+1]] {
				sums[w] += float64(value[k]) * residual[part]
			}
		}
	}
}
