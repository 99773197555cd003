// Package sentence turns texts into vectors that are close to each other when the
// texts mean the same, with transformer encoders of BERT's architecture.
//
// The encoder runs on weights of eight bits, with the arithmetic of package kernel:
// a text has the same vector, bit for bit, on every processor and number of cores,
// and beside whichever others it is encoded.
//
// Source: Devlin et al. 2019, "BERT"; Reimers, Gurevych 2019, "Sentence-BERT".
package sentence

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"unsafe"

	"github.com/loquat-dev/loquat/internal/ml/kernel"
	"github.com/loquat-dev/loquat/internal/ml/wordpiece"
)

// Arithmetic names how vectors are computed: they are the same, bit for bit, wherever
// the name is, whichever kernel computes them. It changes when they do.
const Arithmetic = "exact int8, 1"

// Encoder encodes texts with the weights of one model. It is safe for concurrent
// use.
type Encoder struct {
	model     *model
	name      string
	digest    [32]byte
	tokenizer *wordpiece.Tokenizer

	mu   sync.Mutex
	idle []*workspace
}

// Encoding is what is known about one text.
type Encoding struct {
	// Vector is the vector of the text, of length 1.
	Vector []float32
	// Layers are the means of the vectors of all pieces after the last layer, the
	// one before, and so on, as many as were asked for: Dim numbers each, of length 1,
	// one after the other.
	Layers []float32
	// Pieces are the pieces of the text, without [CLS] and [SEP]; Vectors has one
	// for each, Dim numbers, one after the other.
	Pieces  []wordpiece.Piece
	Vectors []float32
	// Cut tells that the text was too long, and has no pieces for its end.
	Cut bool
}

// PieceVector is the vector of piece i.
func (e *Encoding) PieceVector(i int) []float32 {
	dim := len(e.Vector)
	return e.Vectors[i*dim : (i+1)*dim : (i+1)*dim]
}

// Open makes an encoder of the bytes of a weights file (docs/formats/encoder-weights.md),
// which it goes on referring to. Damaged weights are refused.
func Open(weights string) (*Encoder, error) { return open(weights, false) }

// OpenTrusted is Open without computing the checksum, for weights that are part of
// the program.
func OpenTrusted(weights string) (*Encoder, error) { return open(weights, true) }

func open(weights string, trusted bool) (*Encoder, error) {
	m, digest, err := parse(weights, trusted)
	if err != nil {
		return nil, err
	}
	tokenizer, err := wordpiece.New(m.vocabulary, m.Pieces)
	if err != nil {
		return nil, fmt.Errorf("vocabulary: %w", err)
	}
	return &Encoder{model: m, name: m.Name, digest: digest, tokenizer: tokenizer}, nil
}

// Load makes an encoder of a weights file, or of a folder with config.json,
// vocab.txt and model.safetensors, whose weights it rounds to eight bits. Errors
// name the file and the reason.
func Load(path string) (*Encoder, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	var weights []byte
	if info.IsDir() {
		weights, err = Pack(path, "")
	} else if !info.Mode().IsRegular() || info.Size() > maxFile {
		err = &fs.PathError{Op: "read", Path: path, Err: fmt.Errorf("no regular file of at most %d bytes", int64(maxFile))}
	} else {
		weights, err = os.ReadFile(path)
	}
	if err != nil {
		return nil, err
	}
	e, err := Open(unsafe.String(unsafe.SliceData(weights), len(weights)))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if e.name == "" {
		e.name = filepath.Base(path)
	}
	return e, nil
}

// Dim is how many numbers a vector has.
func (e *Encoder) Dim() int { return e.model.Hidden }

// NumLayers is how many layers the model has.
func (e *Encoder) NumLayers() int { return e.model.Layers }

// Name is the name of the model, or of the folder that it is in.
func (e *Encoder) Name() string { return e.name }

// Fingerprint is the same for equal weights, and no others.
func (e *Encoder) Fingerprint() string { return hex.EncodeToString(e.digest[:]) }

// Kernel says which instructions of the processor are used.
func (e *Encoder) Kernel() string { return kernel.Name() }

// MaxPieces is how many pieces of a text are read, [CLS] and [SEP] included.
func (e *Encoder) MaxPieces() int { return e.model.Positions }

// Tokenize adds the pieces of a text to a list, [CLS] and [SEP] included, and
// tells whether its end was cut off.
func (e *Encoder) Tokenize(to []wordpiece.Piece, text string) (pieces []wordpiece.Piece, cut bool) {
	return e.tokenizer.Append(to, text, e.model.Positions)
}

// Encode returns the vectors of texts, each of length 1. It uses all cores that
// the program may; a context that ends stops it within milliseconds.
func (e *Encoder) Encode(ctx context.Context, texts []string) ([][]float32, error) {
	dim := e.Dim()
	flat := make([]float32, len(texts)*dim)
	if err := e.EncodeInto(ctx, flat, texts); err != nil {
		return nil, err
	}
	vectors := make([][]float32, len(texts))
	for i := range vectors {
		vectors[i] = flat[i*dim : (i+1)*dim : (i+1)*dim]
	}
	return vectors, nil
}

// EncodeInto is Encode into len(texts)·Dim numbers that the caller has.
func (e *Encoder) EncodeInto(ctx context.Context, to []float32, texts []string) error {
	if len(to) != len(texts)*e.Dim() {
		return fmt.Errorf("place for %d numbers, not %d", len(to), len(texts)*e.Dim())
	}
	return e.run(ctx, texts, result{vectors: to})
}

// EncodePieces returns the vectors of texts, of their pieces, and of texts after the
// last layers, of which there are NumLayers.
func (e *Encoder) EncodePieces(ctx context.Context, texts []string, layers int) ([]Encoding, error) {
	return e.encodings(ctx, texts, layers, true)
}

// EncodeLayers is EncodePieces without the pieces.
func (e *Encoder) EncodeLayers(ctx context.Context, texts []string, layers int) ([]Encoding, error) {
	return e.encodings(ctx, texts, layers, false)
}

func (e *Encoder) encodings(ctx context.Context, texts []string, layers int, pieces bool) ([]Encoding, error) {
	if layers < 0 || layers > e.NumLayers() {
		return nil, fmt.Errorf("%d layers asked for; %s has %d", layers, e.name, e.NumLayers())
	}
	dim := e.Dim()
	flat := make([]float32, len(texts)*dim)
	encodings := make([]Encoding, len(texts))
	for i := range encodings {
		encodings[i].Vector = flat[i*dim : (i+1)*dim : (i+1)*dim]
		encodings[i].Layers = make([]float32, layers*dim)
	}
	if err := e.run(ctx, texts, result{vectors: flat, encodings: encodings, pieces: pieces}); err != nil {
		return nil, err
	}
	return encodings, nil
}

var errNoNumber = errors.New("the weights give a vector that is no number")
