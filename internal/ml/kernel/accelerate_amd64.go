package kernel

import "golang.org/x/sys/cpu"

// available returns what this processor can do, the fastest first.
func available() []implementation {
	list := []implementation{plain}
	if !cpu.X86.HasAVX2 {
		return list
	}
	avx2 := implementation{"avx2", applyAVX2, quantizeRowAVX2, quantizeRestRowAVX2, geluRowAVX2, softmaxRowsAVX2, addNormRowAVX2, multiplyAVX2}
	list = append([]implementation{avx2}, list...)
	if cpu.X86.HasAVX512F && cpu.X86.HasAVX512BW && cpu.X86.HasAVX512VL && cpu.X86.HasAVX512VNNI {
		vnni := avx2
		vnni.name, vnni.apply = "avx512-vnni", applyVNNI
		list = append([]implementation{vnni}, list...)
	}
	return list
}

var (
	blocksVNNI = []block{
		applyVNNI1, applyVNNI2, applyVNNI3, applyVNNI4, applyVNNI5, applyVNNI6,
		applyVNNI7, applyVNNI8, applyVNNI9, applyVNNI10, applyVNNI11, applyVNNI12,
	}
	blocksAVX2 = []block{applyAVX2x1, applyAVX2x2}
)

func applyVNNI(y []float32, m *Matrix, x *Rows) { applyBlocks(blocksVNNI, y, m, x) }

func applyAVX2(y []float32, m *Matrix, x *Rows) { applyBlocks(blocksAVX2, y, m, x) }

func quantizeRowAVX2(to []int8, x []float32) (scale float32, sum, squares int32) {
	n := len(x) &^ 31
	var most float32
	if n > 0 {
		most = largestAVX2(&x[0], n)
	}
	for _, v := range x[n:] {
		most = max(most, v, -v)
	}
	if !(most >= tiny) {
		clear(to)
		return 0, 0, 0
	}
	up := 127 / most
	if n > 0 {
		sum, squares = quantizeAVX2(&to[0], &x[0], n, up)
	}
	restSum, restSquares := roundTo(to[n:], x[n:], up)
	return 1 / up, sum + restSum, squares + restSquares
}

func quantizeRestRowAVX2(to []int8, x []float32, rounded []int8, scale float32) (sum int32) {
	n := len(x) &^ 7
	if n > 0 {
		sum = quantizeRestAVX2(&to[0], &x[0], &rounded[0], n, 1/scale)
	}
	return sum + quantizeRestPlain(to[n:], x[n:], rounded[n:], scale)
}

func geluRowAVX2(x []float32) {
	n := len(x) &^ 15
	if n > 0 {
		geluAVX2(&x[0], n)
	}
	geluPlain(x[n:])
}

// masks has eight lanes of ones and then eight of zeros.
var masks = [2 * lanes]int32{-1, -1, -1, -1, -1, -1, -1, -1}

func softmaxRowsAVX2(x []float32, stride, rows, n int) {
	padded := (n + lanes - 1) / lanes * lanes
	mask := &masks[padded-n]
	for i := range rows {
		softmaxAVX2(&x[i*stride], padded, mask)
	}
}

func addNormRowAVX2(x, y, gain, bias []float32, epsilon float32) {
	n := len(x)
	if n == 0 || n%lanes != 0 {
		addNormPlain(x, y, gain, bias, epsilon)
		return
	}
	addNormAVX2(&x[0], &y[0], &gain[0], &bias[0], n, float32(n), epsilon)
}

func multiplyAVX2(c []float32, ldc int, a []float32, lda int, b []float32, ldb int, m, n, k int) {
	const width, height = 16, 4
	if k == 0 {
		multiplyPlain(c, ldc, a, lda, b, ldb, m, n, k)
		return
	}
	whole := n &^ (width - 1)
	for j := 0; j < whole; j += width {
		i := 0
		for ; i+height <= m; i += height {
			multiplyAVX2x4(&c[i*ldc+j], 4*ldc, &a[i*lda], 4*lda, &b[j], 4*ldb, k)
		}
		for ; i < m; i++ {
			multiplyAVX2x1(&c[i*ldc+j], 4*ldc, &a[i*lda], 4*lda, &b[j], 4*ldb, k)
		}
	}
	if whole < n {
		multiplyPlain(c[whole:], ldc, a, lda, b[whole:], ldb, m, n-whole, k)
	}
}
