package encoder

import (
	"slices"

	"github.com/loquat-dev/loquat/internal/ml/vocab"
	"github.com/loquat-dev/loquat/internal/ml/weights"
	"github.com/loquat-dev/loquat/internal/nlu"
)

// values are the sequences of words that were annotated as entities in training.
// That a text has one of them says more than its words do, above all where a
// value has several.
//
// In training an example must not see its own annotations, or it would learn that
// every entity is a known value: a value counts for it only if another example
// has it too.
type values struct {
	sequences vocab.Table
	labels    [][]labelled // by number of the sequence
}

type labelled struct {
	label uint64
	count int32 // how often it was annotated
}

// longestValue is the number of words of the longest values that are looked for.
const longestValue = 6

var (
	seedValue   = vocab.Seed("value")
	seedLabel   = vocab.Seed("label of a value")
	seedInValue = vocab.Seed("in a value of several words")
)

// span is one annotated value of a message: tokens from ≤ i < to.
type span struct {
	from, to int
	sequence uint64
	label    uint64
}

// spans appends the values that a message's tags stand for.
func (w *words) spans(tags []nlu.Tag, out []span) []span {
	for from := 0; from < len(tags); {
		to := from + 1
		for to < len(tags) && tags[to].Label == tags[from].Label && tags[to].Prefix != 'B' && tags[to].Prefix != 'U' {
			to++
		}
		if !tags[from].Outside() && to-from <= longestValue {
			out = append(out, span{from, to, w.sequence(from, to), vocab.Mix(vocab.String(seedLabel, tags[from].Label))})
		}
		from = to
	}
	return out
}

func (w *words) sequence(from, to int) uint64 {
	h := seedValue
	for _, word := range w.list[from:to] {
		h = join(h, word.hash)
	}
	return h
}

// learn counts the values of the examples. Those of an earlier model that the
// examples don't have stay known.
func (v *values) learn(examples []Example, s *TokenScratch) {
	for _, list := range v.labels {
		for i := range list {
			list[i].count = 0
		}
	}
	for _, example := range examples {
		s.words.read(example.Message.Tokens[nlu.Text])
		s.own = s.words.spans(example.Gold, s.own[:0])
		for _, value := range s.own {
			v.add(value)
		}
	}
	for _, list := range v.labels {
		for i := range list {
			list[i].count = max(list[i].count, 1)
		}
	}
}

func (v *values) add(s span) {
	n := int(v.sequences.Add(s.sequence))
	if n == len(v.labels) {
		v.labels = append(v.labels, nil)
	}
	for i := range v.labels[n] {
		if v.labels[n][i].label == s.label {
			v.labels[n][i].count++
			return
		}
	}
	v.labels[n] = append(v.labels[n], labelled{s.label, 1})
}

// find lists for each token the known values that it is part of, by label and
// place. own are the annotations of the message itself, in training.
func (v *values) find(w *words, own []span, s *TokenScratch) {
	for len(s.known) < len(w.list) {
		s.known = append(s.known, nil)
	}
	for i := range w.list {
		s.known[i] = s.known[i][:0]
	}
	for from := range w.list {
		h := seedValue
		for to := from + 1; to <= min(len(w.list), from+longestValue); to++ {
			h = join(h, w.list[to-1].hash)
			n := v.sequences.Find(h)
			if n < 0 {
				continue
			}
			for _, l := range v.labels[n] {
				count := l.count
				for _, o := range own {
					if o.sequence == h && o.label == l.label {
						count--
					}
				}
				if count > 0 {
					s.mark(from, to, l.label)
				}
			}
		}
	}
}

// mark notes a value of a label for its tokens.
func (s *TokenScratch) mark(from, to int, label uint64) {
	add := func(i int, hash uint64) {
		if !slices.Contains(s.known[i], hash) {
			s.known[i] = append(s.known[i], hash)
		}
	}
	for i := from; i < to; i++ {
		place := uint64('I')
		switch {
		case to-from == 1:
			place = 'U'
		case i == from:
			place = 'B'
		case i == to-1:
			place = 'L'
		}
		add(i, join(label, place))
		if to-from > 1 {
			add(i, join(seedInValue, label))
		}
	}
}

func (v *values) write(w *weights.Writer) {
	w.Hashes(v.sequences.Hashes())
	count := make([]int32, len(v.labels))
	var labels []uint64
	for n, list := range v.labels {
		count[n] = int32(len(list))
		for _, l := range list {
			labels = append(labels, l.label)
		}
	}
	w.Ints(count)
	w.Hashes(labels)
}

// readValues reads what write has written.
func readValues(r *weights.Reader) values {
	v := values{sequences: *vocab.NewTable(r.Hashes())}
	count, labels := r.Ints(), r.Hashes()
	if len(count) != v.sequences.Len() {
		r.Fail("%d values, %d counts of labels", v.sequences.Len(), len(count))
		return values{}
	}
	for _, n := range count {
		if n < 0 || int(n) > len(labels) {
			r.Fail("a value with %d labels of %d", n, len(labels))
			return values{}
		}
		var list []labelled
		for _, l := range labels[:n] {
			list = append(list, labelled{l, 1})
		}
		v.labels, labels = append(v.labels, list), labels[n:]
	}
	if len(labels) > 0 {
		r.Fail("%d labels without a value", len(labels))
	}
	return v
}
