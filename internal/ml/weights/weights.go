// Package weights writes and reads what learners keep: a few little-endian
// numbers, strings and arrays behind a magic word and a version. There is
// nothing executable in it, and reading never allocates more than the size of
// its input, whatever the input claims.
package weights

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// ErrCorrupt is wrapped by every error of a Reader.
var ErrCorrupt = errors.New("learned weights are damaged")

// magic begins every file of this package.
const magic = "LQW1"

// Writer builds a file. The zero value is not ready; use NewWriter.
type Writer struct{ data []byte }

// NewWriter begins a file of the given kind and version.
func NewWriter(kind string, version int) *Writer {
	w := &Writer{data: []byte(magic)}
	w.String(kind)
	w.Int(version)
	return w
}

// Bytes returns the finished file.
func (w *Writer) Bytes() []byte { return w.data }

// Int writes a number as 8 bytes.
func (w *Writer) Int(v int) { w.data = binary.LittleEndian.AppendUint64(w.data, uint64(v)) }

// Bool writes a truth value as one byte.
func (w *Writer) Bool(v bool) {
	b := byte(0)
	if v {
		b = 1
	}
	w.data = append(w.data, b)
}

// Float writes a number as 8 bytes.
func (w *Writer) Float(v float64) {
	w.data = binary.LittleEndian.AppendUint64(w.data, math.Float64bits(v))
}

// String writes length and UTF-8 bytes.
func (w *Writer) String(s string) {
	w.Int(len(s))
	w.data = append(w.data, s...)
}

// Strings writes a count and that many strings.
func (w *Writer) Strings(list []string) {
	w.Int(len(list))
	for _, s := range list {
		w.String(s)
	}
}

// Floats writes a count and that many 4-byte numbers.
func (w *Writer) Floats(v []float32) {
	w.Int(len(v))
	for _, x := range v {
		w.data = binary.LittleEndian.AppendUint32(w.data, math.Float32bits(x))
	}
}

// Ints writes a count and that many 4-byte whole numbers.
func (w *Writer) Ints(v []int32) {
	w.Int(len(v))
	for _, x := range v {
		w.data = binary.LittleEndian.AppendUint32(w.data, uint32(x))
	}
}

// Hashes writes a count and that many 8-byte words.
func (w *Writer) Hashes(v []uint64) {
	w.Int(len(v))
	for _, x := range v {
		w.data = binary.LittleEndian.AppendUint64(w.data, x)
	}
}

// Int8s writes a count and that many bytes.
func (w *Writer) Int8s(v []int8) {
	w.Int(len(v))
	for _, x := range v {
		w.data = append(w.data, byte(x))
	}
}

// Raw writes a count and that many bytes.
func (w *Writer) Raw(v []byte) {
	w.Int(len(v))
	w.data = append(w.data, v...)
}

// Reader reads what a Writer wrote. After the first error every method returns
// zero values; Close tells what went wrong.
type Reader struct {
	data []byte
	err  error
}

// NewReader begins to read a file and checks its kind and version.
func NewReader(data []byte, kind string, version int) *Reader {
	r := &Reader{data: data}
	if len(data) < len(magic) || string(data[:len(magic)]) != magic {
		r.fail("it is not a file of weights")
		return r
	}
	r.data = data[len(magic):]
	if k := r.String(); r.err == nil && k != kind {
		r.fail("it holds %q, not %q", k, kind)
	}
	if v := r.Int(); r.err == nil && v != version {
		r.data, r.err = nil, versionError{kind, v, version}
	}
	return r
}

// versionError says that a file is whole and of another time. It counts as
// ErrCorrupt: there is nothing to be read.
type versionError struct {
	kind       string
	has, reads int
}

func (e versionError) Error() string {
	return fmt.Sprintf("it was written by another version of this program (%s %d, not %d): train the model again", e.kind, e.has, e.reads)
}

func (e versionError) Is(target error) bool { return target == ErrCorrupt }

// Fail records that what was read makes no sense.
func (r *Reader) Fail(format string, args ...any) { r.fail(format, args...) }

func (r *Reader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf("%w: %s", ErrCorrupt, fmt.Sprintf(format, args...))
	}
	r.data = nil
}

// Err returns the first error.
func (r *Reader) Err() error { return r.err }

// Close returns the first error, also when data is left over.
func (r *Reader) Close() error {
	if r.err == nil && len(r.data) > 0 {
		r.fail("%d bytes left over", len(r.data))
	}
	return r.err
}

func (r *Reader) take(n int) []byte {
	if n < 0 || n > len(r.data) {
		r.fail("cut off")
		return nil
	}
	b := r.data[:n]
	r.data = r.data[n:]
	return b
}

// count reads how many items of the given size follow, and refuses more than
// there is data for.
func (r *Reader) count(size int) int {
	n := r.Int()
	if n < 0 || n > len(r.data)/size {
		r.fail("cut off")
		return 0
	}
	return n
}

// Int reads a number.
func (r *Reader) Int() int {
	b := r.take(8)
	if b == nil {
		return 0
	}
	return int(binary.LittleEndian.Uint64(b))
}

// Bool reads a truth value.
func (r *Reader) Bool() bool {
	b := r.take(1)
	return b != nil && b[0] != 0
}

// Float reads a number. NaN is refused, and what a float32 can't hold.
func (r *Reader) Float() float64 {
	b := r.take(8)
	if b == nil {
		return 0
	}
	x := math.Float64frombits(binary.LittleEndian.Uint64(b))
	if !(math.Abs(x) <= math.MaxFloat32) {
		r.fail("a number is out of range")
		return 0
	}
	return x
}

// String reads a string.
func (r *Reader) String() string { return string(r.take(r.count(1))) }

// Strings reads a list of strings.
func (r *Reader) Strings() []string {
	out := make([]string, r.count(8))
	for i := range out {
		out[i] = r.String()
	}
	return out
}

// Floats reads an array of 4-byte numbers. Infinities and NaN are refused.
func (r *Reader) Floats() []float32 {
	n := r.count(4)
	b := r.take(4 * n)
	out := make([]float32, n)
	for i := range out {
		out[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
		if x := float64(out[i]); math.IsNaN(x) || math.IsInf(x, 0) {
			r.fail("a weight is not a number")
			return make([]float32, n)
		}
	}
	return out
}

// Ints reads an array of 4-byte whole numbers.
func (r *Reader) Ints() []int32 {
	n := r.count(4)
	b := r.take(4 * n)
	out := make([]int32, n)
	for i := range out {
		out[i] = int32(binary.LittleEndian.Uint32(b[4*i:]))
	}
	return out
}

// Hashes reads an array of 8-byte words.
func (r *Reader) Hashes() []uint64 {
	n := r.count(8)
	b := r.take(8 * n)
	out := make([]uint64, n)
	for i := range out {
		out[i] = binary.LittleEndian.Uint64(b[8*i:])
	}
	return out
}

// Int8s reads an array of bytes.
func (r *Reader) Int8s() []int8 {
	n := r.count(1)
	b := r.take(n)
	out := make([]int8, n)
	for i := range out {
		out[i] = int8(b[i])
	}
	return out
}

// Raw reads an array of bytes. It is a part of the data that is read, for large
// arrays that are used as they are.
func (r *Reader) Raw() []byte {
	b := r.take(r.count(1))
	return b[:len(b):len(b)]
}
