package lexicalsyntactic

import (
	"strconv"
	"sync"

	"github.com/loquat-dev/loquat/internal/nlu"
	"github.com/loquat-dev/loquat/internal/pystr"
)

// place is one feature at one position of the window.
type place struct {
	list    int // index into Config.Features
	offset  int // relative to the token
	feature string
	flag    func(pystr.Case) bool  // one of flags, or
	extract func(nlu.Token) string // one of extractors, or neither for BOS and EOS
	columns map[string]int32       // of each value seen in training
	yes, no int32                  // columns of "True" and "False", -1 if not seen
}

// sentence is a text's tokens with how each is written.
type sentence struct {
	tokens []nlu.Token
	cases  []pystr.Case
}

var sentences = sync.Pool{New: func() any { return new(sentence) }}

// read returns the sentence of a message's text; release gives it back.
func read(tokens []nlu.Token) *sentence {
	s := sentences.Get().(*sentence)
	s.tokens, s.cases = tokens, s.cases[:0]
	for i := range tokens {
		s.cases = append(s.cases, pystr.CaseOf(tokens[i].Text))
	}
	return s
}

func (s *sentence) release() {
	s.tokens = nil
	sentences.Put(s)
}

// is gives a feature that is so or not, of a token inside of the text; false, false
// for other features.
func (p *place) is(s *sentence, at int) (so, known bool) {
	switch {
	case p.flag != nil:
		return p.flag(s.cases[at]), true
	case p.extract != nil:
		return false, false
	case p.feature == "BOS":
		return at == 0, true
	default:
		return at == len(s.tokens)-1, true
	}
}

// value gives the feature's value for token t, or false where the window leaves
// the text.
func (p *place) value(s *sentence, t int) (string, bool) {
	at := t + p.offset
	if at < 0 || at >= len(s.tokens) {
		return "", false
	}
	if so, known := p.is(s, at); known {
		return boolean(so), true
	}
	return p.extract(s.tokens[at]), true
}

// column gives the column of the feature's value for token t; -1 if there is none.
func (p *place) column(s *sentence, t int) int32 {
	at := t + p.offset
	if at < 0 || at >= len(s.tokens) {
		return -1
	}
	if so, known := p.is(s, at); known {
		if so {
			return p.yes
		}
		return p.no
	}
	if c, ok := p.columns[p.extract(s.tokens[at])]; ok {
		return c
	}
	return -1
}

// setColumns takes the columns of the values.
func (p *place) setColumns(columns map[string]int32) {
	p.columns, p.yes, p.no = columns, -1, -1
	if c, ok := columns[yes]; ok {
		p.yes = c
	}
	if c, ok := columns[no]; ok {
		p.no = c
	}
}

func (p *place) key() string { return strconv.Itoa(p.list) + "###" + p.feature }
