package jieba

import (
	"bytes"
	"compress/flate"
	_ "embed" // the packed data
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"sort"
	"sync"
	"unicode/utf8"
)

// packed is what gen.go makes of jieba 0.42.1's data (MIT licence, see LICENSE
// in this folder).
//
//go:generate go run gen.go
//go:embed data.bin
var packed []byte

// dictionary is jieba's own: its words in the order of their bytes, how often
// each was counted, and the statistics of characters in unknown words. It is
// never changed.
type dictionary struct {
	text      []byte   // all words, one after the other
	start     []uint32 // where each word begins in text, then the length of text
	frequency []uint32
	total     float64 // the sum that frequencies are divided by
	emission  [4]map[rune]float64
}

var standard = sync.OnceValues(func() (*dictionary, error) { return unpack(packed) })

// unpack reads the format that gen.go writes: a deflate stream of, in turn, the
// number of words and the total; for each word the number of bytes it shares
// with the word before; for each the number of bytes that follow; those bytes;
// the frequencies; and for each state the characters, as differences, and the
// logarithms of their probabilities. Whole numbers are unsigned varints.
func unpack(data []byte) (*dictionary, error) {
	raw, err := io.ReadAll(flate.NewReader(bytes.NewReader(data)))
	if err != nil {
		return nil, err
	}
	u := unpacker{data: raw}
	n, total := u.uvarint(), u.uvarint()
	if n > uint64(len(raw)) {
		return nil, errShort
	}
	d := &dictionary{start: make([]uint32, 1, n+1), frequency: make([]uint32, n), total: float64(total)}
	shared, own := make([]int, n), make([]int, n)
	for i := range shared {
		shared[i] = int(u.uvarint())
	}
	for i := range own {
		own[i] = int(u.uvarint())
	}
	previous := 0 // where the word before begins
	for i := range shared {
		word := len(d.text)
		if shared[i] > word-previous {
			return nil, fmt.Errorf("word %d shares %d bytes with a shorter one", i, shared[i])
		}
		d.text = append(d.text, d.text[previous:previous+shared[i]]...)
		d.text = append(d.text, u.bytes(own[i])...)
		d.start = append(d.start, uint32(len(d.text)))
		previous = word
	}
	for i := range d.frequency {
		d.frequency[i] = uint32(u.uvarint())
	}
	for state := range d.emission {
		u.emission(&d.emission[state])
	}
	return d, u.err
}

var errShort = errors.New("the data ends too early")

type unpacker struct {
	data []byte
	err  error // the first
}

func (u *unpacker) uvarint() uint64 {
	v, n := binary.Uvarint(u.data)
	if n <= 0 {
		u.data, u.err = nil, errShort
		return 0
	}
	u.data = u.data[n:]
	return v
}

func (u *unpacker) bytes(n int) []byte {
	if n > len(u.data) {
		u.data, u.err = nil, errShort
		return nil
	}
	b := u.data[:n]
	u.data = u.data[n:]
	return b
}

func (u *unpacker) emission(into *map[rune]float64) {
	n := u.uvarint()
	if n > uint64(len(u.data)) {
		u.err = errShort
		return
	}
	characters := make([]rune, n)
	r := rune(0)
	for i := range characters {
		r += rune(u.uvarint())
		characters[i] = r
	}
	*into = make(map[rune]float64, n)
	for _, r := range characters {
		if b := u.bytes(8); b != nil {
			(*into)[r] = math.Float64frombits(binary.LittleEndian.Uint64(b))
		}
	}
}

// span is a range of words that begin alike: from ≤ i < to.
type span struct{ from, to int }

func (s span) empty() bool { return s.from >= s.to }

func (d *dictionary) all() span { return span{0, len(d.frequency)} }

func (d *dictionary) word(i int) []byte { return d.text[d.start[i]:d.start[i+1]] }

// narrow keeps those words of s whose bytes from depth on begin with r. All words
// of s share their first depth bytes.
func (d *dictionary) narrow(s span, depth int, r rune) span {
	var buffer [utf8.UTFMax]byte
	next := utf8.AppendRune(buffer[:0], r)
	from := s.from + sort.Search(s.to-s.from, func(i int) bool {
		return bytes.Compare(d.word(s.from + i)[depth:], next) >= 0
	})
	to := from + sort.Search(s.to-from, func(i int) bool {
		return !bytes.HasPrefix(d.word(from + i)[depth:], next)
	})
	return span{from, to}
}

// frequencyOf gives the frequency of the word that ends at depth, of which s are
// the continuations; 0 if that is no word.
func (d *dictionary) frequencyOf(s span, depth int) float64 {
	if s.empty() || len(d.word(s.from)) != depth {
		return 0
	}
	return float64(d.frequency[s.from])
}
