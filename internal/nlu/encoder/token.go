package encoder

import (
	"context"
	"slices"

	"github.com/loquat-dev/loquat/internal/ml/sparse"
	"github.com/loquat-dev/loquat/internal/ml/vocab"
	"github.com/loquat-dev/loquat/internal/ml/weights"
	"github.com/loquat-dev/loquat/internal/nlu"
)

// Tokens turns each token of a message into the sparse vector that its tag is
// learned from: the sequence features of the pipeline, of dense ones the directions
// that matter, and beside them the words
// around it, beginnings and endings, the shapes of it and its neighbours, and
// whether it is part of a value that was annotated elsewhere; some also together
// with the likely intents of the text. What a token looks like and where it stands
// is what makes values recognisable that training never saw.
type Tokens struct {
	columns columns
	dense   dense
	values  values
	table   vocab.Table
}

// NewTokens returns an encoder that has learned nothing yet.
func NewTokens() *Tokens { return &Tokens{columns: columns{level: nlu.Sequence, sparseOnly: true}} }

// The kinds of our own token features.
var (
	seedAlways  = vocab.Seed("always")
	seedAt      = [5]uint64{vocab.Seed("word -2"), vocab.Seed("word -1"), vocab.Seed("word 0"), vocab.Seed("word +1"), vocab.Seed("word +2")}
	seedBefore  = vocab.Seed("words -1 0")
	seedAfter   = vocab.Seed("words 0 +1")
	seedAround  = vocab.Seed("words -1 +1")
	seedBefore2 = vocab.Seed("words -2 -1")
	seedAfter2  = vocab.Seed("words +1 +2")
	seedPrefix  = vocab.Seed("prefix")
	seedSuffix  = vocab.Seed("suffix")
	seedNear    = [4]uint64{vocab.Seed("prefix -1"), vocab.Seed("suffix -1"), vocab.Seed("prefix +1"), vocab.Seed("suffix +1")}
	seedForm    = vocab.Seed("shape 0")
	seedForms   = vocab.Seed("shapes -1 0 +1")
	seedFormIn  = vocab.Seed("word -1, shape 0")
	seedFormOut = vocab.Seed("shape 0, word +1")
	seedPlace   = vocab.Seed("place in the text")
	seedAnother = vocab.Seed("word of the text")
	seedIntent  = [7]uint64{
		vocab.Seed("intent"), vocab.Seed("intent, word -1"), vocab.Seed("intent, word 0"), vocab.Seed("intent, shape 0"),
		vocab.Seed("intent, word +1"), vocab.Seed("intent, words -1 0"), vocab.Seed("intent, word -2"),
	}
	seedType = [3]uint64{vocab.Seed("type -1"), vocab.Seed("type 0"), vocab.Seed("type +1")}
)

// affixes are as long as this at most.
const longestAffix = 4

// nearAffix is the length of the affixes of a token's neighbours.
const nearAffix = 3

// Likely is an intent with its probability.
type Likely struct {
	hash uint64
	p    float32
}

// LikelyIntent is an intent as tokens are seen with it.
func LikelyIntent(name string, p float32) Likely {
	return Likely{vocab.Mix(vocab.String(seedIntent[0], name)), p}
}

// TokenScratch is the work space for one message after the other.
type TokenScratch struct {
	words  words
	types  []uint64 // of each token, where the entity types are known; else nil
	own    []span
	known  [][]uint64 // for each token, the known values that it is part of
	hashes []uint64
	dense  denseScratch
	x      sparse.Matrix
}

// intentHashes lists our features of token i in a text of the given intent.
func (s *TokenScratch) intentHashes(i int, intent uint64) [len(seedIntent)]uint64 {
	return [...]uint64{
		join(seedIntent[0], intent),
		join2(seedIntent[1], intent, s.words.hashAt(i-1)),
		join2(seedIntent[2], intent, s.words.hashAt(i)),
		join2(seedIntent[3], intent, s.words.shapeAt(i)),
		join2(seedIntent[4], intent, s.words.hashAt(i+1)),
		join(join2(seedIntent[5], intent, s.words.hashAt(i-1)), s.words.hashAt(i)),
		join2(seedIntent[6], intent, s.words.hashAt(i-2)),
	}
}

// readTypes takes in the types of the tokens' entities, from which roles and
// groups are learned; nil takes them back.
func (s *TokenScratch) readTypes(tags []nlu.Tag) {
	s.types = s.types[:0]
	for _, t := range tags {
		s.types = append(s.types, vocab.Mix(vocab.String(uint64(t.Prefix), t.Label)))
	}
}

// farthest is how far away another word may stand to be a feature of a token.
// Without an end, a long message would cost its length squared.
const farthest = 64

// ownHashes lists our own features of token i.
func (s *TokenScratch) ownHashes(i int) []uint64 {
	w := &s.words
	h := append(s.hashes[:0], seedAlways)
	for d, seed := range seedAt {
		h = append(h, join(seed, w.hashAt(i+d-2)))
	}
	h = append(h,
		join2(seedBefore, w.hashAt(i-1), w.hashAt(i)),
		join2(seedAfter, w.hashAt(i), w.hashAt(i+1)),
		join2(seedAround, w.hashAt(i-1), w.hashAt(i+1)),
		join2(seedBefore2, w.hashAt(i-2), w.hashAt(i-1)),
		join2(seedAfter2, w.hashAt(i+1), w.hashAt(i+2)),
		join(seedForm, w.shapeAt(i)),
		join2(join(seedForms, w.shapeAt(i-1)), w.shapeAt(i), w.shapeAt(i+1)),
		join2(seedFormIn, w.hashAt(i-1), w.shapeAt(i)),
		join2(seedFormOut, w.shapeAt(i), w.hashAt(i+1)),
		join(seedPlace, uint64(min(i, 3)<<4|min(len(w.list)-1-i, 3))),
	)
	letters := w.runes[w.list[i].first:w.list[i].end]
	prefix, suffix := seedPrefix, seedSuffix
	for k := range min(longestAffix, len(letters)) {
		prefix = vocab.Rune(prefix, letters[k])
		suffix = vocab.Rune(suffix, letters[len(letters)-1-k])
		h = append(h, vocab.Mix(prefix), vocab.Mix(suffix))
	}
	others := len(h)
	for k := max(0, i-farthest); k <= min(i+farthest, len(w.list)-1); k++ {
		if k >= i-2 && k <= i+2 {
			continue
		}
		if another := join(seedAnother, w.list[k].hash); !slices.Contains(h[others:], another) {
			h = append(h, another) // once: a text that repeats itself would drown the rest
		}
	}
	for side := range 2 {
		if k := i - 1 + 2*side; k >= 0 && k < len(w.list) {
			h = w.appendAffixes(k, seedNear[2*side], seedNear[2*side+1], h)
		}
	}
	h = append(h, s.known[i]...)
	for d, seed := range seedType {
		if k := i + d - 1; k >= 0 && k < len(s.types) {
			h = append(h, join(seed, s.types[k]))
		}
	}
	s.hashes = h
	return h
}

// appendAffixes appends the beginning and the ending of word i under two kinds,
// unless it is shorter than they are.
func (w *words) appendAffixes(i int, prefix, suffix uint64, h []uint64) []uint64 {
	letters := w.runes[w.list[i].first:w.list[i].end]
	if len(letters) < nearAffix {
		return h
	}
	for k := range nearAffix {
		prefix = vocab.Rune(prefix, letters[k])
		suffix = vocab.Rune(suffix, letters[len(letters)-1-k])
	}
	return append(h, vocab.Mix(prefix), vocab.Mix(suffix))
}

// Example is what a message's tokens are seen with.
type Example struct {
	Message *nlu.Message
	Gold    []nlu.Tag // in training, the true tags of the entities' types
	Types   []nlu.Tag // the same, or found ones, for learning roles and groups; else nil
	Intents []Likely  // the likely intents of the message, if any
}

// read takes in the tokens of an example.
func (e *Tokens) read(example Example, s *TokenScratch) {
	s.words.read(example.Message.Tokens[nlu.Text])
	s.readTypes(example.Types)
	s.own = s.words.spans(example.Gold, s.own[:0])
	e.values.find(&s.words, s.own, s)
}

// Learn numbers the features of the examples. What is learned does not depend on the
// number of threads.
func (e *Tokens) Learn(ctx context.Context, messages []*nlu.Message, examples []Example, origins []string, threads int) error {
	if err := e.dense.learn(ctx, messages, origins, threads, &e.table); err != nil {
		return err
	}
	if err := e.columns.learn(messages, origins, &e.table); err != nil {
		return err
	}
	var s TokenScratch
	e.values.learn(examples, &s)
	for _, example := range examples {
		e.read(example, &s)
		for i := range s.words.list {
			for _, h := range s.ownHashes(i) {
				e.table.Add(h)
			}
			for _, intent := range example.Intents {
				for _, h := range s.intentHashes(i, intent.hash) {
					e.table.Add(h)
				}
			}
		}
	}
	return nil
}

// Encode computes the vectors of a message's tokens. The matrix belongs to s; its
// columns are not sorted.
func (e *Tokens) Encode(example Example, origins []string, s *TokenScratch) *sparse.Matrix {
	m := example.Message
	tokens := m.Tokens[nlu.Text]
	e.read(example, s)
	x := &s.x
	x.Cols = e.table.Len()
	x.Start, x.Index, x.Value = append(x.Start[:0], 0), x.Index[:0], x.Value[:0]
	for i := range tokens {
		x.Index, x.Value = e.dense.appendTo(x.Index, x.Value, m, i, &s.dense)
		for k := range m.Features {
			f := &m.Features[k]
			if f.Attribute != nlu.Text || f.Level != nlu.Sequence || f.Sparse == nil || len(origins) > 0 && !slices.Contains(origins, f.Origin) {
				continue
			}
			if b := e.columns.find(*f); b != nil {
				e.encodeBlock(b, f, i, x)
			}
		}
		for _, h := range s.ownHashes(i) {
			if n := e.table.Find(h); n >= 0 {
				x.Index, x.Value = append(x.Index, n), append(x.Value, 1)
			}
		}
		for _, intent := range example.Intents {
			for _, h := range s.intentHashes(i, intent.hash) {
				if n := e.table.Find(h); n >= 0 {
					x.Index, x.Value = append(x.Index, n), append(x.Value, intent.p)
				}
			}
		}
		x.Start = append(x.Start, int32(len(x.Index)))
	}
	return x
}

func (e *Tokens) encodeBlock(b *block, f *nlu.Features, row int, x *sparse.Matrix) {
	if row >= f.Sparse.Rows() {
		return
	}
	index, value := f.Sparse.Row(row)
	for i, column := range index {
		if int(column) >= b.width {
			continue
		}
		if n := b.number[column]; n >= 0 {
			x.Index, x.Value = append(x.Index, n), append(x.Value, weigh(value[i]))
		}
	}
}

// Len is how many features there are.
func (e *Tokens) Len() int { return e.table.Len() }

// Write adds the encoder to a file.
func (e *Tokens) Write(w *weights.Writer) {
	e.columns.write(w)
	w.Hashes(e.table.Hashes())
	e.values.write(w)
	e.dense.write(w)
}

// ReadTokens reads what Write has written.
func ReadTokens(r *weights.Reader) *Tokens {
	e := &Tokens{columns: readColumns(r, nlu.Sequence)}
	e.columns.sparseOnly = true
	e.table = *vocab.NewTable(r.Hashes())
	e.columns.relink(&e.table, r)
	e.values = readValues(r)
	e.dense = readDense(r, &e.table)
	return e
}
