// Package minilm is the sentence encoder that is part of the program:
// all-MiniLM-L6-v2, a transformer of 22.7 million weights for English, which gives
// vectors of 384 numbers.
//
// Its weights lie in the program file, whose pages are only read when they are
// used: a program that never calls Open pays nothing. NOTICE beside this file says
// where they come from; "make weights" makes them again and compares.
package minilm

import (
	_ "embed" // for weights
	"sync"

	"github.com/loquat-dev/loquat/internal/ml/sentence"
)

//go:embed weights.bin
var weights string

// Fingerprint is what Open()'s encoder has for a fingerprint, known without
// opening it.
const Fingerprint = "facf9b02e7996a851f2fcf9db00926c53550a4df3989506ce42db11a22762eae"

// Name is that of the model.
const Name = "all-MiniLM-L6-v2"

// Open returns the encoder, which all callers share.
var Open = sync.OnceValues(func() (*sentence.Encoder, error) { return sentence.OpenTrusted(weights) })
