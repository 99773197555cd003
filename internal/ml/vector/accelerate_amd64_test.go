package vector

import "testing"

// accelerate turns the vector instructions on or off for the rest of a test.
func accelerate(t *testing.T, on bool) {
	before := accelerated
	accelerated = on
	t.Cleanup(func() { accelerated = before })
}
