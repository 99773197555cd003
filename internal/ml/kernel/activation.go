package kernel

import "math"

// lanes is how many partial sums a sum of fractions has: of every eighth term each.
const lanes = 8

// combine adds up partial sums in the order that all versions have in common.
func combine(s *[lanes]float32) float32 {
	return (s[0] + s[4]) + (s[2] + s[6]) + ((s[1] + s[5]) + (s[3] + s[7]))
}

// quantizePlain rounds a row. It returns what to multiply the result with, its sum
// and the sum of its squares.
func quantizePlain(to []int8, x []float32) (scale float32, sum, squares int32) {
	var largest float32
	for _, v := range x {
		largest = max(largest, v, -v)
	}
	if !(largest >= tiny) {
		clear(to)
		return 0, 0, 0
	}
	up := 127 / largest
	sum, squares = roundTo(to, x, up)
	return 1 / up, sum, squares
}

// roundTo rounds numbers times up.
func roundTo(to []int8, x []float32, up float32) (sum, squares int32) {
	for i, v := range x {
		q := float32(float32(v*up)+magic) - magic
		to[i] = int8(q)
		sum += int32(q)
		squares += int32(q) * int32(q)
	}
	return sum, squares
}

// quantizeRestPlain rounds what quantizePlain left of a row, in parts of 1/254 of
// its scale. It returns the sum.
func quantizeRestPlain(to []int8, x []float32, rounded []int8, scale float32) (sum int32) {
	up := 1 / scale
	for i, v := range x {
		rest := float32(v*up) - float32(rounded[i])
		q := float32(float32(rest*parts)+magic) - magic
		to[i] = int8(q)
		sum += int32(q)
	}
	return sum
}

// parts is how many steps of the rest make one step of the row.
const parts = 254

const (
	// tiny is what counts as 0, so that dividing by it gives a number.
	tiny = 1e-30
	// magic pushes everything behind the point out of a float32: adding and
	// subtracting it rounds to the nearest integer, halves to even.
	magic = 1.5 * (1 << 23)
)

// geluPlain replaces every x by x·Φ(x), where Φ is the normal distribution.
//
// Φ(x) = ½ + x·P(x²)/Q(x²) between ±5.5, where what is left is too small for a
// float32. P and Q were fitted for the least largest error. The result is within
// 3e-7·max(1, |x|) of the exact one.
func geluPlain(x []float32) {
	for i, v := range x {
		c := min(max(v, -geluEnd), geluEnd)
		t := c * c
		p, q := geluP[5], geluQ[5]
		for k := 4; k >= 0; k-- {
			p = float32(p*t) + geluP[k]
			q = float32(q*t) + geluQ[k]
		}
		x[i] = v * (0.5 + float32(c*p)/q)
	}
}

const geluEnd = 5.5

var (
	geluP = [6]float32{0.39894223462181577, 0.03385278127882579, 0.00467726936840385, 0.00016882709443343763, 6.352131921562806e-06, 2.2749329309276686e-08}
	geluQ = [6]float32{1, 0.25152225703241293, 0.0286459498954572, 0.0018844528758174548, 7.36479795086272e-05, 1.197503909776034e-06}
)

// softmaxPlain replaces every x by eˣ/Σeˣ over its row.
//
// eˣ = 2ⁿ·2ᶠ with n = x·log₂e rounded; a polynomial of degree 5 gives 2ᶠ within
// 1e-7 of it.
func softmaxPlain(x []float32, stride, rows, n int) {
	for i := range rows {
		softmaxRow(x[i*stride:][:n])
	}
}

func softmaxRow(x []float32) {
	largest := x[0]
	for _, v := range x {
		largest = max(largest, v)
	}
	var sums [lanes]float32
	for i, v := range x {
		v = max(float32((v-largest)*log2e), expEnd)
		whole := float32(v+magic) - magic
		f := v - whole
		p := exp2[5]
		for k := 4; k >= 0; k-- {
			p = float32(p*f) + exp2[k]
		}
		e := p * math.Float32frombits(uint32(int32(whole)+127)<<23)
		x[i] = e
		sums[i%lanes] += e
	}
	sum := combine(&sums)
	for i := range x {
		x[i] /= sum
	}
}

const (
	log2e  = math.Log2E
	expEnd = -126 // 2ⁿ is the smallest normal float32
)

var exp2 = [6]float32{1, 0.6931469775985573, 0.24022242084840564, 0.055507337441419946, 0.009671512664177356, 0.0013264726927738897}

// addNormPlain replaces x by the sum of x and y, moved and scaled to mean 0 and
// variance 1, times gain, plus bias.
//
// Source: Ba, Kiros, Hinton 2016, "Layer Normalization".
func addNormPlain(x, y, gain, bias []float32, epsilon float32) {
	var sums, squares [lanes]float32
	for i, v := range y {
		x[i] += v
		sums[i%lanes] += x[i]
	}
	n := float32(len(x))
	mean := combine(&sums) / n
	for i, v := range x {
		d := v - mean
		squares[i%lanes] += float32(d * d)
	}
	scale := 1 / float32(math.Sqrt(float64(combine(&squares)/n+epsilon)))
	for i, v := range x {
		x[i] = float32(float32((v-mean)*scale)*gain[i]) + bias[i]
	}
}
