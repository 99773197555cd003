// Package vocab numbers the features of a learner. A feature is a 64-bit hash of
// what it says ("the token ends in -ing"), so that looking one up needs neither
// a string nor an allocation. Two features with the same hash would become one;
// among a million features that happens with a probability of 3 in 10⁸.
package vocab

// Seed starts the hash of a kind of feature. Different names give independent
// hashes for the same text.
func Seed(name string) uint64 { return Mix(String(offset, name)) }

const (
	offset = 14695981039346656037 // FNV-1a
	prime  = 1099511628211
)

// Byte adds one byte to a hash (FNV-1a). Finish with Mix.
func Byte(h uint64, b byte) uint64 { return (h ^ uint64(b)) * prime }

// String adds a text to a hash.
func String[T string | []byte](h uint64, s T) uint64 {
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * prime
	}
	return h
}

// Rune adds a code point to a hash.
func Rune(h uint64, r rune) uint64 {
	for u := uint32(r); ; u >>= 8 {
		h = (h ^ uint64(u&0xff)) * prime
		if u < 0x100 {
			return h
		}
	}
}

// Int adds a number to a hash.
func Int(h uint64, v int) uint64 {
	for range 4 {
		h = (h ^ uint64(v&0xff)) * prime
		v >>= 8
	}
	return h
}

// Mix spreads the bits of a finished hash (the finaliser of MurmurHash3).
func Mix(h uint64) uint64 {
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	h *= 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}

// Table numbers hashes from 0 in the order in which they were added. The zero
// value is ready. Reading is safe for concurrent use, adding is not.
type Table struct {
	hashes []uint64 // by number
	slots  []int32  // number+1 at the place of its hash, 0 where free; a power of two
}

// NewTable returns a table of the given hashes, numbered in their order.
func NewTable(hashes []uint64) *Table {
	t := &Table{}
	for _, h := range hashes {
		t.Add(h)
	}
	return t
}

// Len returns how many hashes there are.
func (t *Table) Len() int { return len(t.hashes) }

// Hashes returns them by number; the slice belongs to the table.
func (t *Table) Hashes() []uint64 { return t.hashes }

// Add returns the number of a hash, a new one if it has none yet.
func (t *Table) Add(h uint64) int32 {
	if 2*len(t.hashes) >= len(t.slots) {
		t.grow()
	}
	for i := h & uint64(len(t.slots)-1); ; i = (i + 1) & uint64(len(t.slots)-1) {
		switch n := t.slots[i]; {
		case n == 0:
			t.hashes = append(t.hashes, h)
			t.slots[i] = int32(len(t.hashes))
			return int32(len(t.hashes) - 1)
		case t.hashes[n-1] == h:
			return n - 1
		}
	}
}

// Find returns the number of a hash, or -1.
func (t *Table) Find(h uint64) int32 {
	if len(t.slots) == 0 {
		return -1
	}
	for i := h & uint64(len(t.slots)-1); ; i = (i + 1) & uint64(len(t.slots)-1) {
		switch n := t.slots[i]; {
		case n == 0:
			return -1
		case t.hashes[n-1] == h:
			return n - 1
		}
	}
}

func (t *Table) grow() {
	t.slots = make([]int32, max(64, 2*len(t.slots)))
	mask := uint64(len(t.slots) - 1)
	for n, h := range t.hashes {
		i := h & mask
		for t.slots[i] != 0 {
			i = (i + 1) & mask
		}
		t.slots[i] = int32(n + 1)
	}
}
