package sentence

import (
	"context"
	"fmt"
	"math"

	"github.com/loquat-dev/loquat/internal/ml/kernel"
	"github.com/loquat-dev/loquat/internal/ml/vector"
	"github.com/loquat-dev/loquat/internal/ml/wordpiece"
)

// workspace is the memory that encoding a group of texts needs. It grows to what
// the largest group needed and is used again.
type workspace struct {
	pieces []wordpiece.Piece
	ends   []int  // of the texts, in pieces
	cut    []bool // of the texts

	hidden []float32   // pieces × Hidden
	rounds kernel.Rows // what goes into a matrix
	wide   []float32   // what comes out of attend or widen
	merged []float32   // what comes out of merge or narrow
	mixed  []float32   // pieces × Hidden, values that attention has mixed
	keys   []float32   // of one head and text, transposed
	scores []float32   // of one head and text
}

// group encodes texts from one on, as many as fit together, and returns how many.
func (w *workspace) group(ctx context.Context, e *Encoder, texts []string, from, to int, out result) (int, error) {
	w.pieces, w.ends, w.cut = w.pieces[:0], w.ends[:0], w.cut[:0]
	for i := from; i < to && len(w.ends) < groupTexts && len(w.pieces) < groupPieces; i++ {
		var cut bool
		w.pieces, cut = e.Tokenize(w.pieces, texts[i])
		w.ends, w.cut = append(w.ends, len(w.pieces)), append(w.cut, cut)
	}
	m := e.model
	w.resize(m)
	w.embed(m)
	for i := range m.layers {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		w.layer(m, &m.layers[i])
		if out.encodings != nil && !w.poolLayer(m, out.encodings[from:], i) {
			return 0, fmt.Errorf("%s: %w", e.name, errNoNumber)
		}
	}
	start := 0
	for k, end := range w.ends {
		i := from + k
		last := end
		if m.Pooling == PoolFirst {
			last = start + 1
		}
		if !w.mean(m, out.vectors[i*m.Hidden:(i+1)*m.Hidden], start, last) {
			return 0, fmt.Errorf("%s: %w", e.name, errNoNumber)
		}
		if out.encodings != nil {
			out.encodings[i].Cut = w.cut[k]
		}
		if out.pieces {
			w.give(m, &out.encodings[i], start, end)
		}
		start = end
	}
	return len(w.ends), nil
}

// poolLayer notes the means after a layer in the encodings of texts that ask for it.
func (w *workspace) poolLayer(m *model, encodings []Encoding, layer int) (ok bool) {
	at, start := (m.Layers-1-layer)*m.Hidden, 0
	for k, end := range w.ends {
		if to := encodings[k].Layers; at < len(to) && !w.mean(m, to[at:at+m.Hidden], start, end) {
			return false
		}
		start = end
	}
	return true
}

// give copies what is known about the pieces of a text.
func (w *workspace) give(m *model, e *Encoding, start, end int) {
	start, end = start+1, end-1 // without [CLS] and [SEP]
	e.Pieces = append([]wordpiece.Piece(nil), w.pieces[start:end]...)
	e.Vectors = append([]float32(nil), w.hidden[start*m.Hidden:end*m.Hidden]...)
}

func (w *workspace) resize(m *model) {
	n, longest, start := len(w.pieces), 0, 0
	for _, end := range w.ends {
		longest, start = max(longest, end-start), end
	}
	hidden, size := kernel.Padded(m.Hidden), m.Hidden/m.Heads
	grow(&w.hidden, n*m.Hidden)
	grow(&w.mixed, n*m.Hidden)
	// Matrices need place for second rows.
	grow(&w.merged, 2*n*hidden)
	grow(&w.wide, 2*n*max(kernel.Padded(3*m.Hidden), kernel.Padded(m.Inner)))
	grow(&w.keys, size*round(longest))
	grow(&w.scores, longest*round(longest))
}

// grow sets the length of a slice. What is in it is lost.
func grow(s *[]float32, n int) {
	if cap(*s) < n {
		*s = make([]float32, n)
	}
	*s = (*s)[:n]
}

// round is n rounded up to what kernel.Multiply is fast with.
func round(n int) int { return (n + 15) / 16 * 16 }

// embed looks up the vectors of pieces and positions.
func (w *workspace) embed(m *model) {
	start, text := 0, 0
	for i, p := range w.pieces {
		if i == w.ends[text] {
			start, text = i, text+1
		}
		id, place := int(p.ID), i-start
		x, y := w.hidden[i*m.Hidden:][:m.Hidden], w.mixed[:m.Hidden]
		clear(x)
		clear(y)
		vector.AddScaledBytes(x, m.wordScale[id], m.words[id*m.Hidden:][:m.Hidden])
		vector.AddScaledBytes(y, m.placeScale[place], m.places[place*m.Hidden:][:m.Hidden])
		kernel.AddNorm(x, y, m.norm.gain, m.norm.bias, m.Epsilon)
	}
}

func (w *workspace) layer(m *model, l *layer) {
	n := len(w.pieces)
	w.rounds.Quantize(w.hidden, n, m.Hidden, m.Hidden)
	l.attend.Apply(w.wide, &w.rounds)
	start := 0
	for _, end := range w.ends {
		w.attention(m, start, end)
		start = end
	}
	w.rounds.Quantize(w.mixed, n, m.Hidden, m.Hidden)
	l.merge.Apply(w.merged, &w.rounds)
	w.addNorm(m, l.attended)
	w.rounds.Quantize(w.hidden, n, m.Hidden, m.Hidden)
	l.widen.Apply(w.wide, &w.rounds)
	inner := kernel.Padded(m.Inner)
	kernel.GELU(w.wide[:n*inner])
	w.rounds.Quantize(w.wide, n, m.Inner, inner)
	l.narrow.Apply(w.merged, &w.rounds)
	w.addNorm(m, l.done)
}

// addNorm adds what came out of a half of a layer to what went in.
func (w *workspace) addNorm(m *model, norm norm) {
	hidden := kernel.Padded(m.Hidden)
	for i := range w.pieces {
		kernel.AddNorm(w.hidden[i*m.Hidden:][:m.Hidden], w.merged[i*hidden:], norm.gain, norm.bias, m.Epsilon)
	}
}

// attention mixes the values of the pieces of one text, for each piece by how well
// its query fits their keys.
//
// Source: Vaswani et al. 2017, "Attention Is All You Need".
func (w *workspace) attention(m *model, start, end int) {
	n, size, stride := end-start, m.Hidden/m.Heads, kernel.Padded(3*m.Hidden)
	columns := round(n)
	rows := w.wide[start*stride:]
	for head := range m.Heads {
		query, key, value := head*size, m.Hidden+head*size, 2*m.Hidden+head*size
		for k := range size {
			column := w.keys[k*columns:][:columns]
			for i := range n {
				column[i] = rows[i*stride+key+k]
			}
			clear(column[n:])
		}
		kernel.Multiply(w.scores, columns, rows[query:], stride, w.keys, columns, n, columns, size)
		kernel.Softmax(w.scores, columns, n, n)
		mixed := w.mixed[start*m.Hidden+head*size:]
		kernel.Multiply(mixed, m.Hidden, w.scores, columns, rows[value:], stride, n, size, n)
	}
}

// mean computes the mean of the vectors of pieces, scaled to length 1, and reports
// whether there is one.
func (w *workspace) mean(m *model, to []float32, start, end int) (ok bool) {
	clear(to)
	for i := start; i < end; i++ {
		vector.AddScaled(to, 1, w.hidden[i*m.Hidden:][:m.Hidden])
	}
	length := math.Sqrt(float64(vector.Dot(to, to)))
	scale := float32(1 / length)
	if scale-scale != 0 {
		return false
	}
	for i := range to {
		to[i] *= scale
	}
	return true
}
