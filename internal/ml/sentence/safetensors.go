package sentence

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"slices"
)

// tensors reads a file of the safetensors format: the length of a JSON object, the
// object, which says where each tensor is in what follows, and the tensors.
type tensors struct {
	file    *os.File
	size    int64 // of the data
	start   int64 // of the data in the file
	entries map[string]tensor
}

// tensor is where a tensor is, and how it is written.
type tensor struct {
	Type    string   `json:"dtype"`
	Shape   []int    `json:"shape"`
	Offsets [2]int64 `json:"data_offsets"`
}

const (
	maxTensorHeader = 1 << 24
	maxFile         = 4 << 30
)

// openTensors opens a file and checks that all its tensors are inside it.
func openTensors(path string) (*tensors, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	t := &tensors{file: file}
	if err := t.readHeader(); err != nil {
		file.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return t, nil
}

func (t *tensors) readHeader() error {
	info, err := t.file.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() || info.Size() > maxFile {
		return fmt.Errorf("no regular file of at most %d bytes", int64(maxFile))
	}
	var start [8]byte
	if _, err := io.ReadFull(t.file, start[:]); err != nil {
		return errors.New("not a safetensors file: it is too short")
	}
	length := binary.LittleEndian.Uint64(start[:])
	if length > maxTensorHeader || int64(length) > info.Size()-8 {
		return fmt.Errorf("not a safetensors file, or cut off: its header would have %d bytes", length)
	}
	header := make([]byte, length)
	if _, err := io.ReadFull(t.file, header); err != nil {
		return fmt.Errorf("header: %w", err)
	}
	t.start = 8 + int64(length)
	t.size = info.Size() - t.start
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(header, &raw); err != nil {
		return fmt.Errorf("not a safetensors file: %w", err)
	}
	delete(raw, "__metadata__")
	t.entries = make(map[string]tensor, len(raw))
	for _, name := range slices.Sorted(maps.Keys(raw)) { // of several that are damaged, always the same is told
		var entry tensor
		if err := json.Unmarshal(raw[name], &entry); err != nil {
			return fmt.Errorf("tensor %q: %w", name, err)
		}
		if from, to := entry.Offsets[0], entry.Offsets[1]; from < 0 || from > to || to > t.size {
			return fmt.Errorf("tensor %q is at bytes %d to %d of %d: the file is cut off or damaged", name, from, to, t.size)
		}
		t.entries[name] = entry
	}
	return nil
}

func (t *tensors) Close() error { return t.file.Close() }

// elementBytes has the types of numbers that are read.
var elementBytes = map[string]int{"F32": 4, "F16": 2, "BF16": 2}

// read returns the numbers of a tensor, known by one of several names, which must
// have the shape.
func (t *tensors) read(shape []int, names ...string) ([]float32, error) {
	i := slices.IndexFunc(names, func(name string) bool { _, ok := t.entries[name]; return ok })
	if i < 0 {
		return nil, fmt.Errorf("%s: there is no tensor %q", t.file.Name(), names[0])
	}
	name, entry := names[i], t.entries[names[i]]
	fail := func(format string, args ...any) ([]float32, error) {
		return nil, fmt.Errorf("%s: tensor %q %s", t.file.Name(), name, fmt.Sprintf(format, args...))
	}
	if !slices.Equal(entry.Shape, shape) {
		return fail("has the shape %v; config.json asks for %v", entry.Shape, shape)
	}
	width, ok := elementBytes[entry.Type]
	if !ok {
		return fail("has numbers of type %q; F32, F16 and BF16 are read", entry.Type)
	}
	n := 1
	for _, d := range shape {
		n *= d
	}
	if entry.Offsets[1]-entry.Offsets[0] != int64(n*width) {
		return fail("has %d bytes for %d numbers of type %s", entry.Offsets[1]-entry.Offsets[0], n, entry.Type)
	}
	data := make([]byte, n*width)
	if _, err := t.file.ReadAt(data, t.start+entry.Offsets[0]); err != nil {
		return fail("can't be read: %v", err)
	}
	numbers := make([]float32, n)
	for i := range numbers {
		numbers[i] = number(entry.Type, data[i*width:])
		if v := numbers[i]; v-v != 0 {
			return fail("holds %v at place %d", v, i)
		}
	}
	return numbers, nil
}

// number reads one number of a tensor.
func number(kind string, b []byte) float32 {
	switch kind {
	case "F32":
		return math.Float32frombits(binary.LittleEndian.Uint32(b))
	case "BF16":
		return math.Float32frombits(uint32(binary.LittleEndian.Uint16(b)) << 16)
	}
	return half(binary.LittleEndian.Uint16(b))
}

// half is a number of IEEE 754's 16-bit format.
func half(bits uint16) float32 {
	sign, exponent, fraction := uint32(bits>>15)<<31, int(bits>>10&31), uint32(bits&1023)
	switch exponent {
	case 0:
		v := float32(fraction) / (1 << 24)
		return math.Float32frombits(math.Float32bits(v) | sign)
	case 31:
		return math.Float32frombits(sign | 255<<23 | fraction<<13)
	}
	return math.Float32frombits(sign | uint32(exponent+112)<<23 | fraction<<13)
}
