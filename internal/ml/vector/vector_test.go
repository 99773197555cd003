package vector

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// rows gives two rows of random numbers and one of bytes.
func rows(n int) (a, b []float32, c []byte) {
	r := rand.New(rand.NewPCG(uint64(n), 1))
	for range n {
		a, b, c = append(a, float32(r.NormFloat64())), append(b, float32(r.NormFloat64())), append(c, byte(r.IntN(256)))
	}
	return a, b, c
}

// results computes everything for rows of 0 to 100 numbers.
func results() (out [][]float32) {
	for n := range 100 {
		a, b, c := rows(n)
		y, z := slices.Clone(a), slices.Clone(a)
		AddScaled(y, 0.7, b)
		AddScaledBytes(z, 0.03, c)
		out = append(out, y, z, []float32{Dot(a, b)})
	}
	return out
}

func TestAgreesWithTheDefinition(t *testing.T) {
	all := results()
	for n := range 100 {
		a, b, c := rows(n)
		var sum float64
		for i := range a {
			sum += float64(a[i]) * float64(b[i])
			if want := a[i] + 0.7*b[i]; !near(float64(all[3*n][i]), float64(want)) {
				t.Errorf("length %d: AddScaled[%d] = %v, want %v", n, i, all[3*n][i], want)
			}
			if want := a[i] + 0.03*float32(int8(c[i])); !near(float64(all[3*n+1][i]), float64(want)) {
				t.Errorf("length %d: AddScaledBytes[%d] = %v, want %v", n, i, all[3*n+1][i], want)
			}
		}
		if got := all[3*n+2][0]; !near(float64(got), sum) {
			t.Errorf("length %d: Dot = %v, want %v", n, got, sum)
		}
	}
}

func near(a, b float64) bool { return a-b < 1e-4 && b-a < 1e-4 }

// A model must not depend on the processor it was trained on.
func TestVectorInstructionsGiveTheSameBits(t *testing.T) {
	if !accelerated {
		t.Skip("this processor has none of the vector instructions that are used")
	}
	with := results()
	accelerate(t, false)
	for i, want := range results() {
		if !slices.Equal(with[i], want) {
			t.Errorf("length %d: %v with vector instructions, %v without", i/3, with[i], want)
		}
	}
}

func TestPackRoundsToBytes(t *testing.T) {
	to := make([]byte, 6)
	scale := Pack(to, 2, []float32{0.5, -2, 1})
	if want := []byte{32, 0, 256 - 127, 0, 64, 0}; !slices.Equal(to, want) || !near(float64(scale), 2.0/127) {
		t.Errorf("%v times %v, want %v", to, scale, want)
	}
	if scale := Pack(to, 1, []float32{0, 0}); scale != 0 {
		t.Errorf("scale %v of zeros", scale)
	}
}

func BenchmarkAddScaled(b *testing.B) {
	x, y, bytes := rows(128)
	b.Run("floats", func(b *testing.B) {
		for b.Loop() {
			AddScaled(y, 1e-9, x)
		}
	})
	b.Run("bytes", func(b *testing.B) {
		for b.Loop() {
			AddScaledBytes(y, 1e-9, bytes)
		}
	})
	b.Run("dot", func(b *testing.B) {
		for b.Loop() {
			Dot(x, y)
		}
	})
}
