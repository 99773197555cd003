package encoder

import (
	"unicode"

	"github.com/loquat-dev/loquat/internal/ml/vocab"
	"github.com/loquat-dev/loquat/internal/nlu"
)

// word is one token as our own features see it.
type word struct {
	hash   uint64 // of the lower-cased text; all whole numbers are one word
	shape  uint64 // of its shape: "Xx", "d", "X.X.", …
	first  int    // where its runes begin
	end    int    // and end
	number bool   // it is a whole number
}

// words are the tokens of one message. The slices are reused for the next one.
type words struct {
	list  []word
	runes []rune // lower-cased, one token after the other
}

var (
	seedWord  = vocab.Seed("word")
	seedShape = vocab.Seed("shape")
)

// read takes in the tokens of a message.
func (w *words) read(tokens []nlu.Token) {
	w.list, w.runes = w.list[:0], w.runes[:0]
	for i := range tokens {
		first := len(w.runes)
		h, shape := seedWord, seedShape
		digits, last := true, byte(0)
		for _, r := range tokens[i].Text {
			class := shapeOf(r)
			if class != last { // runs of a class count once
				shape, last = vocab.Byte(shape, class), class
			}
			digits = digits && class == 'd'
			r = unicode.ToLower(r)
			w.runes = append(w.runes, r)
			h = vocab.Rune(h, r)
		}
		if digits {
			h = vocab.Byte(seedWord, 0)
		}
		w.list = append(w.list, word{vocab.Mix(h), vocab.Mix(shape), first, len(w.runes), digits})
	}
}

func shapeOf(r rune) byte {
	switch {
	case unicode.IsUpper(r):
		return 'X'
	case unicode.IsLower(r):
		return 'x'
	case unicode.IsDigit(r):
		return 'd'
	case unicode.IsLetter(r): // scripts without case
		return 'l'
	case r < 0x80:
		return byte(r) // punctuation stands for itself
	default:
		return '?'
	}
}

// hashAt is the hash of the word at i, or of a mark for each place outside of
// the text.
func (w *words) hashAt(i int) uint64 {
	switch {
	case i < 0:
		return uint64(-i)
	case i >= len(w.list):
		return uint64(i-len(w.list)+1) << 32
	default:
		return w.list[i].hash
	}
}

func (w *words) shapeAt(i int) uint64 {
	if i < 0 || i >= len(w.list) {
		return 0
	}
	return w.list[i].shape
}

// join hashes one or more hashes under the name of a kind of feature.
func join(kind, a uint64) uint64 { return vocab.Mix(kind ^ a*0x9e3779b97f4a7c15) }

func join2(kind, a, b uint64) uint64 { return join(join(kind, a), b) }
