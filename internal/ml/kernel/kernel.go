// Package kernel is the arithmetic of a transformer encoder on numbers of eight
// bits: products of matrices, and what happens between them.
//
// Every function has a version in plain Go that defines its result, and faster
// ones for processors with vector instructions. All give the same bits: sums of
// integers are exact, no multiplication is fused with an addition, and sums of
// fractions are taken in the order that the plain version takes them.
package kernel

//go:generate go -C gen run . -out ../kernels_amd64.s -stubs ../kernels_amd64.go -pkg kernel
//go:generate go -C gen run ./arm64 -out ../kernels_arm64.s

// implementation is a set of the functions that differ between processors.
type implementation struct {
	name         string
	apply        func(y []float32, m *Matrix, x *Rows)
	quantize     func(to []int8, x []float32) (scale float32, sum, squares int32)
	quantizeRest func(to []int8, x []float32, rounded []int8, scale float32) (sum int32)
	gelu         func(x []float32)
	softmax      func(x []float32, stride, rows, n int)
	addNorm      func(x, y, gain, bias []float32, epsilon float32)
	multiply     func(c []float32, ldc int, a []float32, lda int, b []float32, ldb int, m, n, k int)
}

// plain works everywhere, and is what the others are compared with.
var plain = implementation{"go", applyPlain, quantizePlain, quantizeRestPlain, geluPlain, softmaxPlain, addNormPlain, multiplyPlain}

// current is the fastest one that this processor can do.
var current = available()[0]

// Name says which instructions the functions use.
func Name() string { return current.name }

// GELU replaces every x by x·Φ(x), where Φ is the normal distribution. It is
// within 3e-7·max(1, |x|) of the exact value.
//
// Source: Hendrycks, Gimpel 2016, "Gaussian Error Linear Units".
func GELU(x []float32) { current.gelu(x) }

// Softmax replaces every x by eˣ/Σeˣ over the n numbers of its row, within a
// millionth of it. A row is stride numbers after the one before, and there is place
// for n rounded up to a multiple of eight; what is behind the n is lost.
func Softmax(x []float32, stride, rows, n int) {
	if n > 0 {
		current.softmax(x[:(rows-1)*stride+(n+lanes-1)/lanes*lanes], stride, rows, n)
	}
}

// AddNorm replaces x by x + y, moved and scaled to mean 0 and variance 1, times
// gain, plus bias. All have the same length; epsilon is added to the variance.
//
// Source: Ba, Kiros, Hinton 2016, "Layer Normalization".
func AddNorm(x, y, gain, bias []float32, epsilon float32) {
	current.addNorm(x, y[:len(x)], gain[:len(x)], bias[:len(x)], epsilon)
}

// Multiply computes c = a·b, an m×n matrix from an m×k and a k×n one. A row of a,
// b and c is lda, ldb and ldc numbers after the one before. Every number of c is a
// sum of k products in order.
func Multiply(c []float32, ldc int, a []float32, lda int, b []float32, ldb int, m, n, k int) {
	if m == 0 || n == 0 {
		return
	}
	current.multiply(c[:(m-1)*ldc+n], ldc, a[:(m-1)*lda+k], lda, b[:(k-1)*ldb+n], ldb, m, n, k)
}
