// Package vector is the inner loop of the learners: sums of scaled rows and
// products of rows, eight numbers at a time where the processor can.
//
// Go's compiler does not use vector instructions, which makes such loops several
// times slower than the processor is. Every function gives the same bits with and
// without them: nothing is fused, and sums are taken in the same order.
package vector

// AddScaled adds a·x to y, which must be as long.
func AddScaled(y []float32, a float32, x []float32) {
	x = x[:len(y)]
	n := 0
	if accelerated && len(y) >= lanes {
		n = len(y) &^ (lanes - 1)
		addScaled(&y[0], &x[0], n, a)
	}
	for ; n < len(y); n++ {
		y[n] += float32(a * x[n])
	}
}

// AddScaledBytes adds a·x to y, which must be as long. The bytes are numbers from
// −128 to 127 in two's complement.
func AddScaledBytes(y []float32, a float32, x []byte) {
	x = x[:len(y)]
	n := 0
	if accelerated && len(y) >= lanes {
		n = len(y) &^ (lanes - 1)
		addScaledBytes(&y[0], &x[0], n, a)
	}
	for ; n < len(y); n++ {
		y[n] += float32(a * float32(int8(x[n])))
	}
}

// Dot is Σ a[i]·b[i] over two rows of the same length. The terms are added up in
// eight sums, of every eighth term each, then these in pairs, then the terms that
// are left over.
func Dot(a, b []float32) float32 {
	b = b[:len(a)]
	n := len(a) &^ (lanes - 1)
	var s [lanes]float32
	switch {
	case n == 0:
	case accelerated:
		dot(&a[0], &b[0], n, &s)
	default:
		for i := 0; i < n; i += lanes {
			a8, b8 := a[i:i+lanes:i+lanes], b[i:i+lanes:i+lanes]
			for k := range s {
				s[k] += float32(a8[k] * b8[k])
			}
		}
	}
	sum := (s[0] + s[4]) + (s[1] + s[5]) + ((s[2] + s[6]) + (s[3] + s[7]))
	for ; n < len(a); n++ {
		sum += float32(a[n] * b[n])
	}
	return sum
}

// lanes is how many numbers are worked on at a time.
const lanes = 8
