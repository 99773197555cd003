//go:build !amd64

package vector

const accelerated = false

func addScaled(y, x *float32, n int, a float32) { panic("not accelerated") }

func addScaledBytes(y *float32, x *byte, n int, a float32) { panic("not accelerated") }

func dot(a, b *float32, n int, s *[lanes]float32) { panic("not accelerated") }
