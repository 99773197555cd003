// Package discriminant tells classes of dense vectors apart by where their means
// lie, in the measure of how vectors of one class differ:
//
//	score(k|x) = m[k]ᵀ W⁻¹ x − ½ m[k]ᵀ W⁻¹ m[k]
//
// m[k] is the mean of class k and W the covariance within the classes, drawn
// towards a multiple of the identity as if Prior more examples had shown that. It
// needs no iterations, and little data: a direction in which examples of the same
// class differ anyway, such as who speaks or how politely, counts little, and all
// classes together teach that.
//
// Probabilities are softmax(sharpness · score). Sharpness is measured: each example
// is scored as if it had not been learned from.
//
// Source: Fisher 1936; Friedman 1989, "Regularized Discriminant Analysis".
package discriminant

import (
	"math"

	"github.com/loquat-dev/loquat/internal/ml/vector"
	"github.com/loquat-dev/loquat/internal/ml/weights"
)

// Model scores vectors. Its methods are safe for concurrent use.
type Model struct {
	Features, Classes int
	Sharpness         float64
	// Loss is the mean of −log p of the right class of examples that were not learned
	// from; 0 if it was read.
	Loss float64

	center []float32 // [Features], taken from a vector before its length becomes 1
	w      []byte    // [Features, Classes], eight bits with one scale for each class
	scale  []float32 // [Classes]
	bias   []float32 // [Classes]
}

// Normalize writes x, centred and of length 1, to out.
func (m *Model) Normalize(x, out []float32) { normalize(x, m.center, out) }

func normalize(x, center, out []float32) {
	for i := range out {
		out[i] = x[i] - center[i]
	}
	if length := math.Sqrt(float64(vector.Dot(out, out))); length > 0 {
		scale := float32(1 / length)
		for i := range out {
			out[i] *= scale
		}
	}
}

// Scores computes the score of each class for a normalized vector into out.
func (m *Model) Scores(x, out []float32) {
	out = out[:m.Classes]
	clear(out)
	for j, v := range x {
		vector.AddScaledBytes(out, v, m.w[j*m.Classes:(j+1)*m.Classes])
	}
	for k := range out {
		out[k] = out[k]*m.scale[k] - m.bias[k]
	}
}

// Write adds the model to a file.
func (m *Model) Write(w *weights.Writer) {
	w.Float(m.Sharpness)
	w.Floats(m.center)
	w.Floats(m.scale)
	w.Floats(m.bias)
	w.Raw(m.w)
}

// Read reads what Write has written. Shapes that do not fit together make the
// reader fail.
func Read(r *weights.Reader) *Model {
	m := &Model{Sharpness: r.Float(), center: r.Floats(), scale: r.Floats(), bias: r.Floats(), w: r.Raw()}
	m.Features, m.Classes = len(m.center), len(m.scale)
	if r.Err() == nil && (len(m.bias) != m.Classes || len(m.w) != m.Features*m.Classes) {
		r.Fail("%d weights and %d biases for %d features and %d classes", len(m.w), len(m.bias), m.Features, m.Classes)
	}
	return m
}
