// Package linear holds linear models over sparse vectors.
package linear

import (
	"context"
	"math"

	"github.com/loquat-dev/loquat/internal/ml/optim"
	"github.com/loquat-dev/loquat/internal/ml/parallel"
	"github.com/loquat-dev/loquat/internal/ml/sparse"
)

// Softmax is multinomial logistic regression: p(k|x) ∝ exp(x·W[:,k] + b[k]).
type Softmax struct {
	Classes  int
	Features int
	// Weights are W row by row, one row of Classes for each feature, and after
	// them the biases b: shape [Features+1, Classes].
	Weights []float32
}

// SoftmaxOptions say how to fit.
type SoftmaxOptions struct {
	L2            float64 // λ of ½λ‖W‖²; biases are free
	MaxIterations int
	Tolerance     float64 // stop when no component of the gradient is larger
	Threads       int
}

// FitSoftmax minimises Σᵢ weight[i]·(−log p(label[i]|xᵢ)) + ½λ‖W‖² over the rows
// xᵢ of x.
func FitSoftmax(ctx context.Context, x *sparse.Matrix, label []int, weight []float64, classes int, o SoftmaxOptions) (*Softmax, error) {
	m := &Softmax{Classes: classes, Features: x.Cols}
	params := make([]float64, (x.Cols+1)*classes)
	minimiser := optim.LBFGS{
		MaxIterations:     o.MaxIterations,
		GradientTolerance: o.Tolerance,
		ValueTolerance:    2.2e-9,
		Memory:            10,
		Curvature:         curvature(x, weight, classes, o.L2),
		Threads:           o.Threads,
	}
	loss := softmaxLoss(x, label, weight, classes, o.L2, o.Threads)
	if _, err := minimiser.Minimize(ctx, loss, params); err != nil {
		return nil, err
	}
	m.Weights = make([]float32, len(params))
	for i, p := range params {
		m.Weights[i] = float32(p)
	}
	return m, nil
}

// curvature is the diagonal of the Hessian where every class is as likely.
func curvature(x *sparse.Matrix, weight []float64, classes int, l2 float64) []float64 {
	byFeature := make([]float64, x.Cols+1)
	for i, w := range weight {
		index, value := x.Row(i)
		for t, j := range index {
			byFeature[j] += w * float64(value[t]) * float64(value[t])
		}
		byFeature[x.Cols] += w
	}
	p := 1 / float64(classes)
	out := make([]float64, 0, len(byFeature)*classes)
	for j, sum := range byFeature {
		c := p * (1 - p) * sum
		if j < x.Cols {
			c += l2
		}
		for range classes {
			out = append(out, c)
		}
	}
	return out
}

// softmaxLoss is the function that FitSoftmax minimises. Probabilities are
// computed example by example and gradients feature by feature, so every number
// is the same on any number of threads.
func softmaxLoss(x *sparse.Matrix, label []int, weight []float64, classes int, l2 float64, threads int) optim.Function {
	residual := make([]float64, x.Rows()*classes) // weight·(p − [k = label])
	byColumn := x.Transpose()
	return func(w, gradient []float64) float64 {
		bias := w[x.Cols*classes:]
		loss := parallel.Sum(threads, x.Rows(), func(from, to int) float64 {
			sum := 0.0
			for i := from; i < to; i++ {
				r := residual[i*classes : (i+1)*classes]
				copy(r, bias)
				index, value := x.Row(i)
				for t, j := range index {
					addScaled(r, float64(value[t]), w[int(j)*classes:(int(j)+1)*classes])
				}
				score := r[label[i]]
				logSum := softmaxInPlace(r)
				sum += weight[i] * (logSum - score)
				for k := range r {
					r[k] *= weight[i]
				}
				r[label[i]] -= weight[i]
			}
			return sum
		})
		parallel.Ranges(threads, x.Cols, func(from, to int) {
			for j := from; j < to; j++ {
				g, wj := gradient[j*classes:(j+1)*classes], w[j*classes:(j+1)*classes]
				for k := range g {
					g[k] = l2 * wj[k]
				}
				rows, value := byColumn.Row(j)
				for t, i := range rows {
					addScaled(g, float64(value[t]), residual[int(i)*classes:(int(i)+1)*classes])
				}
			}
		})
		g := gradient[x.Cols*classes:]
		clear(g)
		for i := range x.Rows() {
			addScaled(g, 1, residual[i*classes:(i+1)*classes])
		}
		return loss + l2/2*parallel.Sum(threads, x.Cols*classes, func(from, to int) float64 {
			sum := 0.0
			for _, v := range w[from:to] {
				sum += v * v
			}
			return sum
		})
	}
}

// Probabilities writes p(k|x) for one sparse vector to out, of length Classes.
// Columns outside of the model are ignored.
func (m *Softmax) Probabilities(index []int32, value []float32, out []float64) {
	scores(m.Weights, m.Features, index, value, out)
	softmaxInPlace(out)
}

// softmaxInPlace turns scores into probabilities and returns log Σ exp(score).
func softmaxInPlace(s []float64) float64 {
	top := s[0]
	for _, v := range s {
		top = max(top, v)
	}
	sum := 0.0
	for k, v := range s {
		s[k] = math.Exp(v - top)
		sum += s[k]
	}
	for k := range s {
		s[k] /= sum
	}
	return top + math.Log(sum)
}

// addScaled adds a·x to y, four at a time: the compiler does not do it itself.
func addScaled(y []float64, a float64, x []float64) {
	x = x[:len(y)]
	k := 0
	for ; k+4 <= len(y); k += 4 {
		y, x := y[k:k+4:k+4], x[k:k+4:k+4]
		y[0] += a * x[0]
		y[1] += a * x[1]
		y[2] += a * x[2]
		y[3] += a * x[3]
	}
	for ; k < len(y); k++ {
		y[k] += a * x[k]
	}
}
