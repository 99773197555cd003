package crfentity

import (
	"slices"
	"strconv"

	"github.com/loquat-dev/loquat/internal/ml/vocab"
	"github.com/loquat-dev/loquat/internal/nlu"
	"github.com/loquat-dev/loquat/internal/pystr"
)

// place is one feature at one position of the window.
type place struct {
	name   string // "<offset>:<feature>"
	offset int    // relative to the token
	seed   uint64 // of hashes of its values
	look   look
}

// look tells a visitor what a place sees of token t.
type look func(p *place, s *sentence, t int, v visitor)

// visitor is told how a token looks through the window. Values are valid until it
// returns.
type visitor interface {
	// text is a feature with a value, such as "0:low" = "fly".
	text(p *place, value string)
	// flag is a feature that is so or not; part distinguishes several of one place.
	flag(p *place, part string, on bool)
	// number is one of several numbers.
	number(p *place, column int, v float32)
	// missing is a feature whose value nobody knows.
	missing(p *place)
	// edge says that the window leaves the text before its first or after its last
	// token.
	edge(first bool)
}

// looks are the features that config.yml can name, of one token.
var looks = map[string]look{
	"low":     func(p *place, s *sentence, t int, v visitor) { v.text(p, s.lower[t]) },
	"title":   func(p *place, s *sentence, t int, v visitor) { v.flag(p, "", s.cases[t].Title) },
	"upper":   func(p *place, s *sentence, t int, v visitor) { v.flag(p, "", s.cases[t].Upper) },
	"digit":   func(p *place, s *sentence, t int, v visitor) { v.flag(p, "", s.cases[t].Digit) },
	"bias":    func(p *place, s *sentence, t int, v visitor) { v.text(p, "bias") },
	"prefix2": prefix(2),
	"prefix5": prefix(5),
	"suffix1": suffix(1),
	"suffix2": suffix(2),
	"suffix3": suffix(3),
	"suffix5": suffix(5),
	"pos":     partOfSpeech(1 << 30),
	"pos2":    partOfSpeech(2),
	"pattern": func(p *place, s *sentence, t int, v visitor) {
		for _, name := range s.patterns {
			v.flag(p, name, s.tokens[t].Patterns[name])
		}
	},
	"text_dense_features": func(p *place, s *sentence, t int, v visitor) {
		column := 0
		for _, f := range s.dense {
			if t < len(f.Dense) {
				for i, x := range f.Dense[t] {
					v.number(p, column+i, x)
				}
			}
			if len(f.Dense) > 0 {
				column += len(f.Dense[0])
			}
		}
	},
}

func prefix(n int) look {
	return func(p *place, s *sentence, t int, v visitor) { v.text(p, pystr.First(s.tokens[t].Text, n)) }
}

func suffix(n int) look {
	return func(p *place, s *sentence, t int, v visitor) { v.text(p, pystr.Last(s.tokens[t].Text, n)) }
}

func partOfSpeech(n int) look {
	return func(p *place, s *sentence, t int, v visitor) {
		if s.tokens[t].POS == "" {
			v.missing(p)
			return
		}
		v.text(p, pystr.First(s.tokens[t].POS, n))
	}
}

// typeOf is the tag of a token's entity, for the fields of roles and groups.
func typeOf(p *place, s *sentence, t int, v visitor) { v.text(p, s.types[t]) }

// window is what the fields see of each token: features of it and its neighbours.
type window struct {
	places []place
	// types are the places of entity tags, one for each position.
	types []place
	reach int // how many neighbours on each side
}

// newWindow makes a window of lists of features. Names that stand for none are left
// out, as Rasa does.
func newWindow(features [][]string) window {
	w := window{reach: len(features) / 2}
	for i, names := range features {
		offset := i - w.reach
		for k, name := range names {
			if l := looks[name]; l != nil && !slices.Contains(names[:k], name) {
				w.places = append(w.places, newPlace(offset, name, l))
			}
		}
		w.types = append(w.types, newPlace(offset, "entity", typeOf))
	}
	return w
}

func newPlace(offset int, feature string, l look) place {
	name := strconv.Itoa(offset) + ":" + feature
	return place{name: name, offset: offset, seed: vocab.Seed(name), look: l}
}

// visit shows token t of a sentence to a visitor.
func (w *window) visit(s *sentence, t int, v visitor) {
	show := func(places []place) {
		for i := range places {
			p := &places[i]
			if at := t + p.offset; at >= 0 && at < len(s.tokens) {
				p.look(p, s, at, v)
			}
		}
	}
	show(w.places)
	if len(s.types) > 0 {
		show(w.types)
	}
	if t < w.reach {
		v.edge(true)
	}
	if t+w.reach >= len(s.tokens) {
		v.edge(false)
	}
}

// sentence is one message as the window sees it. It is reused for the next one.
type sentence struct {
	tokens   []nlu.Token
	lower    []string
	cases    []pystr.Case
	patterns []string // names of the RegexFeaturizer's patterns, sorted
	dense    []nlu.Features
	types    []string // tags of the entities, where they are known; else none

	buffer []byte
	ends   []int
}

// read takes in a message.
func (s *sentence) read(m *nlu.Message, origins []string) {
	s.tokens = m.Tokens[nlu.Text]
	s.lower, s.cases, s.types = s.lower[:0], s.cases[:0], s.types[:0]
	s.buffer, s.ends, s.dense = s.buffer[:0], s.ends[:0], s.dense[:0]
	for i := range s.tokens {
		s.cases = append(s.cases, pystr.CaseOf(s.tokens[i].Text))
		s.buffer = pystr.AppendLower(s.buffer, s.tokens[i].Text)
		s.ends = append(s.ends, len(s.buffer))
	}
	all, from := string(s.buffer), 0 // one allocation for all tokens
	for _, end := range s.ends {
		s.lower = append(s.lower, all[from:end])
		from = end
	}
	s.patterns = s.patterns[:0]
	if len(s.tokens) > 0 { // all tokens have the same
		for name := range s.tokens[0].Patterns {
			s.patterns = append(s.patterns, name)
		}
		slices.Sort(s.patterns)
	}
	for i := range m.Features {
		f := &m.Features[i]
		if f.Attribute == nlu.Text && f.Level == nlu.Sequence && f.Sparse == nil && (len(origins) == 0 || slices.Contains(origins, f.Origin)) {
			s.dense = append(s.dense, *f)
		}
	}
}

// release lets go of the message.
func (s *sentence) release() {
	s.tokens = nil
	clear(s.lower)
	clear(s.dense)
}
