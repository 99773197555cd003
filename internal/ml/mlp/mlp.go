// Package mlp is a classifier with one hidden layer over sparse vectors:
//
//	h = relu(x·E)        x [inputs], E [inputs, hidden]
//	p = softmax(h·V)     V [hidden, classes]
//
// There are no biases: of a vector without known features the network says that
// every class is as likely, however uneven the classes were in training.
//
// E gives every input feature a vector, so that features which tell the same
// classes apart come to lie together; this is what makes it better than a linear
// model when there are many similar classes. Work and memory grow with the
// non-zeros of x and with inputs·hidden, not with inputs·classes.
package mlp

import (
	"math"
	"slices"

	"github.com/loquat-dev/loquat/internal/ml/vector"
)

// Net is a network as it is trained.
type Net struct {
	Inputs, Hidden, Classes int
	E                       []float32 // [Inputs, Hidden]
	V                       []float32 // [Hidden, Classes]
}

// Insert makes room for n more inputs before input at. They have no effect until
// training goes on.
func (n *Net) Insert(at, inputs int) {
	n.E = slices.Insert(n.E, at*n.Hidden, make([]float32, inputs*n.Hidden)...)
	n.Inputs += inputs
}

// forward computes the hidden layer and the scores of one example, of which
// columns that are not inputs are ignored.
func (n *Net) forward(index []int32, value, h, scores []float32) {
	clear(h)
	for t, j := range index {
		if int(j) >= n.Inputs {
			continue
		}
		vector.AddScaled(h, value[t], n.E[int(j)*n.Hidden:(int(j)+1)*n.Hidden])
	}
	n.top(h, scores)
}

// top turns sums into activations and computes the scores from them.
func (n *Net) top(h, scores []float32) {
	clear(scores)
	for k, a := range h {
		if a <= 0 {
			h[k] = 0
			continue
		}
		vector.AddScaled(scores, a, n.V[k*n.Classes:(k+1)*n.Classes])
	}
}

// softmax turns scores into probabilities in place and returns log Σ exp(score).
func softmax(s []float32) float64 {
	top := s[0]
	for _, v := range s {
		top = max(top, v)
	}
	sum := 0.0
	for k, v := range s {
		e := math.Exp(float64(v - top))
		s[k] = float32(e)
		sum += e
	}
	scale := float32(1 / sum)
	for k := range s {
		s[k] *= scale
	}
	return float64(top) + math.Log(sum)
}
