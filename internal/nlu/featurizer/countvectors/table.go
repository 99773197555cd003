package countvectors

import (
	"math/bits"
	"slices"
)

// table finds the column of an n-gram. Those of up to eight bytes, which are
// nearly all, are packed into a number and found without hashing a string.
type table struct {
	index map[string]int32

	keys    []uint64 // 0: free; a power of two of places, at most half of them taken
	columns []int32
	shift   int
}

func newTable(index map[string]int32) *table {
	if index == nil {
		return nil
	}
	size := 16
	for size < 2*len(index)+1 {
		size *= 2
	}
	t := &table{
		index: index, keys: make([]uint64, size), columns: make([]int32, size),
		shift: 64 - bits.TrailingZeros(uint(size)),
	}
	for gram, column := range index {
		if key := pack(gram); key != 0 {
			at := t.place(key)
			t.keys[at], t.columns[at] = key, column
		}
	}
	return t
}

// width is the number of columns.
func (t *table) width() int { return len(t.index) }

// pack gives a number for a short text, different for different texts, and 0 for
// one that is too long or holds a zero byte.
func pack[T string | []byte](gram T) uint64 {
	if len(gram) > 8 {
		return 0
	}
	key := uint64(0)
	for i := range len(gram) {
		if gram[i] == 0 {
			return 0
		}
		key |= uint64(gram[i]) << (8 * i)
	}
	return key
}

// place returns where a key is, or where it would be put.
func (t *table) place(key uint64) int {
	at := int(key * 0x9e3779b97f4a7c15 >> t.shift)
	for t.keys[at] != 0 && t.keys[at] != key {
		at = (at + 1) & (len(t.keys) - 1)
	}
	return at
}

func (t *table) packed(key uint64) (column int32, found bool) {
	at := t.place(key)
	return t.columns[at], t.keys[at] != 0
}

func (t *table) find(gram []byte) (column int32, found bool) {
	if key := pack(gram); key != 0 {
		return t.packed(key)
	}
	column, found = t.index[string(gram)]
	return column, found
}

// padded appends the columns of the n-grams of " word ", in any order. It does
// what analyzer.padded does, for words of ASCII and n-grams of up to eight
// characters, and reports false for others.
func (t *table) padded(columns []int32, word []byte, shortest, longest int) ([]int32, bool) {
	if longest > 8 {
		return columns, false
	}
	for _, c := range word {
		if c == 0 || c >= 0x80 {
			return columns, false
		}
	}
	last := len(word) + 1 // the index of the space behind the word
	at := func(i int) uint64 {
		if i == 0 || i == last {
			return ' '
		}
		return uint64(word[i-1])
	}
	for from := range last + 1 {
		key := uint64(0)
		for n := 1; n <= min(longest, last+1-from); n++ {
			key |= at(from+n-1) << (8 * (n - 1))
			if n < shortest || n == last+1 {
				continue
			}
			if c, ok := t.packed(key); ok {
				columns = append(columns, c)
			}
		}
	}
	if longest > last { // the whole, once
		key := uint64(0)
		for i := range last + 1 {
			key |= at(i) << (8 * i)
		}
		if c, ok := t.packed(key); ok {
			columns = append(columns, c)
		}
	}
	return columns, true
}

// sortColumns sorts in place: long lists, which whole texts give, byte by byte in
// linear time.
func sortColumns(columns []int32, spare *[]int32, width int) {
	if len(columns) < 48 {
		slices.Sort(columns)
		return
	}
	*spare = slices.Grow((*spare)[:0], len(columns))[:len(columns)]
	from, to := columns, *spare
	for shift := 0; width>>shift > 0; shift += 8 {
		var start [256]int32
		for _, c := range from {
			start[uint8(c>>shift)]++
		}
		sum := int32(0)
		for i, n := range start {
			start[i] = sum
			sum += n
		}
		for _, c := range from {
			d := uint8(c >> shift)
			to[start[d]] = c
			start[d]++
		}
		from, to = to, from
	}
	copy(columns, from)
}
