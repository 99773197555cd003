package kernel

import (
	"fmt"

	"github.com/loquat-dev/loquat/internal/ml/vector"
)

// Matrix is a linear layer y = W·x + b with weights of eight bits.
//
// The weights lie as the kernels read them: in blocks of Channels outputs, and in
// each block, Step inputs of all its outputs at a time:
//
//	Weights[((o/Channels)·steps + i/Step)·Channels·Step + (o%Channels)·Step + i%Step]
//
// holds 128 plus the number that, times Scale[o], is the weight from input i to
// output o. Outputs and inputs that only fill up the last block or step hold 128.
type Matrix struct {
	In, Out     int
	Weights     []byte    // see PackedSize
	Scale, Bias []float32 // Padded(Out) each
}

const (
	// Channels is how many outputs lie beside each other.
	Channels = 32
	// Step is how many inputs of an output lie beside each other.
	Step = 4
	// zero is the byte of a weight of 0.
	zero = 128
	// MaxIn is the number of inputs from which a sum could overflow.
	MaxIn = 1 << 16
)

// Padded is n rounded up to whole blocks of outputs.
func Padded(n int) int { return (n + Channels - 1) / Channels * Channels }

// Stride is n rounded up to whole steps of inputs.
func Stride(n int) int { return (n + Step - 1) / Step * Step }

// PackedSize is how many bytes the weights of a matrix take.
func PackedSize(in, out int) int { return Padded(out) * Stride(in) }

// Pack puts the weights of one output, numbers from −127 to 127, into their places.
func Pack(weights []byte, in, output int, row []int8) {
	for i, q := range row {
		weights[place(in, output, i)] = byte(int(q) + zero)
	}
}

// Clear fills the weights with zeros.
func Clear(weights []byte) {
	for i := range weights {
		weights[i] = zero
	}
}

func place(in, output, input int) int {
	return ((output/Channels)*(Stride(in)/Step)+input/Step)*Channels*Step + output%Channels*Step + input%Step
}

// Rows are rows of numbers that were rounded to eight bits, each with a scale of
// its own. A row with a number that stands out, beside which the others would be
// rounded to little, has a second one behind all first ones: what rounding left.
type Rows struct {
	n, stride int
	values    []int8
	scale     []float32 // what to multiply the values of a row with
	sum       []int32   // Σ of the values of a row
	rests     []int     // rows that have a second one
}

// outstanding is how many times the root of a row's mean square its largest number
// must be for a second row. Transformers have such rows: one position in a text that
// heads of attention rest on.
const outstanding = 10

// Quantize rounds n rows of x, width numbers each and stride from row to row: the
// largest of a row becomes 127 or −127. Halves are rounded to even.
func (r *Rows) Quantize(x []float32, n, width, stride int) {
	r.n, r.stride, r.rests = n, Stride(width), r.rests[:0]
	r.resize(n)
	for i := range n {
		row := r.row(i)
		var squares int32
		r.scale[i], r.sum[i], squares = current.quantize(row[:width], x[i*stride:][:width])
		clear(row[width:])
		if int64(squares)*outstanding*outstanding < 127*127*int64(width) && r.scale[i] != 0 {
			r.rests = append(r.rests, i)
		}
	}
	r.resize(n + len(r.rests))
	for k, i := range r.rests {
		row := r.row(n + k)
		r.scale[n+k] = r.scale[i] / parts
		r.sum[n+k] = current.quantizeRest(row[:width], x[i*stride:][:width], r.row(i), r.scale[i])
		clear(row[width:])
	}
}

// Len is how many rows there are, second ones included.
func (r *Rows) Len() int { return len(r.scale) }

func (r *Rows) row(i int) []int8 { return r.values[i*r.stride : (i+1)*r.stride] }

// resize makes place for n rows, and keeps those that there are.
func (r *Rows) resize(n int) {
	r.values = resize(r.values, n*r.stride)
	r.scale, r.sum = resize(r.scale, n), resize(r.sum, n)
}

// resize sets the length of a slice, and keeps what is in it.
func resize[T any](s []T, n int) []T {
	if cap(s) < n {
		return append(make([]T, 0, 2*n), s...)[:n]
	}
	return s[:n]
}

// Apply computes y = W·x + b for every row of x. Rows of y are Padded(m.Out)
// numbers; what is behind m.Out is 0 if scales and biases are 0 there. There must be
// place for x.Len() rows; those behind the first ones are used for sums.
//
// A result is (Σ·scale of the row)·scale of the output + bias; with a second row,
// that row's result without bias is added.
func (m *Matrix) Apply(y []float32, x *Rows) {
	out := Padded(m.Out)
	if Stride(m.In) != x.stride || len(y) < x.Len()*out || len(m.Weights) != PackedSize(m.In, m.Out) {
		panic(fmt.Sprintf("kernel: a %d×%d matrix, %d rows of %d numbers, and place for %d", m.Out, m.In, x.Len(), x.stride, len(y)))
	}
	current.apply(y, m, x)
	for k, i := range x.rests {
		row, rest := y[i*out:][:out], y[(x.n+k)*out:][:out]
		vector.AddScaled(rest, -1, m.Bias)
		vector.AddScaled(row, 1, rest)
	}
}

// applyPlain defines Apply.
func applyPlain(y []float32, m *Matrix, x *Rows) {
	out, block := Padded(m.Out), Channels*x.stride
	for from := 0; from < out; from += Channels {
		weights := m.Weights[from/Channels*block:][:block]
		for r, scale := range x.scale {
			var sums [Channels]int32
			row := x.values[r*x.stride:][:x.stride]
			for i := 0; i < len(row); i += Step {
				a0, a1, a2, a3 := int32(row[i]), int32(row[i+1]), int32(row[i+2]), int32(row[i+3])
				w := weights[i*Channels:][:Channels*Step]
				for c := range sums {
					w4 := w[c*Step:][:Step]
					sums[c] += a0*int32(w4[0]) + a1*int32(w4[1]) + a2*int32(w4[2]) + a3*int32(w4[3])
				}
			}
			to := y[r*out+from:][:Channels]
			for c, sum := range sums {
				sum -= zero * x.sum[r]
				to[c] = float32(float32(float32(sum)*scale)*m.Scale[from+c]) + m.Bias[from+c]
			}
		}
	}
}
