package sentence

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"
	"unsafe"

	"github.com/loquat-dev/loquat/internal/ml/kernel"
)

// The format is described in docs/formats/encoder-weights.md.
const (
	magic      = "loquat encoder 1"
	headerSize = 128
	nameSize   = 40
	align      = 64
)

// header is the start of a file, little-endian.
type header struct {
	Magic           [16]byte
	Digest          [32]byte // SHA-256 of what follows
	Vocabulary      uint32
	VocabularyBytes uint32
	Hidden          uint32
	Layers          uint32
	Heads           uint32
	Inner           uint32
	Positions       uint32
	Epsilon         float32
	Pooling         uint32
	Flags           uint32
	Name            [nameSize]byte
}

const (
	flagLowercase = 1 << iota
	flagStripAccents
	flagSplitHan
	flagsKnown = 1<<iota - 1
)

// Limits of what is loaded, above those of the largest published models.
const (
	maxVocabulary = 1 << 20
	maxHidden     = 1 << 12
	maxLayers     = 64
	maxInner      = 1 << 14
	maxPieces     = 256
	maxText       = 1 << 26
)

func (s Shape) check() error {
	switch {
	case s.Vocabulary < 1 || s.Vocabulary > maxVocabulary:
		return fmt.Errorf("a vocabulary of %d pieces; %d at most", s.Vocabulary, maxVocabulary)
	case s.Hidden < 1 || s.Hidden > maxHidden:
		return fmt.Errorf("vectors of %d numbers; %d at most", s.Hidden, maxHidden)
	case s.Layers < 1 || s.Layers > maxLayers:
		return fmt.Errorf("%d layers; %d at most", s.Layers, maxLayers)
	case s.Heads < 1 || s.Hidden%s.Heads != 0:
		return fmt.Errorf("%d heads of attention don't divide %d numbers", s.Heads, s.Hidden)
	case s.Inner < 1 || s.Inner > maxInner:
		return fmt.Errorf("%d numbers inside a layer; %d at most", s.Inner, maxInner)
	case s.Positions < 2 || s.Positions > maxPieces:
		return fmt.Errorf("%d positions; 2 to %d", s.Positions, maxPieces)
	}
	return nil
}

// file gives the parts of a file in their order. It either takes them from data or,
// when data is empty, only counts their bytes.
type file struct {
	data string
	at   int
	err  error
}

// next returns the next n bytes. They start at a multiple of align.
func (f *file) next(n int) string {
	f.at = (f.at + align - 1) / align * align
	from := f.at
	f.at += n
	if f.data == "" {
		return ""
	}
	return f.data[from:f.at]
}

func (f *file) bytes(n int) []byte {
	return view(f.next(n))
}

// view gives the bytes of a string without a copy. Nobody writes to weights.
func view(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }

// floats are copied: they are few, and where they lie need not suit the processor.
func (f *file) floats(what string, n int) []float32 {
	s := f.next(4 * n)
	if s == "" {
		return nil
	}
	floats := make([]float32, n)
	for i := range floats {
		v := math.Float32frombits(uint32(s[4*i]) | uint32(s[4*i+1])<<8 | uint32(s[4*i+2])<<16 | uint32(s[4*i+3])<<24)
		if v-v != 0 && f.err == nil {
			f.err = fmt.Errorf("number %d of %s is %v", i, what, v)
		}
		floats[i] = v
	}
	return floats
}

func (f *file) norm(what string, n int) norm {
	return norm{f.floats(what+" gain", n), f.floats(what+" bias", n)}
}

func (f *file) matrix(what string, in, out int) kernel.Matrix {
	return kernel.Matrix{
		In: in, Out: out,
		Weights: f.bytes(kernel.PackedSize(in, out)),
		Scale:   f.floats(what+" scale", kernel.Padded(out)),
		Bias:    f.floats(what+" bias", kernel.Padded(out)),
	}
}

// parts goes through all parts of a file in order.
func (f *file) parts(s Shape, vocabularyBytes int) model {
	m := model{Shape: s}
	f.at = headerSize
	m.vocabulary = f.next(vocabularyBytes)
	m.words = f.bytes(s.Vocabulary * s.Hidden)
	m.wordScale = f.floats("the scale of pieces", s.Vocabulary)
	m.places = f.bytes(s.Positions * s.Hidden)
	m.placeScale = f.floats("the scale of positions", s.Positions)
	m.norm = f.norm("embeddings", s.Hidden)
	for i := range s.Layers {
		name := fmt.Sprintf("layer %d ", i)
		m.layers = append(m.layers, layer{
			attend:   f.matrix(name+"attend", s.Hidden, 3*s.Hidden),
			merge:    f.matrix(name+"merge", s.Hidden, s.Hidden),
			attended: f.norm(name+"attended", s.Hidden),
			widen:    f.matrix(name+"widen", s.Hidden, s.Inner),
			narrow:   f.matrix(name+"narrow", s.Inner, s.Hidden),
			done:     f.norm(name+"done", s.Hidden),
		})
	}
	return m
}

var errDamaged = errors.New("the weights are damaged: their checksum is another")

// parse finds the parts of a file in its bytes. The model refers to them.
func parse(data string, trusted bool) (*model, [32]byte, error) {
	var h header
	if len(data) < headerSize || !strings.HasPrefix(data, magic) {
		return nil, h.Digest, errors.New("not a file of encoder weights")
	}
	if _, err := binary.Decode([]byte(data[:headerSize]), binary.LittleEndian, &h); err != nil {
		return nil, h.Digest, err
	}
	s := Shape{int(h.Vocabulary), int(h.Hidden), int(h.Layers), int(h.Heads), int(h.Inner), int(h.Positions)}
	p := Properties{Name: string(bytes.TrimRight(h.Name[:], "\x00")), Epsilon: h.Epsilon, Pooling: Pooling(h.Pooling)}
	p.Pieces.Lowercase, p.Pieces.StripAccents, p.Pieces.SplitHan = h.Flags&flagLowercase != 0, h.Flags&flagStripAccents != 0, h.Flags&flagSplitHan != 0
	if err := s.check(); err != nil {
		return nil, h.Digest, err
	}
	switch {
	case h.VocabularyBytes > maxText:
		return nil, h.Digest, fmt.Errorf("a vocabulary of %d bytes; %d at most", h.VocabularyBytes, maxText)
	case h.Pooling > uint32(PoolFirst), h.Flags > flagsKnown:
		return nil, h.Digest, errors.New("the weights are of a later version")
	case !(h.Epsilon >= 0 && h.Epsilon <= 1):
		return nil, h.Digest, fmt.Errorf("an epsilon of %v", h.Epsilon)
	}
	size := file{}
	size.parts(s, int(h.VocabularyBytes))
	if len(data) != size.at {
		return nil, h.Digest, fmt.Errorf("%d bytes instead of %d: the file is cut off or was changed", len(data), size.at)
	}
	if !trusted && sha256.Sum256(view(data[len(magic)+sha256.Size:])) != h.Digest {
		return nil, h.Digest, errDamaged
	}
	f := file{data: data}
	m := f.parts(s, int(h.VocabularyBytes))
	m.Properties = p
	if lines := strings.Count(m.vocabulary, "\n"); f.err == nil && (lines != s.Vocabulary || !strings.HasSuffix(m.vocabulary, "\n")) {
		f.err = fmt.Errorf("a vocabulary of %d lines for %d pieces", lines, s.Vocabulary)
	}
	return &m, h.Digest, f.err
}
