package sentence

import (
	"github.com/loquat-dev/loquat/internal/ml/kernel"
	"github.com/loquat-dev/loquat/internal/ml/wordpiece"
)

// Shape is what the weights of a model are sized by.
type Shape struct {
	Vocabulary int // pieces
	Hidden     int // numbers in the vector of a piece
	Layers     int
	Heads      int // of attention in a layer; Hidden is a multiple of it
	Inner      int // numbers between the two halves of a layer
	Positions  int // pieces of a text at most, [CLS] and [SEP] included
}

// Pooling is how the vector of a text is made of those of its pieces.
type Pooling uint32

const (
	PoolMean  Pooling = iota // their mean
	PoolFirst                // that of [CLS]
)

// Properties are what else a model must be used with.
type Properties struct {
	Name    string
	Epsilon float32 // added to variances
	Pooling Pooling
	Pieces  wordpiece.Options
}

// model holds the weights. Matrices lie in the file's bytes.
type model struct {
	Shape
	Properties
	vocabulary string

	words      []byte    // Vocabulary × Hidden, two's complement
	wordScale  []float32 // of a row
	places     []byte    // Positions × Hidden, of positions and of the only segment
	placeScale []float32 // of a row
	norm       norm
	layers     []layer
}

// layer is one block of the transformer.
type layer struct {
	// attend gives queries, keys and values beside each other. Queries are
	// divided by √(Hidden/Heads) already.
	attend, merge kernel.Matrix
	attended      norm
	widen, narrow kernel.Matrix
	done          norm
}

// norm is a layer normalization.
type norm struct{ gain, bias []float32 }
