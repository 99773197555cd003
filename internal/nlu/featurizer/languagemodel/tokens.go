package languagemodel

import (
	"cmp"
	"slices"

	"github.com/loquat-dev/loquat/internal/ml/sentence"
	"github.com/loquat-dev/loquat/internal/ml/vector"
	"github.com/loquat-dev/loquat/internal/ml/wordpiece"
	"github.com/loquat-dev/loquat/internal/nlu"
)

// wanted is a text whose vector is wanted, and the tokens whose vectors are, too.
type wanted struct {
	text   string
	tokens []nlu.Token
}

// encoded is what is known of a text. Nobody changes it.
type encoded struct {
	text   []float32
	tokens tokenVectors
}

// size is about how many bytes it takes.
func (e *encoded) size() int { return 4*len(e.text) + 4*len(e.tokens.scale) + len(e.tokens.numbers) }

// tokenVectors are vectors of a text's first tokens, rounded to eight bits, a quarter
// of what they would take: a vector is −127 … 127 times its scale. The tokens after
// them lie behind what the encoder reads of a text.
type tokenVectors struct {
	scale   []float32
	numbers []byte // two's complement, as many for each token
}

// rows are the vectors of n tokens; those that there are none of are zeros.
func (t *tokenVectors) rows(n, width int) [][]float32 {
	flat, rows := make([]float32, len(t.numbers)), make([][]float32, n)
	var none []float32
	for i := range rows {
		if i >= len(t.scale) {
			if none == nil {
				none = make([]float32, width)
			}
			rows[i] = none
			continue
		}
		rows[i] = flat[i*width : (i+1)*width : (i+1)*width]
		vector.AddScaledBytes(rows[i], t.scale[i], t.numbers[i*width:(i+1)*width])
	}
	return rows
}

// meansOfTokens gives each token the mean of the vectors of its pieces after the last
// layer.
func meansOfTokens(w wanted, e *sentence.Encoding) tokenVectors {
	var t tokenVectors
	if len(e.Pieces) == 0 {
		return t
	}
	starts := make([]int32, 0, len(w.text)+1) // of each character, in bytes
	for i := range w.text {
		starts = append(starts, int32(i))
	}
	starts = append(starts, int32(len(w.text)))
	last := e.Pieces[len(e.Pieces)-1].Start
	width := len(e.Vector)
	mean := make([]float32, width)
	for _, token := range w.tokens {
		if token.Start < 0 || token.End >= len(starts) || starts[token.Start] > last {
			break
		}
		from, to := starts[token.Start], starts[token.End]
		first, _ := slices.BinarySearchFunc(e.Pieces, from, func(p wordpiece.Piece, from int32) int {
			return cmp.Compare(p.End, from+1) // the first that ends behind the beginning
		})
		clear(mean)
		pieces := 0
		for k := first; k < len(e.Pieces) && e.Pieces[k].Start < to; k++ {
			vector.AddScaled(mean, 1, e.PieceVector(k))
			pieces++
		}
		for j := range mean {
			mean[j] /= float32(max(pieces, 1))
		}
		t.numbers = append(t.numbers, make([]byte, width)...)
		t.scale = append(t.scale, vector.Pack(t.numbers[len(t.numbers)-width:], 1, mean))
	}
	return t
}
