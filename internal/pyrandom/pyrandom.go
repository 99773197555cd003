// Package pyrandom chooses at random what Python chooses: the sequences of its
// random module and of NumPy's RandomState after a seed, so that a command with
// --seed picks the same as Rasa 3.6.
package pyrandom

import (
	"math"
	"math/big"
	"math/bits"
)

const (
	size   = 624
	middle = 397
)

// Source is the Mersenne Twister MT19937 (Matsumoto, Nishimura 1998). It is not
// safe for concurrent use.
type Source struct {
	state [size]uint32
	at    int
}

// New makes a source as Python's random.seed(n) does for a whole number of any
// size, whose sign does not matter: its 32-bit words, lowest first, are the key of
// the paper's init_by_array.
func New(seed *big.Int) *Source {
	rest, word := new(big.Int).Abs(seed), new(big.Int)
	var key []uint32
	for mask := big.NewInt(math.MaxUint32); rest.Sign() > 0; rest.Rsh(rest, 32) {
		key = append(key, uint32(word.And(rest, mask).Uint64()))
	}
	if len(key) == 0 {
		key = []uint32{0}
	}
	return newByArray(key)
}

func newByArray(key []uint32) *Source {
	r := NewNumPy(19650218)
	s := &r.state
	i, j := 1, 0
	next := func() {
		if i++; i == size {
			s[0], i = s[size-1], 1
		}
	}
	for range max(size, len(key)) {
		s[i] = (s[i] ^ (s[i-1]^s[i-1]>>30)*1664525) + key[j] + uint32(j)
		next()
		j = (j + 1) % len(key)
	}
	for range size - 1 {
		s[i] = (s[i] ^ (s[i-1]^s[i-1]>>30)*1566083941) - uint32(i)
		next()
	}
	s[0] = 1 << 31
	return r
}

// NewNumPy makes a source as numpy.random.RandomState(seed) does: the paper's
// init_genrand.
func NewNumPy(seed uint32) *Source {
	r := &Source{at: size}
	s := &r.state
	s[0] = seed
	for i := 1; i < size; i++ {
		s[i] = 1812433253*(s[i-1]^s[i-1]>>30) + uint32(i)
	}
	return r
}

// Uint32 returns the next 32 bits.
func (r *Source) Uint32() uint32 {
	if r.at == size {
		r.at = 0
		s := &r.state
		for i := range s {
			y := s[i]&(1<<31) | s[(i+1)%size]&(1<<31-1)
			s[i] = s[(i+middle)%size] ^ y>>1 ^ (y&1)*0x9908b0df
		}
	}
	y := r.state[r.at]
	r.at++
	y ^= y >> 11
	y ^= y << 7 & 0x9d2c5680
	y ^= y << 15 & 0xefc60000
	return y ^ y>>18
}

// Below returns a number from 0 to n-1: the highest bits that n needs, again and
// again until they are small enough.
func (r *Source) Below(n uint32) uint32 {
	shift := 32 - bits.Len32(n)
	for {
		if v := r.Uint32() >> shift; v < n {
			return v
		}
	}
}

// Sample chooses k of the numbers from 0 to n-1, each at most once, in the order
// of random.sample(range(n), k). k must not be larger than n.
func (r *Source) Sample(n, k int) []int {
	out := make([]int, 0, k)
	if n > poolLimit(k) { // few of many: draw until it is a new one
		seen := make(map[int]bool, k)
		for len(out) < k {
			if i := int(r.Below(uint32(n))); !seen[i] {
				seen[i] = true
				out = append(out, i)
			}
		}
		return out
	}
	pool := make([]int, n)
	for i := range pool {
		pool[i] = i
	}
	for left := n; len(out) < k; left-- { // the last one takes the place of the chosen
		i := r.Below(uint32(left))
		out = append(out, pool[i])
		pool[i] = pool[left-1]
	}
	return out
}

// poolLimit is up to how many numbers Python draws from a list of them all: where
// the list is smaller than a set of those that were drawn.
func poolLimit(k int) int {
	if k <= 5 {
		return 21
	}
	return 21 + int(math.Pow(4, math.Ceil(math.Log(float64(k)*3)/math.Log(4))))
}

// Permutation is RandomState.permutation(n): a shuffle from the end, with the
// lowest bits instead of the highest.
func (r *Source) Permutation(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	for i := n - 1; i > 0; i-- {
		mask := uint32(1)<<bits.Len32(uint32(i)) - 1
		j := r.Uint32() & mask
		for j > uint32(i) {
			j = r.Uint32() & mask
		}
		out[i], out[j] = out[j], out[i]
	}
	return out
}
