//go:build !amd64 && !arm64

package kernel

// available returns what this processor can do, the fastest first.
func available() []implementation { return []implementation{plain} }
