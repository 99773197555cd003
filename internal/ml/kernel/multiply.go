package kernel

// multiplyPlain defines Multiply.
func multiplyPlain(c []float32, ldc int, a []float32, lda int, b []float32, ldb int, m, n, k int) {
	for i := range m {
		row := c[i*ldc:][:n]
		clear(row)
		for l, v := range a[i*lda:][:k] {
			for j, w := range b[l*ldb:][:n] {
				row[j] += float32(v * w)
			}
		}
	}
}
