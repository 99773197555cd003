// Command gen writes the assembly of package kernel for amd64: products of matrices
// for AVX2 and AVX-512 VNNI, and the rest for AVX2. It is a module of its own, so
// that the program does not depend on the generator.
//
// Every function does the same operations in the same order as its plain version,
// see there; nothing is fused.
package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

func main() {
	ConstraintExpr("amd64")
	for rows := 1; rows <= 12; rows++ {
		applyVNNI(rows)
	}
	for rows := 1; rows <= 2; rows++ {
		applyAVX2(rows)
	}
	largest()
	quantize()
	quantizeRest()
	gelu()
	softmax()
	addNorm()
	multiply(4)
	multiply(1)
	Generate()
}

// constant is a float32 in every lane of a vector register.
func constant(name string, value float32) Mem {
	return constantBits(name, F32(value))
}

func constantInt(name string, value int32) Mem { return constantBits(name, I32(value)) }

func constantBits(name string, value Constant) Mem {
	if m, ok := constants[name]; ok {
		return m
	}
	m := GLOBL(name, RODATA|NOPTR)
	for i := range 8 {
		DATA(4*i, value)
	}
	constants[name] = m
	return m
}

var constants = map[string]Mem{}

// pointer loads an argument into a register.
func pointer(name string) GPVirtual { return Load(Param(name), GP64()).(GPVirtual) }

// broadcast loads a float32 argument into all lanes.
func broadcast(name string) VecVirtual {
	y := YMM()
	VBROADCASTSS(address(name), y)
	return y
}

// address is where an argument lies.
func address(name string) Mem {
	b, err := Param(name).Resolve()
	if err != nil {
		panic(err)
	}
	return b.Addr
}

// vectors allocates n registers.
func vectors(n int, allocate func() VecVirtual) []VecVirtual {
	v := make([]VecVirtual, n)
	for i := range v {
		v[i] = allocate()
	}
	return v
}
