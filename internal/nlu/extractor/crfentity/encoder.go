package crfentity

import (
	"github.com/loquat-dev/loquat/internal/ml/sparse"
	"github.com/loquat-dev/loquat/internal/ml/vocab"
	"github.com/loquat-dev/loquat/internal/nlu"
)

// encoder turns what the window shows into sparse vectors. A feature with a value
// is 1 in the column of that value, a flag is 1 or absent, a number stands for
// itself: as CRFsuite takes them. Features that training never saw are left out.
type encoder struct {
	window  window
	origins []string    // whose dense features count; none means all
	table   vocab.Table // number of each feature

	learning bool
}

var (
	seedFirst = vocab.Seed("BOS")
	seedLast  = vocab.Seed("EOS")
)

// row builds the vector of one token.
type row struct {
	*encoder
	x *sparse.Matrix
}

func (r *row) add(hash uint64, value float32) {
	var n int32
	if r.learning {
		n = r.table.Add(hash)
	} else {
		n = r.table.Find(hash)
	}
	if n >= 0 && value != 0 {
		r.x.Index, r.x.Value = append(r.x.Index, n), append(r.x.Value, value)
	}
}

func (r *row) text(p *place, value string) { r.add(vocab.Mix(vocab.String(p.seed, value)), 1) }

func (r *row) flag(p *place, part string, on bool) {
	if on {
		r.add(vocab.Mix(vocab.String(p.seed, part)), 1)
	}
}

func (r *row) number(p *place, column int, v float32) { r.add(vocab.Mix(vocab.Int(p.seed, column)), v) }

func (r *row) missing(*place) {}

func (r *row) edge(first bool) {
	if first {
		r.add(seedFirst, 1)
	} else {
		r.add(seedLast, 1)
	}
}

// scratch is the work space for one message after the other.
type encoderScratch struct {
	sentence sentence
	x        sparse.Matrix
}

// encode computes the vectors of a message's tokens. types are the tags of its
// entities for the fields of roles and groups, and nil for the field of types.
// The matrix belongs to s; its columns are not sorted.
func (e *encoder) encode(m *nlu.Message, types []nlu.Tag, s *encoderScratch) *sparse.Matrix {
	s.sentence.read(m, e.origins)
	for _, t := range types {
		s.sentence.types = append(s.sentence.types, t.String())
	}
	x := &s.x
	x.Start, x.Index, x.Value = append(x.Start[:0], 0), x.Index[:0], x.Value[:0]
	r := row{e, x}
	for t := range s.sentence.tokens {
		e.window.visit(&s.sentence, t, &r)
		x.Start = append(x.Start, int32(len(x.Index)))
	}
	x.Cols = e.table.Len()
	s.sentence.release()
	return x
}
