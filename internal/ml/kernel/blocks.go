//go:build amd64 || arm64

package kernel

// block computes rows × Channels numbers; see gen.
type block func(y *float32, yStride int, x *int8, xStride int, weights *byte, steps int, scale *float32, sum *int32, outScale, bias *float32)

// applyBlocks takes the rows in parts of about the same size for each block of
// outputs, whose weights stay in the processor's first cache meanwhile.
func applyBlocks(blocks []block, y []float32, m *Matrix, x *Rows) {
	rows, out, size := x.Len(), Padded(m.Out), Channels*x.stride
	parts := (rows + len(blocks) - 1) / len(blocks)
	for from := 0; from < out; from += Channels {
		weights := &m.Weights[from/Channels*size]
		for p := range parts {
			first, last := rows*p/parts, rows*(p+1)/parts
			blocks[last-first-1](&y[first*out+from], 4*out, &x.values[first*x.stride], x.stride, weights, x.stride/Step,
				&x.scale[first], &x.sum[first], &m.Scale[from], &m.Bias[from])
		}
	}
}
