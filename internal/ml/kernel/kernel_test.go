package kernel

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// use makes the functions those of an implementation for the rest of a test.
func use(t testing.TB, i implementation) {
	before := current
	current = i
	t.Cleanup(func() { current = before })
}

// numbers gives random numbers, of which some stand out.
func numbers(r *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(r.NormFloat64())
		if r.IntN(200) == 0 {
			x[i] *= 30
		}
	}
	return x
}

// matrix gives a matrix and its weights without rounding.
func matrix(r *rand.Rand, in, out int) (m Matrix, weights []float64) {
	m = Matrix{
		In: in, Out: out, Weights: make([]byte, PackedSize(in, out)),
		Scale: make([]float32, Padded(out)), Bias: make([]float32, Padded(out)),
	}
	Clear(m.Weights)
	row := make([]int8, in)
	for o := range out {
		m.Scale[o], m.Bias[o] = r.Float32()/100, float32(r.NormFloat64())
		for i := range row {
			row[i] = int8(r.IntN(255) - 127)
			weights = append(weights, float64(row[i])*float64(m.Scale[o]))
		}
		Pack(m.Weights, in, o, row)
	}
	return m, weights
}

// results computes everything, for random shapes.
func results(seed uint64) (out [][]float32) {
	r := rand.New(rand.NewPCG(seed, 0))
	n, in, outs := 1+r.IntN(30), 1+r.IntN(200), 1+r.IntN(100)
	x := numbers(r, n*in)
	m, _ := matrix(r, in, outs)
	var rows Rows
	rows.Quantize(x, n, in, in)
	y := make([]float32, rows.Len()*Padded(outs))
	m.Apply(y, &rows)
	out = append(out, y[:n*Padded(outs)], slices.Clone(rows.scale))

	g := numbers(r, in)
	GELU(g)
	out = append(out, g)

	stride := (in + 15) / 16 * 16
	s := numbers(r, n*stride)
	Softmax(s, stride, n, in)
	for i := range n {
		out = append(out, s[i*stride:][:in])
	}

	z := numbers(r, in)
	AddNorm(z, numbers(r, in), numbers(r, in), numbers(r, in), 1e-6)
	out = append(out, z)

	k := 1 + r.IntN(40)
	c := make([]float32, n*(outs+3))
	Multiply(c, outs+3, numbers(r, n*(k+2)), k+2, numbers(r, k*(outs+1)), outs+1, n, outs, k)
	return append(out, c)
}

// A vector must not depend on the processor that it was computed on: all agree to
// the last bit.
func TestAllGiveTheSameBits(t *testing.T) {
	all := available()
	if len(all) == 1 {
		t.Skip("this processor has none of the instructions that are used")
	}
	for seed := range uint64(300) {
		use(t, plain)
		want := results(seed)
		for _, i := range all[:len(all)-1] {
			use(t, i)
			for k, got := range results(seed) {
				if !slices.Equal(got, want[k]) {
					t.Fatalf("seed %d: result %d with %s:\n%v\nwithout:\n%v", seed, k, i.name, got, want[k])
				}
			}
		}
	}
}

// What a product of rounded rows differs from the exact one by is what rounding
// the rows costs: half a step of each number, and little with a second row.
func TestApply(t *testing.T) {
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 1))
		n, in, out := 1+r.IntN(5), 1+r.IntN(300), 1+r.IntN(70)
		x := numbers(r, n*in)
		m, weights := matrix(r, in, out)
		var rows Rows
		rows.Quantize(x, n, in, in)
		y := make([]float32, rows.Len()*Padded(out))
		m.Apply(y, &rows)
		for i := range n {
			step := float64(rows.scale[i])
			if slices.Contains(rows.rests, i) {
				step /= parts
			}
			for o := range Padded(out) {
				want, most := float64(m.Bias[o]), 1e-4
				for k := 0; k < in && o < out; k++ {
					want += float64(x[i*in+k]) * weights[o*in+k]
					most += math.Abs(weights[o*in+k]) * step * 0.501
				}
				if got := float64(y[i*Padded(out)+o]); math.Abs(got-want) > most {
					t.Fatalf("seed %d: output %d of row %d is %v, want %v within %v", seed, o, i, got, want, most)
				}
			}
		}
	}
}

func TestRowsThatStandOutHaveASecond(t *testing.T) {
	x := make([]float32, 2*400)
	for i := range x {
		x[i] = float32(i%7) - 3
	}
	x[400] = 1000
	var rows Rows
	rows.Quantize(x, 2, 400, 400)
	if !slices.Equal(rows.rests, []int{1}) || rows.Len() != 3 {
		t.Errorf("second rows of %v", rows.rests)
	}
	rows.Quantize(make([]float32, 800), 2, 400, 400)
	if rows.Len() != 2 || rows.scale[0] != 0 {
		t.Errorf("%d rows of zeros, times %v", rows.Len(), rows.scale)
	}
}

func TestGELU(t *testing.T) {
	for v := -12.0; v < 12; v += 1.0 / 512 {
		x := []float32{float32(v)}
		GELU(x)
		want := v / 2 * (1 + math.Erf(v/math.Sqrt2))
		if d := math.Abs(float64(x[0]) - want); d > 3e-7*max(1, math.Abs(v)) {
			t.Errorf("GELU(%v) = %v, want %v", v, x[0], want)
		}
	}
}

func TestSoftmax(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for n := 1; n < 50; n++ {
		x := make([]float32, (n+7)/8*8)
		sum := 0.0
		for i := range n {
			x[i] = float32(20 * r.NormFloat64())
			sum += math.Exp(float64(x[i]))
		}
		want := make([]float64, n)
		for i := range want {
			want[i] = math.Exp(float64(x[i])) / sum
		}
		Softmax(x, len(x), 1, n)
		for i, w := range want {
			if math.Abs(float64(x[i])-w) > 1e-5*w+1e-30 {
				t.Errorf("%d numbers: %v, want %v", n, x[i], w)
			}
		}
	}
}

func TestAddNorm(t *testing.T) {
	x, y := []float32{1, 2, 3}, []float32{3, 4, 5}
	AddNorm(x, y, []float32{1, 1, 2}, []float32{0, 10, 0}, 0)
	root := float32(math.Sqrt(1.5))
	for i, want := range []float32{-root, 10, 2 * root} {
		if d := x[i] - want; d > 1e-6 || d < -1e-6 {
			t.Errorf("number %d is %v, want %v", i, x[i], want)
		}
	}
}

func BenchmarkApply(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	x := make([]float32, 12*384)
	for i := range x {
		x[i] = r.Float32()
	}
	m, _ := matrix(r, 384, 1536)
	var rows Rows
	rows.Quantize(x, 12, 384, 384)
	y := make([]float32, rows.Len()*1536)
	for _, i := range available() {
		b.Run(i.name, func(b *testing.B) {
			use(b, i)
			for b.Loop() {
				m.Apply(y, &rows)
			}
		})
	}
}
