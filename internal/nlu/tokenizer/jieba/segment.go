package jieba

import (
	"math"
	"unicode/utf8"

	"github.com/loquat-dev/loquat/internal/nlu"
)

// segmenter cuts texts. It is safe for concurrent use once its words are there.
type segmenter struct{ words }

// split gives the tokens of a text. They cover all of it: white space and
// punctuation are tokens of their own, as in Rasa 3.6.
func (s *segmenter) split(text string) []nlu.Token {
	tokens := []nlu.Token{}
	at, offset := 0, 0 // the same place in bytes and in code points
	s.cut([]rune(text), true, func(piece []rune) {
		bytes := 0
		for _, r := range piece {
			bytes += utf8.RuneLen(r)
		}
		word := text[at : at+bytes]
		tokens = append(tokens, nlu.Token{Text: word, Start: offset, End: offset + len(piece), Lemma: word})
		at, offset = at+bytes, offset+len(piece)
	})
	return tokens
}

// cut calls yield for each piece of a text in turn. Han characters, and those of
// numbers, names and units, are cut into words; anything else is a piece by
// itself, except that a line end of two characters stays whole. guess allows for
// words that the dictionary doesn't have.
func (s *segmenter) cut(text []rune, guess bool, yield func([]rune)) {
	for len(text) > 0 {
		n := 0
		for n < len(text) && inWords(text[n]) {
			n++
		}
		if n > 0 {
			s.cutBlock(text[:n], guess, yield)
		} else {
			n = 1
			if text[0] == '\r' && len(text) > 1 && text[1] == '\n' {
				n = 2
			}
			yield(text[:n])
		}
		text = text[n:]
	}
}

func isHan(r rune) bool { return r >= 0x4e00 && r <= 0x9fd5 }

func isAlphanumeric(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || isDigit(r)
}

func isDigit(r rune) bool { return r >= '0' && r <= '9' }

func inWords(r rune) bool {
	switch r {
	case '+', '#', '&', '.', '_', '%', '-':
		return true
	}
	return isHan(r) || isAlphanumeric(r)
}

// cutBlock writes a block as the most probable sequence of words. Runs of single
// characters in it are looked at again.
func (s *segmenter) cutBlock(block []rune, guess bool, yield func([]rune)) {
	length := s.route(block)
	pending := 0 // where the run of single characters begins
	for at := 0; at < len(block); at += length[at] {
		if length[at] == 1 && (guess || isAlphanumeric(block[at])) {
			continue
		}
		s.cutSingles(block[pending:at], guess, yield)
		yield(block[at : at+length[at]])
		pending = at + length[at]
	}
	s.cutSingles(block[pending:], guess, yield)
}

// route gives, for each place of a block, how many characters the word has that
// begins there in the most probable sequence of words from there to the end. The
// probability of a sequence is the product of its words' shares; of equally
// probable ones that with the longest first word counts. A character that begins
// no word is one that was seen once.
func (s *segmenter) route(block []rune) []int {
	length := make([]int, len(block))
	best := make([]float64, len(block)+1) // logarithm of the probability from there on
	logTotal := math.Log(s.total)
	for at := len(block) - 1; at >= 0; at-- {
		length[at], best[at] = 1, math.Inf(-1)
		s.startingAt(block[at:], func(n int, frequency float64) {
			if p := math.Log(frequency) - logTotal + best[at+n]; p >= best[at] {
				length[at], best[at] = n, p
			}
		})
		if math.IsInf(best[at], -1) {
			best[at] = best[at+1] - logTotal
		}
	}
	return length
}

// cutSingles cuts what the dictionary leaves in single characters. If together
// they are a word after all, they were left in single ones on purpose.
func (s *segmenter) cutSingles(run []rune, guess bool, yield func([]rune)) {
	switch {
	case len(run) == 0:
	case len(run) == 1 || !guess:
		yield(run)
	default:
		if f, _ := s.frequency(run); f > 0 {
			for i := range run {
				yield(run[i : i+1])
			}
			return
		}
		s.cutUnknown(run, yield)
	}
}
