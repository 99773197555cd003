//go:build !amd64

package kernel

// available returns what this processor can do, the fastest first.
func available() []implementation { return []implementation{plain} }
