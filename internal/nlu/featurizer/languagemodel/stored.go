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
//	numbers in the vector of a text, of a token, both uint32
//	for each text: first 16 bytes of its SHA-256 (of tokens, where their vectors
//	follow, too), number of tokens, uint32, vector as float32,
//	for each token: scale, float32, vector in eight bits
const (
	storedFile = "vectors.bin"
	digestSize = 16
	// spare is how many vectors of earlier texts an entry holds beyond as many as
	// there are texts now.
	spare = 1000
)

type digest [digestSize]byte

func digestOf(w wanted) digest {
	data := []byte(w.text)
	for _, t := range w.tokens {
		data = binary.LittleEndian.AppendUint32(data, uint32(t.Start))
		data = binary.LittleEndian.AppendUint32(data, uint32(t.End))
	}
	data = binary.LittleEndian.AppendUint32(data, uint32(len(w.tokens)))
	sum := sha256.Sum256(data)
	return digest(sum[:digestSize])
}

// trainingVectors returns what is wanted of texts by text.
func (f *Featurizer) trainingVectors(ctx context.Context, texts []wanted) (map[string]encoded, error) {
	key := graph.Fingerprint([]any{name, "vectors", version, f.weights.fingerprint, sentence.Arithmetic, f.origin})
	known := storedVectors{}
	if f.cache != nil {
		if r, ok := f.cache.Get(key); ok {
			known = readStored(r[storedFile], f.weights.width(), f.weights.encoder.Dim())
		}
	}
	out := make(map[string]encoded, len(texts))
	var missing []wanted
	for _, t := range texts {
		if v, ok := known.find(digestOf(t)); ok {
			out[t.text] = v
		} else {
			missing = append(missing, t)
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
	for i, t := range missing {
		out[t.text] = found[i]
	}
	if f.cache != nil {
		if err := f.cache.Put(key, graph.Resource{storedFile: known.with(texts, out, f.weights.width(), f.weights.encoder.Dim())}); err != nil {
			f.logger.WarnContext(ctx, "the vectors of texts were not cached", "err", err)
		}
	}
	return out, nil
}

// storedVectors are the vectors of an entry.
type storedVectors struct {
	at         map[digest][]byte // what follows each digest
	order      []digest
	width, dim int // of a text's vector, of a token's
}

// readStored reads an entry; what is not one holds no vectors.
func readStored(data []byte, width, dim int) storedVectors {
	s := storedVectors{at: map[digest][]byte{}, width: width, dim: dim}
	if len(data) < 8 || int(binary.LittleEndian.Uint32(data)) != width || int(binary.LittleEndian.Uint32(data[4:])) != dim {
		return s
	}
	for data = data[8:]; len(data) > 0; {
		if len(data) < digestSize+4 {
			return storedVectors{width: width, dim: dim}
		}
		d := digest(data)
		data = data[digestSize:]
		size := 4 + 4*int64(width) + int64(binary.LittleEndian.Uint32(data))*int64(4+dim)
		if int64(len(data)) < size {
			return storedVectors{width: width, dim: dim}
		}
		s.at[d], data = data[:size], data[size:]
		s.order = append(s.order, d)
	}
	return s
}

// find returns what is known of a text.
func (s *storedVectors) find(d digest) (encoded, bool) {
	body, ok := s.at[d]
	if !ok {
		return encoded{}, false
	}
	tokens := int(binary.LittleEndian.Uint32(body))
	e := encoded{text: make([]float32, s.width)}
	body = body[4:]
	for i := range e.text {
		e.text[i] = math.Float32frombits(binary.LittleEndian.Uint32(body[4*i:]))
	}
	body = body[4*s.width:]
	for range tokens {
		e.tokens.scale = append(e.tokens.scale, math.Float32frombits(binary.LittleEndian.Uint32(body)))
		e.tokens.numbers = append(e.tokens.numbers, body[4:4+s.dim]...)
		body = body[4+s.dim:]
	}
	return e, true
}

// with makes an entry of the vectors of texts and, after them, of earlier ones: as
// many again at most, and a few more.
func (s *storedVectors) with(texts []wanted, vectors map[string]encoded, width, dim int) []byte {
	size := 8
	for _, t := range texts {
		e := vectors[t.text]
		size += digestSize + 4 + e.size()
	}
	out := make([]byte, 0, size+size/2)
	out = binary.LittleEndian.AppendUint32(out, uint32(width))
	out = binary.LittleEndian.AppendUint32(out, uint32(dim))
	written := make(map[digest]bool, len(texts))
	for _, t := range texts {
		d, e := digestOf(t), vectors[t.text]
		written[d] = true
		out = append(out, d[:]...)
		out = binary.LittleEndian.AppendUint32(out, uint32(len(e.tokens.scale)))
		for _, v := range e.text {
			out = binary.LittleEndian.AppendUint32(out, math.Float32bits(v))
		}
		for i, v := range e.tokens.scale {
			out = binary.LittleEndian.AppendUint32(out, math.Float32bits(v))
			out = append(out, e.tokens.numbers[i*dim:(i+1)*dim]...)
		}
	}
	room := len(texts) + spare
	for _, d := range s.order {
		if room == 0 {
			break
		}
		if !written[d] {
			room--
			out = append(append(out, d[:]...), s.at[d]...)
		}
	}
	return out
}
