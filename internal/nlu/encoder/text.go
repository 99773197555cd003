package encoder

import (
	"cmp"
	"math"
	"slices"

	"github.com/loquat-dev/loquat/internal/ml/vocab"
	"github.com/loquat-dev/loquat/internal/ml/weights"
	"github.com/loquat-dev/loquat/internal/nlu"
)

// Text turns a message into the sparse vector that intents are learned
// from: the sentence features of the pipeline, and beside them our own (own.go).
//
// Counts become (1 + log count)·√idf, and the features of each featurizer and of
// each kind of our own are scaled to a length of 1. Own features that training
// never saw count for the length, so a text made of unknown parts has a short
// vector and the learners have little to be sure of.
//
// Features of single words come first, then those of pairs.
type Text struct {
	columns columns
	single  vocab.Table
	pairs   vocab.Table
	idf     []float32 // √idf by feature number; 1 for dense columns
	rarest  float32   // √idf of what occurs in one example or none
}

// NewText returns an encoder that has learned nothing yet.
func NewText() *Text { return &Text{columns: columns{level: nlu.Sentence}} }

// NewSparseText returns an encoder that leaves dense features alone.
func NewSparseText() *Text { return &Text{columns: columns{level: nlu.Sentence, sparseOnly: true}} }

// TextScratch is the work space for one message after the other.
type TextScratch struct {
	Index []int32 // the vector that Encode has computed, columns not sorted
	Value []float32

	own   ownFeatures
	found []int32
}

// Learn numbers the features of the examples and computes their idf.
func (e *Text) Learn(messages []*nlu.Message, origins []string) error {
	if err := e.columns.learn(messages, origins, &e.single); err != nil {
		return err
	}
	var met counter
	var s TextScratch
	for i, m := range messages {
		s.own.read(m.Tokens[nlu.Text])
		for k, hashes := range s.own.lists {
			for _, h := range hashes {
				switch {
				case !kind(k).ofPairs():
					e.single.Add(h)
				case met.count(met.table.Add(h), i) > 1: // a second example has it
					e.pairs.Add(h)
				}
			}
		}
	}
	var occurs counter
	for i, m := range messages {
		for _, f := range m.Select(nlu.Text, nlu.Sentence, origins) {
			if f.Sparse == nil {
				continue
			}
			for _, column := range f.Sparse.Index {
				if n := e.columns.find(f).number[column]; n >= 0 {
					occurs.count(n, i)
				}
			}
		}
		s.own.read(m.Tokens[nlu.Text])
		for k, hashes := range s.own.lists {
			for _, h := range hashes {
				if n := e.find(kind(k), h); n >= 0 {
					occurs.count(n, i)
				}
			}
		}
	}
	idf := func(occurs int32) float32 {
		return float32(math.Sqrt(math.Log(float64(1+len(messages))/float64(1+occurs)) + 1))
	}
	e.rarest = idf(1)
	e.idf = make([]float32, e.Len())
	for n := range e.idf {
		e.idf[n] = idf(occurs.of(n))
	}
	for n := range e.columns.denseColumns() {
		e.idf[n] = 1
	}
	return nil
}

// counter counts in how many examples each feature occurs.
type counter struct {
	table  vocab.Table // for features that have no number of their own yet
	occurs []int32
	last   []int32 // example that had it, counted from 1
}

// count notes feature n in an example and returns in how many it was met by now.
func (c *counter) count(n int32, example int) int32 {
	for int(n) >= len(c.occurs) {
		c.occurs, c.last = append(c.occurs, 0), append(c.last, 0)
	}
	if c.last[n] != int32(example+1) {
		c.last[n] = int32(example + 1)
		c.occurs[n]++
	}
	return c.occurs[n]
}

func (c *counter) of(n int) int32 {
	if n >= len(c.occurs) {
		return 0
	}
	return c.occurs[n]
}

// Encode computes the vector of a message; it belongs to s. The second result is
// false if the pipeline gave the message no features at all.
func (e *Text) Encode(m *nlu.Message, origins []string, s *TextScratch) bool {
	s.Index, s.Value = s.Index[:0], s.Value[:0]
	s.own.read(m.Tokens[nlu.Text])
	known := float32(1)
	for k, hashes := range s.own.lists {
		share := e.encodeOwn(kind(k), hashes, s)
		if kind(k) == kindRun {
			known = share
		}
	}
	any := false
	for i := range m.Features {
		f := &m.Features[i]
		if f.Attribute != nlu.Text || f.Level != nlu.Sentence || len(origins) > 0 && !slices.Contains(origins, f.Origin) {
			continue
		}
		any = true
		if b := e.columns.find(*f); b != nil {
			e.encodeBlock(b, f, known, s)
		}
	}
	return any
}

// find returns the number of a feature, or −1.
func (e *Text) find(k kind, hash uint64) int32 {
	if !k.ofPairs() {
		return e.single.Find(hash)
	}
	if n := e.pairs.Find(hash); n >= 0 {
		return int32(e.single.Len()) + n
	}
	return -1
}

// encodeOwn adds the features with the given hashes and returns how much of
// their length is known ones.
func (e *Text) encodeOwn(k kind, hashes []uint64, s *TextScratch) (known float32) {
	s.found = s.found[:0]
	unknown := 0
	for _, h := range hashes {
		if n := e.find(k, h); n >= 0 {
			s.found = append(s.found, n)
		} else {
			unknown++
		}
	}
	slices.Sort(s.found)
	from := len(s.Index)
	for i := 0; i < len(s.found); {
		n, count := s.found[i], 0
		for ; i < len(s.found) && s.found[i] == n; i++ {
			count++
		}
		s.Index, s.Value = append(s.Index, n), append(s.Value, weigh(float32(count))*e.idf[n])
	}
	return scaleToOne(s.Value[from:], float64(unknown)*float64(e.rarest)*float64(e.rarest))
}

// denseTextLength is about the length of a text's dense features. Those of each
// sparse featurizer and of each kind of our own have a length of 1.
const denseTextLength = 3

func (e *Text) encodeBlock(b *block, f *nlu.Features, known float32, s *TextScratch) {
	from := len(s.Index)
	if b.dense {
		if len(f.Dense) == 0 {
			return
		}
		for column, v := range f.Dense[0][:min(b.width, len(f.Dense[0]))] {
			s.Index, s.Value = append(s.Index, b.number[column]), append(s.Value, denseTextLength*v*b.scale)
		}
		return
	}
	if f.Sparse.Rows() == 0 {
		return
	}
	index, value := f.Sparse.Row(0)
	for i, column := range index {
		if int(column) >= b.width {
			continue
		}
		if n := b.number[column]; n >= 0 && value[i] > 0 {
			s.Index, s.Value = append(s.Index, n), append(s.Value, weigh(value[i])*e.idf[n])
		}
	}
	scaleToOne(s.Value[from:], 0)
	for i := from; i < len(s.Value); i++ {
		s.Value[i] *= known
	}
}

// weigh dampens counts and leaves everything below 1 alone.
func weigh(count float32) float32 {
	if count <= 1 {
		return count
	}
	return 1 + float32(math.Log(float64(count)))
}

// scaleToOne divides v by its length, further squares counted in, and returns
// which share of the length is v's.
func scaleToOne(v []float32, more float64) float32 {
	own := squareSum(v)
	if own+more == 0 {
		return 1
	}
	scale := float32(1 / math.Sqrt(own+more))
	for i := range v {
		v[i] *= scale
	}
	return float32(math.Sqrt(own / (own + more)))
}

// Sort brings the columns into ascending order, as matrices want them.
func (s *TextScratch) Sort() {
	order := make([]int, len(s.Index))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(s.Index[a], s.Index[b]) })
	index, value := slices.Clone(s.Index), slices.Clone(s.Value)
	for to, from := range order {
		s.Index[to], s.Value[to] = index[from], value[from]
	}
}

// DenseColumns is how many of the first features are columns of dense features.
func (e *Text) DenseColumns() int { return e.columns.denseColumns() }

// Singles is how many of the first features are not about pairs.
func (e *Text) Singles() int { return e.single.Len() }

// Len is how many features there are.
func (e *Text) Len() int { return e.single.Len() + e.pairs.Len() }

// Write adds the encoder to a file.
func (e *Text) Write(w *weights.Writer) {
	e.columns.write(w)
	w.Hashes(e.single.Hashes())
	w.Hashes(e.pairs.Hashes())
	w.Floats(e.idf)
	w.Float(float64(e.rarest))
}

// ReadText reads what Write has written.
func ReadText(r *weights.Reader) *Text {
	e := &Text{columns: readColumns(r, nlu.Sentence)}
	e.single, e.pairs = *vocab.NewTable(r.Hashes()), *vocab.NewTable(r.Hashes())
	e.idf = r.Floats()
	e.rarest = float32(r.Float())
	if r.Err() == nil && len(e.idf) != e.Len() {
		r.Fail("%d features, idf of %d", e.Len(), len(e.idf))
	}
	e.columns.relink(&e.single, r)
	return e
}
