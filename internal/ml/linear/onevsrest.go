package linear

import (
	"context"
	"errors"
	"slices"

	"github.com/loquat-dev/loquat/internal/ml/parallel"
	"github.com/loquat-dev/loquat/internal/ml/sparse"
)

// OneVsRest is a logistic regression for each class, independent of the others, so
// that several classes may hold at once: p(k|x) = σ(x·W[:,k] + b[k]).
type OneVsRest struct {
	Classes  int
	Features int
	// Weights are W row by row, one row of Classes for each feature, and after
	// them the biases b: shape [Features+1, Classes].
	Weights []float32
}

// FitOneVsRest minimises, for each class k, Σᵢ −log p(holds[i] contains k | xᵢ) +
// ½λ‖W[:,k]‖² over the rows xᵢ of x, with λ = o.L2. holds has the classes of each
// row, ascending.
func FitOneVsRest(ctx context.Context, x *sparse.Matrix, holds [][]int, classes int, o SoftmaxOptions) (*OneVsRest, error) {
	m := &OneVsRest{Classes: classes, Features: x.Cols, Weights: make([]float32, (x.Cols+1)*classes)}
	weight := slices.Repeat([]float64{1}, x.Rows())
	threads := o.Threads
	// Two classes have two vectors, w₁ and w₀: of their difference v, ½λ(‖w₀‖² +
	// ‖w₁‖²) is ¼λ‖v‖².
	o.L2, o.Threads = 2*o.L2, 1
	errs := make([]error, classes)
	parallel.Ranges(threads, classes, func(from, to int) {
		label := make([]int, x.Rows())
		for k := from; k < to; k++ {
			for i := range label {
				label[i] = 0
				if _, ok := slices.BinarySearch(holds[i], k); ok {
					label[i] = 1
				}
			}
			binary, err := FitSoftmax(ctx, x, label, weight, 2, o)
			if err != nil {
				errs[k] = err
				return
			}
			for j := range x.Cols + 1 {
				m.Weights[j*classes+k] = binary.Weights[2*j+1] - binary.Weights[2*j]
			}
		}
	})
	return m, errors.Join(errs...)
}

// Scores writes the log-odds log p(k|x)/(1−p(k|x)) of each class for one sparse
// vector to out, of length Classes. Columns outside of the model are ignored.
func (m *OneVsRest) Scores(index []int32, value []float32, out []float64) {
	scores(m.Weights, m.Features, index, value, out)
}

// scores writes x·W + b to out.
func scores(weights []float32, features int, index []int32, value []float32, out []float64) {
	for k, b := range weights[features*len(out):] {
		out[k] = float64(b)
	}
	for t, j := range index {
		if int(j) >= features {
			continue
		}
		v := float64(value[t])
		for k, w := range weights[int(j)*len(out) : (int(j)+1)*len(out)] {
			out[k] += v * float64(w)
		}
	}
}
