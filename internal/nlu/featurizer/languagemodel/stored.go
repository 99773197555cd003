package languagemodel

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"math"

	"github.com/loquat-dev/loquat/internal/graph"
	"github.com/loquat-dev/loquat/internal/ml/sentence"
)

// The vectors of training texts are kept in the training cache, in one entry for
// each node and its weights: after one more example only that one is encoded. Since
// a text's vector depends on nothing but the text and the weights, it makes no
// difference to a model which of them came from there.
//
// An entry is (docs/formats/cache.md), little-endian:
//
//	numbers in a vector, uint32
//	for each text: first 16 bytes of its SHA-256, its vector as float32
const (
	storedFile = "vectors.bin"
	digestSize = 16
	// spare is how many vectors of earlier texts an entry holds beyond as many as
	// there are texts now.
	spare = 1000
)

type digest [digestSize]byte

func digestOf(text string) digest {
	sum := sha256.Sum256([]byte(text))
	return digest(sum[:digestSize])
}

// trainingVectors returns the vectors of texts by text.
func (f *Featurizer) trainingVectors(ctx context.Context, texts []string) (map[string][]float32, error) {
	key := graph.Fingerprint([]any{name, "vectors", version, f.weights.fingerprint, sentence.Arithmetic, f.origin})
	var known storedVectors
	if f.cache != nil {
		if r, ok := f.cache.Get(key); ok {
			known = readStored(r[storedFile], f.weights.width())
		}
	}
	out := make(map[string][]float32, len(texts))
	var missing []string
	for _, text := range texts {
		if out[text] = known.vector(digestOf(text)); out[text] == nil {
			missing = append(missing, text)
		}
	}
	f.logger.DebugContext(ctx, "vectors of texts", "texts", len(texts), "encoded", len(missing), "kernel", f.weights.encoder.Kernel())
	if len(missing) == 0 {
		return out, nil
	}
	found, err := f.weights.vectors(ctx, missing)
	if err != nil {
		return nil, err
	}
	for i, text := range missing {
		out[text] = found[i]
	}
	if f.cache != nil {
		if err := f.cache.Put(key, graph.Resource{storedFile: known.with(texts, out, f.weights.width())}); err != nil {
			f.logger.WarnContext(ctx, "the vectors of texts were not cached", "err", err)
		}
	}
	return out, nil
}

// storedVectors are the vectors of an entry.
type storedVectors struct {
	at     map[digest]int
	order  []digest
	bodies []byte // vectors, each after its digest
	width  int
}

// readStored reads an entry; what is not one holds no vectors.
func readStored(data []byte, width int) storedVectors {
	s := storedVectors{at: map[digest]int{}, width: width}
	size := digestSize + 4*width
	if len(data) < 4 || int(binary.LittleEndian.Uint32(data)) != width || (len(data)-4)%size != 0 {
		return s
	}
	s.bodies = data[4:]
	for from := 0; from < len(s.bodies); from += size {
		d := digest(s.bodies[from : from+digestSize])
		s.at[d] = from + digestSize
		s.order = append(s.order, d)
	}
	return s
}

// vector returns the vector of a text, or nil.
func (s *storedVectors) vector(d digest) []float32 {
	from, ok := s.at[d]
	if !ok {
		return nil
	}
	v := make([]float32, s.width)
	for i := range v {
		v[i] = math.Float32frombits(binary.LittleEndian.Uint32(s.bodies[from+4*i:]))
	}
	return v
}

// with makes an entry of the vectors of texts and, after them, of earlier ones as
// far as there is room.
func (s *storedVectors) with(texts []string, vectors map[string][]float32, width int) []byte {
	size := digestSize + 4*width
	out := make([]byte, 4, 4+(2*len(texts)+spare)*size)
	binary.LittleEndian.PutUint32(out, uint32(width))
	written := make(map[digest]bool, len(texts))
	for _, text := range texts {
		d := digestOf(text)
		written[d] = true
		out = append(out, d[:]...)
		for _, v := range vectors[text] {
			out = binary.LittleEndian.AppendUint32(out, math.Float32bits(v))
		}
	}
	for _, d := range s.order {
		if len(out)+size > cap(out) {
			break
		}
		if !written[d] {
			from := s.at[d]
			out = append(out, s.bodies[from-digestSize:from+4*width]...)
		}
	}
	return out
}
