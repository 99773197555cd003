package encoder

import (
	"github.com/loquat-dev/loquat/internal/ml/vocab"
	"github.com/loquat-dev/loquat/internal/nlu"
)

// kind is one of the kinds of features that we take from a text's tokens.
type kind int

const (
	kindPair     kind = iota // two words that are neighbours, or have one word between them
	kindStem                 // the first letters of a word, of two neighbours
	kindTogether             // the first letters of two words that stand in the text in any order
	kindRun                  // five characters in a row of a word, a space on both sides
	kinds
)

// ofPairs tells of a kind that it is about two words. There are so many of these
// that only what two examples have gets a number; the rest counts as unknown.
func (k kind) ofPairs() bool { return k == kindPair || k == kindTogether }

const (
	runLength  = 5
	stemLength = 3
	// farTogether is how far apart two words may be to stand together. Without an
	// end, a long message would cost its length squared.
	farTogether = 15
)

var (
	seedPair     = vocab.Seed("pair of words")
	seedGap      = vocab.Seed("pair of words around another")
	seedStem     = vocab.Seed("stem")
	seedStems    = vocab.Seed("pair of stems")
	seedTogether = vocab.Seed("stems in any order")
	seedRun      = vocab.Seed("five characters")
)

// ownFeatures are the hashes of our own features of one text, a list for each
// kind. A hash is as often in its list as the feature is in the text. The lists
// are reused for the next text.
type ownFeatures struct {
	words words
	stems []uint64 // of each word
	lists [kinds][]uint64
}

// read takes in the tokens of a text.
func (o *ownFeatures) read(tokens []nlu.Token) {
	o.words.read(tokens)
	for k := range o.lists {
		o.lists[k] = o.lists[k][:0]
	}
	o.readPairs()
	o.readStems()
	for _, w := range o.words.list {
		o.readRuns(o.words.runes[w.first:w.end])
	}
}

func (o *ownFeatures) add(k kind, hash uint64) { o.lists[k] = append(o.lists[k], hash) }

func (o *ownFeatures) readPairs() {
	list := o.words.list
	for i := 1; i < len(list); i++ {
		o.add(kindPair, join2(seedPair, list[i-1].hash, list[i].hash))
		if i > 1 {
			o.add(kindPair, join2(seedGap, list[i-2].hash, list[i].hash))
		}
	}
}

func (o *ownFeatures) readStems() {
	o.stems = o.stems[:0]
	for i, w := range o.words.list {
		letters := o.words.runes[w.first:w.end]
		if w.number {
			letters = letters[:0] // all numbers are one word
		}
		stem := seedStem
		for _, r := range letters[:min(stemLength, len(letters))] {
			stem = vocab.Rune(stem, r)
		}
		stem = vocab.Mix(stem)
		o.add(kindStem, stem)
		if i > 0 {
			o.add(kindStem, join2(seedStems, o.stems[i-1], stem))
		}
		for _, other := range o.stems[max(0, i-farTogether):] {
			if other != stem {
				o.add(kindTogether, join2(seedTogether, min(other, stem), max(other, stem)))
			}
		}
		o.stems = append(o.stems, stem)
	}
}

func (o *ownFeatures) readRuns(letters []rune) {
	padded := len(letters) + 2 // a space on both sides
	at := func(i int) rune {
		if i == 0 || i == padded-1 {
			return ' '
		}
		return letters[i-1]
	}
	for from := 0; from == 0 || from+runLength <= padded; from++ {
		h := seedRun
		for i := from; i < min(padded, from+runLength); i++ {
			h = vocab.Rune(h, at(i))
		}
		o.add(kindRun, vocab.Mix(h))
	}
}
