package main

import (
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// every runs body for n numbers of 4 bytes at a time; count is a multiple of n and
// not 0.
func every(count GPVirtual, n int, body func()) {
	labels++
	Label(label("every"))
	body()
	SUBQ(Imm(uint64(n)), count)
	JNZ(LabelRef(label("every")))
}

func largest() {
	TEXT("largestAVX2", NOSPLIT, "func(x *float32, n int) float32")
	Pragma("noescape")
	Doc("largestAVX2 is the largest |x| of n numbers, a multiple of 8.")
	x, n := pointer("x"), pointer("n")
	most, v := YMM(), YMM()
	mask := constantInt("magnitude", math.MaxInt32)
	VXORPS(most, most, most)
	every(n, 8, func() {
		VMOVUPS(Mem{Base: x}, v)
		VANDPS(mask, v, v)
		VMAXPS(most, v, most)
		ADDQ(Imm(32), x)
	})
	high := XMM()
	VEXTRACTF128(Imm(1), most, high)
	VMAXPS(most.AsX(), high, high)
	other := XMM()
	VMOVHLPS(high, high, other)
	VMAXPS(other, high, high)
	VMOVSHDUP(high, other)
	VMAXSS(other, high, high)
	VZEROUPPER()
	Store(high, ReturnIndex(0))
	RET()
}

func quantize() {
	TEXT("quantizeAVX2", NOSPLIT, "func(to *int8, x *float32, n int, up float32) (sum, squares int32)")
	Pragma("noescape")
	Doc("quantizeAVX2 rounds n numbers times up, a multiple of 32.")
	to, x, n, up := pointer("to"), pointer("x"), pointer("n"), broadcast("up")
	sum, squares, ones, order := YMM(), YMM(), YMM(), YMM()
	VPXOR(sum, sum, sum)
	VPXOR(squares, squares, squares)
	VPCMPEQW(ones, ones, ones)
	VPSRLW(Imm(15), ones, ones)
	table := GLOBL("order", RODATA|NOPTR)
	for i, v := range []uint32{0, 4, 1, 5, 2, 6, 3, 7} {
		DATA(4*i, U32(v))
	}
	VMOVDQU(table, order)
	q := vectors(4, YMM)
	product := YMM()
	every(n, 32, func() {
		for i, v := range q {
			VMULPS(Mem{Base: x, Disp: 32 * i}, up, v)
			VCVTPS2DQ(v, v)
		}
		for i := 0; i < 4; i += 2 {
			VPACKSSDW(q[i+1], q[i], q[i])
			VPMADDWD(ones, q[i], product)
			VPADDD(product, sum, sum)
			VPMADDWD(q[i], q[i], product)
			VPADDD(product, squares, squares)
		}
		VPACKSSWB(q[2], q[0], q[0])
		VPERMD(q[0], order, q[0])
		VMOVDQU(q[0], Mem{Base: to})
		ADDQ(I32(128), x)
		ADDQ(Imm(32), to)
	})
	total := addLanes(sum)
	totalSquares := addLanes(squares)
	VZEROUPPER()
	Store(total, Return("sum"))
	Store(totalSquares, Return("squares"))
	RET()
}

// addLanes adds up integers.
func addLanes(v VecVirtual) Register {
	high := XMM()
	VEXTRACTI128(Imm(1), v, high)
	VPADDD(v.AsX(), high, high)
	VPHADDD(high, high, high)
	VPHADDD(high, high, high)
	total := GP32()
	VMOVD(high, total)
	return total
}

func quantizeRest() {
	TEXT("quantizeRestAVX2", NOSPLIT, "func(to *int8, x *float32, rounded *int8, n int, up float32) (sum int32)")
	Pragma("noescape")
	Doc("quantizeRestAVX2 rounds what quantizeAVX2 left of n numbers, a multiple of 8.")
	to, x, rounded, n, up := pointer("to"), pointer("x"), pointer("rounded"), pointer("n"), broadcast("up")
	sum, v, r := YMM(), YMM(), YMM()
	high := XMM()
	VPXOR(sum, sum, sum)
	every(n, 8, func() {
		VMULPS(Mem{Base: x}, up, v)
		VPMOVSXBD(Mem{Base: rounded}, r)
		VCVTDQ2PS(r, r)
		VSUBPS(r, v, v)
		VMULPS(constant("parts", 254), v, v)
		VCVTPS2DQ(v, v)
		VPADDD(v, sum, sum)
		VEXTRACTI128(Imm(1), v, high)
		VPACKSSDW(high, v.AsX(), high)
		VPACKSSWB(high, high, high)
		VMOVQ(high, Mem{Base: to})
		ADDQ(Imm(32), x)
		ADDQ(Imm(8), rounded)
		ADDQ(Imm(8), to)
	})
	total := addLanes(sum)
	VZEROUPPER()
	Store(total, Return("sum"))
	RET()
}

var (
	geluP = [6]float32{0.39894223462181577, 0.03385278127882579, 0.00467726936840385, 0.00016882709443343763, 6.352131921562806e-06, 2.2749329309276686e-08}
	geluQ = [6]float32{1, 0.25152225703241293, 0.0286459498954572, 0.0018844528758174548, 7.36479795086272e-05, 1.197503909776034e-06}
	exp2  = [6]float32{1, 0.6931469775985573, 0.24022242084840564, 0.055507337441419946, 0.009671512664177356, 0.0013264726927738897}
)

func polynomial(name string, c [6]float32, k int) Mem {
	return constant(name+string(rune('0'+k)), c[k])
}

func gelu() {
	TEXT("geluAVX2", NOSPLIT, "func(x *float32, n int)")
	Pragma("noescape")
	Doc("geluAVX2 is geluPlain of n numbers, a multiple of 16.")
	x, n := pointer("x"), pointer("n")
	c, t, p, q := vectors(2, YMM), vectors(2, YMM), vectors(2, YMM), vectors(2, YMM)
	every(n, 16, func() {
		for i := range 2 {
			VMOVUPS(Mem{Base: x, Disp: 32 * i}, c[i])
			VMAXPS(constant("geluStart", -5.5), c[i], c[i])
			VMINPS(constant("geluEnd", 5.5), c[i], c[i])
			VMULPS(c[i], c[i], t[i])
			VMULPS(polynomial("geluP", geluP, 5), t[i], p[i])
			VMULPS(polynomial("geluQ", geluQ, 5), t[i], q[i])
		}
		for k := 4; k >= 0; k-- {
			for i := range 2 {
				VADDPS(polynomial("geluP", geluP, k), p[i], p[i])
				VADDPS(polynomial("geluQ", geluQ, k), q[i], q[i])
				if k > 0 {
					VMULPS(t[i], p[i], p[i])
					VMULPS(t[i], q[i], q[i])
				}
			}
		}
		for i := range 2 {
			VMULPS(c[i], p[i], p[i])
			VDIVPS(q[i], p[i], p[i])
			VADDPS(constant("half", 0.5), p[i], p[i])
			VMULPS(Mem{Base: x, Disp: 32 * i}, p[i], p[i])
			VMOVUPS(p[i], Mem{Base: x, Disp: 32 * i})
		}
		ADDQ(Imm(64), x)
	})
	VZEROUPPER()
	RET()
}

// softmax works on eight numbers at a time, the last time on those that are there:
// mask has a lane of ones for each.
func softmax() {
	TEXT("softmaxAVX2", NOSPLIT, "func(x *float32, n int, mask *int32)")
	Pragma("noescape")
	Doc("softmaxAVX2 is softmaxPlain of n numbers, rounded up to a multiple of 8. mask",
		"has a lane of ones for each of the last eight that is there. There must be place",
		"for all eight; what is in the others is lost.")
	base := pointer("x")
	mask, most, sum, v, f, p := YMM(), YMM(), YMM(), YMM(), YMM(), YMM()
	VMOVDQU(Mem{Base: pointer("mask")}, mask)
	x, n := GP64(), pointer("n")
	restart := func() {
		MOVQ(base, x)
		Load(Param("n"), n)
	}
	least := YMM()
	VMOVUPS(constant("least", -math.MaxFloat32), least)
	VMOVUPS(least, most)
	restart()
	each(n, func(last bool) {
		VMOVUPS(Mem{Base: x}, v)
		if last {
			VBLENDVPS(mask, v, least, v)
			VMOVUPS(v, Mem{Base: x})
		}
		VMAXPS(v, most, most)
		ADDQ(Imm(32), x)
	})
	// The largest of all lanes goes into each.
	VPERM2F128(Imm(1), most, most, v)
	VMAXPS(v, most, most)
	VPERMILPS(Imm(0x4e), most, v)
	VMAXPS(v, most, most)
	VPERMILPS(Imm(0xb1), most, v)
	VMAXPS(v, most, most)
	VXORPS(sum, sum, sum)
	restart()
	each(n, func(last bool) {
		VMOVUPS(Mem{Base: x}, v)
		VSUBPS(most, v, v)
		VMULPS(constant("log2e", math.Log2E), v, v)
		VMAXPS(constant("expEnd", -126), v, v)
		VCVTPS2DQ(v, p)
		VCVTDQ2PS(p, f)
		VSUBPS(f, v, f)
		VPADDD(constantInt("one", 127), p, v)
		VPSLLD(Imm(23), v, v)
		VMULPS(polynomial("exp", exp2, 5), f, p)
		for k := 4; k >= 0; k-- {
			VADDPS(polynomial("exp", exp2, k), p, p)
			if k > 0 {
				VMULPS(f, p, p)
			}
		}
		VMULPS(v, p, p)
		if last {
			VANDPS(mask, p, p)
		}
		VMOVUPS(p, Mem{Base: x})
		VADDPS(p, sum, sum)
		ADDQ(Imm(32), x)
	})
	VBROADCASTSS(combine(sum), sum)
	restart()
	every(n, 8, func() {
		VMOVUPS(Mem{Base: x}, v)
		VDIVPS(sum, v, v)
		VMOVUPS(v, Mem{Base: x})
		ADDQ(Imm(32), x)
	})
	VZEROUPPER()
	RET()
}

// each runs body for all eights but the last, and for the last.
func each(n GPVirtual, body func(last bool)) {
	labels++
	again, last := label("again"), label("last")
	Label(again)
	CMPQ(n, Imm(8))
	JE(LabelRef(last))
	body(false)
	SUBQ(Imm(8), n)
	JMP(LabelRef(again))
	Label(last)
	body(true)
}

// combine adds up eight partial sums in the order of the plain version.
func combine(v VecVirtual) VecVirtual {
	high, other := XMM(), XMM()
	VEXTRACTF128(Imm(1), v, high)
	VADDPS(v.AsX(), high, high)
	VMOVHLPS(high, high, other)
	VADDPS(other, high, high)
	VMOVSHDUP(high, other)
	VADDSS(other, high, high)
	return high
}

func addNorm() {
	TEXT("addNormAVX2", NOSPLIT, "func(x, y, gain, bias *float32, n int, count, epsilon float32)")
	Pragma("noescape")
	Doc("addNormAVX2 is addNormPlain of n numbers, a multiple of 8; count is n too.")
	base := pointer("x")
	y, gain, bias := pointer("y"), pointer("gain"), pointer("bias")
	x, n := GP64(), pointer("n")
	restart := func() {
		MOVQ(base, x)
		Load(Param("n"), n)
	}
	sum, v := YMM(), YMM()
	VXORPS(sum, sum, sum)
	restart()
	every(n, 8, func() {
		VMOVUPS(Mem{Base: x}, v)
		VADDPS(Mem{Base: y}, v, v)
		VMOVUPS(v, Mem{Base: x})
		VADDPS(v, sum, sum)
		ADDQ(Imm(32), x)
		ADDQ(Imm(32), y)
	})
	mean, scale := YMM(), YMM()
	total := combine(sum)
	VDIVSS(address("count"), total, total)
	VBROADCASTSS(total, mean)
	VXORPS(sum, sum, sum)
	restart()
	every(n, 8, func() {
		VMOVUPS(Mem{Base: x}, v)
		VSUBPS(mean, v, v)
		VMULPS(v, v, v)
		VADDPS(v, sum, sum)
		ADDQ(Imm(32), x)
	})
	total = combine(sum)
	VDIVSS(address("count"), total, total)
	VADDSS(address("epsilon"), total, total)
	VSQRTSS(total, total, total)
	one := XMM()
	VMOVSS(constant("unit", 1), one)
	VDIVSS(total, one, one)
	VBROADCASTSS(one, scale)
	restart()
	every(n, 8, func() {
		VMOVUPS(Mem{Base: x}, v)
		VSUBPS(mean, v, v)
		VMULPS(scale, v, v)
		VMULPS(Mem{Base: gain}, v, v)
		VADDPS(Mem{Base: bias}, v, v)
		VMOVUPS(v, Mem{Base: x})
		for _, p := range []GPVirtual{x, gain, bias} {
			ADDQ(Imm(32), p)
		}
	})
	VZEROUPPER()
	RET()
}

// multiply computes rows × 16 numbers of a product.
func multiply(rows int) {
	name := map[int]string{1: "multiplyAVX2x1", 4: "multiplyAVX2x4"}[rows]
	TEXT(name, NOSPLIT, "func(c *float32, ldc int, a *float32, lda int, b *float32, ldb, k int)")
	Pragma("noescape")
	Doc(name + " is a part of multiplyPlain; the distances of rows are in bytes.")
	a, b, k := pointer("a"), pointer("b"), pointer("k")
	lda, ldb := pointer("lda"), pointer("ldb")
	acc := make([][2]VecVirtual, rows)
	for r := range acc {
		acc[r] = [2]VecVirtual{YMM(), YMM()}
		VXORPS(acc[r][0], acc[r][0], acc[r][0])
		VXORPS(acc[r][1], acc[r][1], acc[r][1])
	}
	third := GP64()
	if rows > 3 {
		LEAQ(Mem{Base: a, Index: lda, Scale: 2}, third)
		ADDQ(lda, third)
	}
	v, w, product := YMM(), [2]VecVirtual{YMM(), YMM()}, YMM()
	every(k, 1, func() {
		VMOVUPS(Mem{Base: b}, w[0])
		VMOVUPS(Mem{Base: b, Disp: 32}, w[1])
		for r := range acc {
			at := Mem{Base: a}
			switch r {
			case 1, 2:
				at.Index, at.Scale = lda, uint8(r)
			case 3:
				at.Base = third
			}
			VBROADCASTSS(at, v)
			for i := range w {
				VMULPS(v, w[i], product)
				VADDPS(product, acc[r][i], acc[r][i])
			}
		}
		ADDQ(Imm(4), a)
		if rows > 3 {
			ADDQ(Imm(4), third)
		}
		ADDQ(ldb, b)
	})
	c, ldc := pointer("c"), pointer("ldc")
	for r := range acc {
		VMOVUPS(acc[r][0], Mem{Base: c})
		VMOVUPS(acc[r][1], Mem{Base: c, Disp: 32})
		if r < rows-1 {
			ADDQ(ldc, c)
		}
	}
	VZEROUPPER()
	RET()
}
