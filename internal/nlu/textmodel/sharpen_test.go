package textmodel

import (
	"math"
	"testing"
)

// Sharpening keeps the order, makes a distribution, and leaves alone what is
// certain or a tie.
func TestSharpen(t *testing.T) {
	for _, c := range []struct{ sums, want []float64 }{
		{[]float64{4, 0}, []float64{1, 0}},
		{[]float64{2, 2}, []float64{0.5, 0.5}},
		{[]float64{2.4, 1.2, 0.4}, []float64{0.6651, 0.2701, 0.0648}},
	} {
		p := append([]float64(nil), c.sums...)
		sharpen(p, 1+networks, confidencePower)
		sum := 0.0
		for k := range p {
			sum += p[k]
			if math.Abs(p[k]-c.want[k]) > 0.0002 {
				t.Errorf("%v becomes %v, want %v", c.sums, p, c.want)
				break
			}
		}
		if math.Abs(sum-1) > 1e-12 {
			t.Errorf("%v sums up to %v", p, sum)
		}
	}
}
