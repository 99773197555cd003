// Package wordpiece cuts text into the pieces that encoders of BERT's kind were
// trained on: words, and where a word is not in the vocabulary, the longest parts
// of it that are.
//
// Source: Wu et al. 2016, "Google's Neural Machine Translation System", and
// Devlin et al. 2019, "BERT", whose vocabularies mark a part that continues a word
// with "##".
package wordpiece

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Options are properties of a vocabulary.
type Options struct {
	Lowercase    bool // the vocabulary knows no capitals
	StripAccents bool // nor accents
	SplitHan     bool // Chinese characters are words of their own
}

// Tokenizer cuts text by a vocabulary. It is safe for concurrent use.
type Tokenizer struct {
	options  Options
	starts   map[string]int32 // pieces that start a word
	rests    map[string]int32 // pieces that continue one, without their "##"
	longest  int              // bytes of the longest piece
	specials []special
	cls, sep int32
	unknown  int32
}

// special is a piece with a meaning of its own, which text can spell out.
type special struct {
	text string
	id   int32
}

// Piece is one piece of a text: its number in the vocabulary, and the bytes of
// the text that it stands for.
type Piece struct {
	ID         int32
	Start, End int32
}

// New makes a tokenizer from the lines of a vocabulary, numbered from 0. The
// tokenizer refers to the string.
func New(vocabulary string, options Options) (*Tokenizer, error) {
	n := strings.Count(vocabulary, "\n")
	t := &Tokenizer{options: options, starts: make(map[string]int32, n), rests: make(map[string]int32, n/4)}
	id := int32(0)
	for line := range strings.Lines(vocabulary) {
		line = strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")
		if !utf8.ValidString(line) {
			return nil, fmt.Errorf("line %d is not UTF-8", id+1)
		}
		if rest, ok := strings.CutPrefix(line, "##"); ok && rest != "" {
			t.rests[rest] = id
		} else {
			t.starts[line] = id
		}
		t.longest = max(t.longest, len(line))
		id++
	}
	for _, text := range []string{"[CLS]", "[SEP]", "[UNK]", "[PAD]", "[MASK]"} {
		if id, ok := t.starts[text]; ok {
			t.specials = append(t.specials, special{text, id})
		}
	}
	if len(t.specials) < 3 || t.specials[0].text != "[CLS]" || t.specials[1].text != "[SEP]" || t.specials[2].text != "[UNK]" {
		return nil, errors.New("one of [CLS], [SEP] and [UNK] is missing")
	}
	t.cls, t.sep, t.unknown = t.specials[0].id, t.specials[1].id, t.specials[2].id
	return t, nil
}

// Append adds the pieces of a text to a list, with [CLS] before and [SEP] after
// them, limit at most. What does not fit is cut off, and reported. A text may spell
// out a special piece such as [MASK].
func (t *Tokenizer) Append(to []Piece, text string, limit int) (pieces []Piece, cut bool) {
	w := writer{Tokenizer: t, pieces: to, room: limit - 1}
	w.add(t.cls, 0, 0)
	for from := 0; from < len(text) && !w.full; {
		at, s := t.nextSpecial(text, from)
		w.text(text, from, at)
		if s != nil {
			w.add(s.id, at, at+len(s.text))
			at += len(s.text)
		}
		from = at
	}
	w.room++
	w.full = false
	w.add(t.sep, len(text), len(text))
	return w.pieces, w.cut
}

// nextSpecial finds the first special piece that is spelled out behind from, and
// the end of the text if there is none.
func (t *Tokenizer) nextSpecial(text string, from int) (int, *special) {
	for i := from; ; i++ {
		next := strings.IndexByte(text[i:], '[')
		if next < 0 {
			return len(text), nil
		}
		i += next
		for k := range t.specials {
			if strings.HasPrefix(text[i:], t.specials[k].text) {
				return i, &t.specials[k]
			}
		}
	}
}

// writer collects the pieces of one text.
type writer struct {
	*Tokenizer
	pieces []Piece
	room   int // for how many more
	full   bool
	cut    bool
	word   word
}

func (w *writer) add(id int32, start, end int) {
	if w.room == 0 {
		w.full, w.cut = true, true
		return
	}
	w.room--
	w.pieces = append(w.pieces, Piece{id, int32(start), int32(end)})
}

// flush adds the pieces of the word that has been read, the longest first that
// starts where the last one ended. A word of which a part is in no piece is unknown
// as a whole.
func (w *writer) flush() {
	word := &w.word
	if word.n == 0 {
		return
	}
	pieces, room, full, cut := w.pieces, w.room, w.full, w.cut
	known := w.starts
	for from := 0; from < word.n; {
		to, id := w.longestPiece(known, from)
		if to == from || word.tooLong {
			w.pieces, w.room, w.full, w.cut = pieces, room, full, cut
			w.add(w.unknown, int(word.start[0]), int(word.last))
			break
		}
		w.add(id, int(word.start[from]), int(word.end[to-1]))
		from, known = to, w.rests
	}
	word.reset()
}

// longestPiece finds the end of the longest piece that starts at a character of
// the word; it is from if there is none.
func (w *writer) longestPiece(known map[string]int32, from int) (to int, id int32) {
	word := &w.word
	first := word.offset(from)
	for to := word.n; to > from; to-- {
		last := word.offset(to)
		if last-first > w.longest {
			continue
		}
		if id, ok := known[string(word.text[first:last])]; ok {
			return to, id
		}
	}
	return from, 0
}
