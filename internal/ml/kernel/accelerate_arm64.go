package kernel

import "golang.org/x/sys/cpu"

// available returns what this processor can do, the fastest first.
func available() []implementation {
	if !cpu.ARM64.HasASIMDDP {
		return []implementation{plain}
	}
	sdot := plain
	sdot.name, sdot.apply = "neon-sdot", applySDOT
	return []implementation{sdot, plain}
}

func applySDOT(y []float32, m *Matrix, x *Rows) { applyBlocks(blocksSDOT, y, m, x) }

var blocksSDOT = []block{applySDOT1, applySDOT2, applySDOT3}

//go:noescape
func applySDOT1(y *float32, yStride int, x *int8, xStride int, weights *byte, steps int, scale *float32, sum *int32, outScale *float32, bias *float32)

//go:noescape
func applySDOT2(y *float32, yStride int, x *int8, xStride int, weights *byte, steps int, scale *float32, sum *int32, outScale *float32, bias *float32)

//go:noescape
func applySDOT3(y *float32, yStride int, x *int8, xStride int, weights *byte, steps int, scale *float32, sum *int32, outScale *float32, bias *float32)
