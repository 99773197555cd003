package vector

import "math"

// Pack rounds the numbers of a row to bytes for AddScaledBytes, stride places
// apart, and returns what to multiply them with: the largest number is 127 or −127
// times that.
func Pack(to []byte, stride int, row []float32) (scale float32) {
	var largest float32
	for _, v := range row {
		largest = max(largest, v, -v)
	}
	if largest == 0 {
		return 0
	}
	scale = largest / 127
	for k, v := range row {
		to[k*stride] = byte(int8(math.Round(float64(v / scale))))
	}
	return scale
}
