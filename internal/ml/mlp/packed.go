package mlp

import (
	"github.com/loquat-dev/loquat/internal/ml/vector"
	"github.com/loquat-dev/loquat/internal/ml/weights"
)

// Packed is a network for prediction: the large matrix E is kept in 8 bits with
// one scale for each row, a quarter of its size in training. Its methods are
// safe for concurrent use.
type Packed struct {
	Inputs, Hidden, Classes int
	e                       []byte    // [Inputs, Hidden]
	scale                   []float32 // [Inputs]
	top                     Net       // V
}

// Pack rounds a network for prediction.
func (n *Net) Pack() *Packed {
	p := &Packed{
		Inputs: n.Inputs, Hidden: n.Hidden, Classes: n.Classes,
		e: make([]byte, len(n.E)), scale: make([]float32, n.Inputs),
		top: Net{Hidden: n.Hidden, Classes: n.Classes, V: n.V},
	}
	for j := range n.Inputs {
		at := j * n.Hidden
		p.scale[j] = vector.Pack(p.e[at:], 1, n.E[at:at+n.Hidden])
	}
	return p
}

// Unpack returns a network to go on training from.
func (p *Packed) Unpack() *Net {
	n := &Net{
		Inputs: p.Inputs, Hidden: p.Hidden, Classes: p.Classes,
		E: make([]float32, len(p.e)), V: p.top.V,
	}
	for i, q := range p.e {
		n.E[i] = float32(int8(q)) * p.scale[i/p.Hidden]
	}
	return n
}

// Scratch is the work space of one prediction.
type Scratch struct{ h, scores []float32 }

// Probabilities computes p for one sparse vector, of which columns that are not
// inputs are ignored. The result belongs to s, which
// may be reused for the next call.
func (p *Packed) Probabilities(index []int32, value []float32, s *Scratch) []float32 {
	if len(s.h) != p.Hidden || len(s.scores) != p.Classes {
		s.h, s.scores = make([]float32, p.Hidden), make([]float32, p.Classes)
	}
	clear(s.h)
	for t, j := range index {
		if int(j) >= p.Inputs {
			continue
		}
		vector.AddScaledBytes(s.h, value[t]*p.scale[j], p.e[int(j)*p.Hidden:(int(j)+1)*p.Hidden])
	}
	p.top.top(s.h, s.scores)
	softmax(s.scores)
	return s.scores
}

// Write adds the network to a file.
func (p *Packed) Write(w *weights.Writer) {
	w.Int(p.Inputs)
	w.Int(p.Hidden)
	w.Int(p.Classes)
	w.Floats(p.scale)
	w.Raw(p.e)
	w.Floats(p.top.V)
}

// most is more hidden units or classes than any network has.
const most = 1 << 20

// Read reads what Write has written. Shapes that do not fit together make the
// reader fail.
func Read(r *weights.Reader) *Packed {
	p := &Packed{Inputs: r.Int(), Hidden: r.Int(), Classes: r.Int()}
	p.scale, p.e = r.Floats(), r.Raw()
	p.top = Net{Hidden: p.Hidden, Classes: p.Classes, V: r.Floats()}
	switch {
	case r.Err() != nil:
	case p.Inputs != len(p.scale) || p.Hidden < 1 || p.Hidden > most || p.Classes < 1 || p.Classes > most ||
		p.Inputs*p.Hidden != len(p.e) || p.Hidden*p.Classes != len(p.top.V):
		r.Fail("a network's parts do not fit together")
	}
	return p
}
