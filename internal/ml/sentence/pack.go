package sentence

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"path/filepath"

	"github.com/loquat-dev/loquat/internal/ml/kernel"
	"github.com/loquat-dev/loquat/internal/ml/wordpiece"
)

// Pack makes a weights file of a folder with config.json, vocab.txt and
// model.safetensors. The same folder and name give the same bytes. Errors name the
// file and the reason.
func Pack(folder, name string) ([]byte, error) {
	c, properties, err := readConfig(folder)
	if err != nil {
		return nil, err
	}
	if len(name) > nameSize {
		return nil, fmt.Errorf("the name %q has more than %d bytes", name, nameSize)
	}
	properties.Name = name
	vocabulary, err := readVocabulary(folder, c.Vocabulary)
	if err != nil {
		return nil, err
	}
	if _, err := wordpiece.New(vocabulary, properties.Pieces); err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Join(folder, "vocab.txt"), err)
	}
	t, err := openTensors(filepath.Join(folder, "model.safetensors"))
	if err != nil {
		return nil, err
	}
	defer func() { _ = t.Close() }() // it was only read
	p := packer{shape: c.shape(), tensors: t, properties: properties, vocabulary: vocabulary}
	if _, ok := t.entries["bert.embeddings.word_embeddings.weight"]; ok {
		p.prefix = "bert."
	}
	p.model(c)
	if p.err != nil {
		return nil, p.err
	}
	return p.finish(), nil
}

// packer writes the parts of a file in the order in which file.parts reads them.
// After an error it does nothing.
type packer struct {
	shape      Shape
	properties Properties
	vocabulary string
	tensors    *tensors
	prefix     string
	out        []byte // what follows the header
	err        error
}

func (p *packer) model(c config) {
	s := p.shape
	p.next([]byte(p.vocabulary))
	p.rows(p.read("embeddings.word_embeddings.weight", s.Vocabulary, s.Hidden), s.Vocabulary)
	places := p.read("embeddings.position_embeddings.weight", c.MaxPositions, s.Hidden)
	segments := p.read("embeddings.token_type_embeddings.weight", c.Segments, s.Hidden)
	if p.err != nil {
		return
	}
	places = places[:s.Positions*s.Hidden]
	for i := range places {
		places[i] += segments[i%s.Hidden]
	}
	p.rows(places, s.Positions)
	p.norm("embeddings.LayerNorm")
	for i := range s.Layers {
		p.layer(fmt.Sprintf("encoder.layer.%d.", i))
	}
}

func (p *packer) layer(name string) {
	s := p.shape
	attend := layerWeights{}
	for _, part := range []string{"query", "key", "value"} {
		l := p.linear(name+"attention.self."+part, s.Hidden, s.Hidden)
		if part == "query" {
			l.scale(1 / math.Sqrt(float64(s.Hidden/s.Heads)))
		}
		attend.weights, attend.bias = append(attend.weights, l.weights...), append(attend.bias, l.bias...)
	}
	p.matrix(attend, s.Hidden)
	p.matrix(p.linear(name+"attention.output.dense", s.Hidden, s.Hidden), s.Hidden)
	p.norm(name + "attention.output.LayerNorm")
	p.matrix(p.linear(name+"intermediate.dense", s.Hidden, s.Inner), s.Hidden)
	p.matrix(p.linear(name+"output.dense", s.Inner, s.Hidden), s.Inner)
	p.norm(name + "output.LayerNorm")
}

// read returns the numbers of a tensor.
func (p *packer) read(name string, shape ...int) []float32 {
	if p.err != nil {
		return nil
	}
	numbers, err := p.tensors.read(shape, p.prefix+name)
	p.err = err
	return numbers
}

// layerWeights are the weights of a linear layer as they are published: a row of
// inputs for each output.
type layerWeights struct{ weights, bias []float32 }

func (p *packer) linear(name string, in, out int) layerWeights {
	return layerWeights{p.read(name+".weight", out, in), p.read(name+".bias", out)}
}

func (l layerWeights) scale(by float64) {
	for i := range l.weights {
		l.weights[i] = float32(float64(l.weights[i]) * by)
	}
	for i := range l.bias {
		l.bias[i] = float32(float64(l.bias[i]) * by)
	}
}

// next writes bytes at the next multiple of align.
func (p *packer) next(data []byte) {
	// The header's size is such a multiple.
	p.out = append(p.out, make([]byte, (align-len(p.out)%align)%align)...)
	p.out = append(p.out, data...)
}

func (p *packer) floats(numbers []float32, n int) {
	data := make([]byte, 0, 4*n)
	for _, v := range numbers {
		data = binary.LittleEndian.AppendUint32(data, math.Float32bits(v))
	}
	p.next(data[:4*n])
}

// norm writes a layer normalization. Some models name its two halves otherwise.
func (p *packer) norm(name string) {
	for _, names := range [][]string{{".weight", ".gamma"}, {".bias", ".beta"}} {
		if p.err != nil {
			return
		}
		var numbers []float32
		numbers, p.err = p.tensors.read([]int{p.shape.Hidden}, p.prefix+name+names[0], p.prefix+name+names[1])
		p.floats(numbers, p.shape.Hidden)
	}
}

// rows writes n rows of numbers, each with a scale of its own.
func (p *packer) rows(numbers []float32, n int) {
	if p.err != nil {
		return
	}
	width := len(numbers) / n
	data := make([]byte, 0, len(numbers))
	scales := make([]float32, n)
	row := make([]int8, width)
	for i := range n {
		scales[i] = roundRow(row, numbers[i*width:(i+1)*width])
		for _, q := range row {
			data = append(data, byte(q))
		}
	}
	p.next(data)
	p.floats(scales, n)
}

// matrix writes a linear layer.
func (p *packer) matrix(l layerWeights, in int) {
	if p.err != nil {
		return
	}
	out := len(l.bias)
	weights := make([]byte, kernel.PackedSize(in, out))
	kernel.Clear(weights)
	scales := make([]float32, out)
	row := make([]int8, in)
	for o := range out {
		scales[o] = roundRow(row, l.weights[o*in:(o+1)*in])
		kernel.Pack(weights, in, o, row)
	}
	p.next(weights)
	p.floats(scales, kernel.Padded(out))
	p.floats(l.bias, kernel.Padded(out))
}

// roundRow rounds numbers to −127 … 127 times the scale that it returns.
func roundRow(to []int8, numbers []float32) (scale float32) {
	var largest float64
	for _, v := range numbers {
		largest = max(largest, math.Abs(float64(v)))
	}
	clear(to)
	scale = float32(largest / 127)
	if scale == 0 {
		return 0
	}
	for i, v := range numbers {
		to[i] = int8(min(max(math.RoundToEven(float64(v)/float64(scale)), -127), 127))
	}
	return scale
}

// finish puts the header before the parts.
func (p *packer) finish() []byte {
	s := p.shape
	h := header{
		Vocabulary: uint32(s.Vocabulary), VocabularyBytes: uint32(len(p.vocabulary)), Hidden: uint32(s.Hidden),
		Layers: uint32(s.Layers), Heads: uint32(s.Heads), Inner: uint32(s.Inner), Positions: uint32(s.Positions),
		Epsilon: p.properties.Epsilon, Pooling: uint32(p.properties.Pooling),
	}
	copy(h.Magic[:], magic)
	copy(h.Name[:], p.properties.Name)
	for flag, on := range map[uint32]bool{
		flagLowercase: p.properties.Pieces.Lowercase, flagStripAccents: p.properties.Pieces.StripAccents,
		flagSplitHan: p.properties.Pieces.SplitHan,
	} {
		if on {
			h.Flags |= flag
		}
	}
	var out bytes.Buffer
	out.Grow(headerSize + len(p.out))
	// A buffer takes everything, and a header has a fixed size.
	_ = binary.Write(&out, binary.LittleEndian, h)
	out.Write(p.out)
	data := out.Bytes()
	digest := sha256.Sum256(data[len(magic)+sha256.Size:])
	copy(data[len(magic):], digest[:])
	return data
}
