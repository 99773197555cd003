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

import "math"

// Net is a network as it is trained.
type Net struct {
	Inputs, Hidden, Classes int
	E                       []float32 // [Inputs, Hidden]
	V                       []float32 // [Hidden, Classes]
}

// forward computes the hidden layer and the scores of one example.
func (n *Net) forward(index []int32, value, h, scores []float32) {
	clear(h)
	for t, j := range index {
		addScaled(h, value[t], n.E[int(j)*n.Hidden:(int(j)+1)*n.Hidden])
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
		addScaled(scores, a, n.V[k*n.Classes:(k+1)*n.Classes])
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

// addScaled adds a·x to y. The loop is unrolled because the compiler does not.
func addScaled(y []float32, a float32, x []float32) {
	x = x[:len(y)]
	for len(y) >= 8 {
		y8, x8 := y[:8:8], x[:8:8]
		y8[0] += a * x8[0]
		y8[1] += a * x8[1]
		y8[2] += a * x8[2]
		y8[3] += a * x8[3]
		y8[4] += a * x8[4]
		y8[5] += a * x8[5]
		y8[6] += a * x8[6]
		y8[7] += a * x8[7]
		y, x = y[8:], x[8:]
	}
	for k := range y {
		y[k] += a * x[k]
	}
}

func dot(a, b []float32) float32 {
	b = b[:len(a)]
	var s0, s1, s2, s3 float32
	for len(a) >= 4 {
		a4, b4 := a[:4:4], b[:4:4]
		s0 += a4[0] * b4[0]
		s1 += a4[1] * b4[1]
		s2 += a4[2] * b4[2]
		s3 += a4[3] * b4[3]
		a, b = a[4:], b[4:]
	}
	for k := range a {
		s0 += a[k] * b[k]
	}
	return s0 + s1 + s2 + s3
}
