package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// Both functions compute rows × 32 numbers of a product. The weights are those of
// one block: 32 outputs, steps times four inputs of each.
const applySignature = "func(y *float32, yStride int, x *int8, xStride int, weights *byte, steps int, scale *float32, sum *int32, outScale *float32, bias *float32)"

const blockBytes = 128 // of a step

// rowAddress gives the address of byte 0 of rows of x with few registers: every
// third row has one.
type rowAddress struct {
	bases  []GPVirtual
	stride GPVirtual
}

func newRowAddress(rows int) rowAddress {
	a := rowAddress{stride: pointer("xStride")}
	base := pointer("x")
	a.bases = append(a.bases, base)
	for r := 3; r < rows; r += 3 {
		next := GP64()
		LEAQ(Mem{Base: base, Index: a.stride, Scale: 2}, next)
		ADDQ(a.stride, next)
		a.bases = append(a.bases, next)
		base = next
	}
	return a
}

func (a rowAddress) at(row int) Mem {
	m := Mem{Base: a.bases[row/3]}
	if row%3 > 0 {
		m.Index, m.Scale = a.stride, uint8(row%3)
	}
	return m
}

func (a rowAddress) advance(n int32) {
	for _, b := range a.bases {
		ADDQ(I32(n), b)
	}
}

// applyVNNI multiplies unsigned weights with signed rows, 16 outputs a register.
func applyVNNI(rows int) {
	TEXT(fmt.Sprintf("applyVNNI%d", rows), NOSPLIT, applySignature)
	Pragma("noescape")
	x := newRowAddress(rows)
	weights, steps := pointer("weights"), pointer("steps")
	acc := make([][2]VecVirtual, rows)
	sum := pointer("sum")
	for r := range acc {
		acc[r] = [2]VecVirtual{ZMM(), ZMM()}
		start(acc[r][0], sum, r, ZMM())
		VMOVDQA32(acc[r][0], acc[r][1])
	}
	w, value := [2]VecVirtual{ZMM(), ZMM()}, ZMM()
	step := func(k int) {
		VMOVDQU32(Mem{Base: weights, Disp: k * blockBytes}, w[0])
		VMOVDQU32(Mem{Base: weights, Disp: k*blockBytes + 64}, w[1])
		for r := range acc {
			VPBROADCASTD(x.at(r).Offset(4*k), value)
			VPDPBUSD(value, w[0], acc[r][0])
			VPDPBUSD(value, w[1], acc[r][1])
		}
	}
	const unroll = 4
	loop(steps, unroll, func(n int) {
		for k := range n {
			step(k)
		}
		ADDQ(I32(int32(n*blockBytes)), weights)
		x.advance(int32(4 * n))
	})
	y, yStride := pointer("y"), pointer("yStride")
	scale, outScale, bias := pointer("scale"), pointer("outScale"), pointer("bias")
	rowScale := ZMM()
	for r := range acc {
		VBROADCASTSS(Mem{Base: scale, Disp: 4 * r}, rowScale)
		for half, a := range acc[r] {
			finish(a, rowScale, outScale, bias, 64*half)
			VMOVUPS(a, Mem{Base: y, Disp: 64 * half})
		}
		if r < rows-1 {
			ADDQ(yStride, y)
		}
	}
	VZEROUPPER()
	RET()
}

// start sets a sum to −128 times the sum of a row, because weights are 128 too
// large.
func start(acc VecVirtual, sum GPVirtual, row int, zero VecVirtual) {
	VPBROADCASTD(Mem{Base: sum, Disp: 4 * row}, acc)
	VPSLLD(Imm(7), acc, acc)
	if acc.Size() == 64 {
		VPXORD(zero, zero, zero)
	} else {
		VPXOR(zero, zero, zero)
	}
	VPSUBD(acc, zero, acc)
}

// finish turns sums into numbers.
func finish(a, rowScale VecVirtual, outScale, bias GPVirtual, offset int) {
	VCVTDQ2PS(a, a)
	VMULPS(rowScale, a, a)
	VMULPS(Mem{Base: outScale, Disp: offset}, a, a)
	VADDPS(Mem{Base: bias, Disp: offset}, a, a)
}

// loop runs body for n steps at a time, and then one at a time.
func loop(steps GPVirtual, n int, body func(n int)) {
	labels++
	many, one, next, done := label("many"), label("one"), label("next"), label("done")
	CMPQ(steps, Imm(uint64(n)))
	JLT(LabelRef(next))
	Label(many)
	body(n)
	SUBQ(Imm(uint64(n)), steps)
	CMPQ(steps, Imm(uint64(n)))
	JGE(LabelRef(many))
	Label(next)
	TESTQ(steps, steps)
	JZ(LabelRef(done))
	Label(one)
	body(1)
	DECQ(steps)
	JNZ(LabelRef(one))
	Label(done)
}

var labels int

func label(name string) string { return fmt.Sprintf("%s%d", name, labels) }

// applyAVX2 widens weights and rows to 16 bits, which is exact. A register has the
// sums of even and of odd pairs of inputs of four outputs; half a block is worked
// on at a time.
func applyAVX2(rows int) {
	TEXT(fmt.Sprintf("applyAVX2x%d", rows), NOSPLIT, applySignature)
	Pragma("noescape")
	for half := range 2 {
		x := newRowAddress(rows)
		weights, steps := pointer("weights"), pointer("steps")
		if half > 0 {
			ADDQ(Imm(64), weights)
		}
		acc := make([][]VecVirtual, rows)
		for r := range acc {
			acc[r] = vectors(4, YMM)
			for _, a := range acc[r] {
				VPXOR(a, a, a)
			}
		}
		w, product, value := YMM(), YMM(), vectors(rows, YMM)
		step := func(k int) {
			for r := range acc {
				VPBROADCASTD(x.at(r).Offset(4*k), value[r].AsX())
				VPMOVSXBW(value[r].AsX(), value[r])
			}
			for i := range 4 {
				VPMOVZXBW(Mem{Base: weights, Disp: k*blockBytes + 16*i}, w)
				for r := range acc {
					VPMADDWD(value[r], w, product)
					VPADDD(product, acc[r][i], acc[r][i])
				}
			}
		}
		loop(steps, 2, func(n int) {
			for k := range n {
				step(k)
			}
			ADDQ(I32(int32(n*blockBytes)), weights)
			x.advance(int32(4 * n))
		})
		y, yStride := pointer("y"), pointer("yStride")
		sum, scale, outScale, bias := pointer("sum"), pointer("scale"), pointer("outScale"), pointer("bias")
		offset, rowScale := YMM(), YMM()
		for r := range acc {
			start(offset, sum, r, w)
			VBROADCASTSS(Mem{Base: scale, Disp: 4 * r}, rowScale)
			for i := 0; i < 4; i += 2 {
				a := acc[r][i]
				VPHADDD(acc[r][i+1], a, a)
				VPERMQ(Imm(0xd8), a, a)
				VPADDD(offset, a, a)
				finish(a, rowScale, outScale, bias, 64*half+16*i)
				VMOVUPS(a, Mem{Base: y, Disp: 64*half + 16*i})
			}
			if r < rows-1 {
				ADDQ(yStride, y)
			}
		}
	}
	VZEROUPPER()
	RET()
}
