package sparse

// Ones returns n ones, for the values of a matrix that says what is there. The
// slice is shared: whoever gets it must not change it.
func Ones(n int) []float32 {
	if n <= len(ones) {
		return ones[:n:n]
	}
	return makeOnes(n)
}

var ones = makeOnes(1024)

func makeOnes(n int) []float32 {
	v := make([]float32, n)
	for i := range v {
		v[i] = 1
	}
	return v
}
