package vector

import "golang.org/x/sys/cpu"

// accelerated tells whether the processor has the instructions of
// vector_amd64.s: AVX2, in every one since 2013.
var accelerated = cpu.X86.HasAVX2

// n is a multiple of lanes, and not 0.

//go:noescape
func addScaled(y, x *float32, n int, a float32)

//go:noescape
func addScaledBytes(y *float32, x *byte, n int, a float32)

// dot adds the products to the sums in s.
//
//go:noescape
func dot(a, b *float32, n int, s *[lanes]float32)
