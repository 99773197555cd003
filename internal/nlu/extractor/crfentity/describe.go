package crfentity

import (
	"strconv"

	"github.com/loquat-dev/loquat/internal/nlu"
)

// Describe lists the features of each token of a message by name, as Rasa hands
// them to CRFsuite. types are the tags of its entities as the fields of roles and
// groups see them, or nil.
func (e *Extractor) Describe(m *nlu.Message, types []nlu.Tag) []map[string]any {
	var s sentence
	s.read(m, e.config.Featurizers)
	for _, t := range types {
		s.types = append(s.types, t.String())
	}
	out := make([]map[string]any, len(s.tokens))
	for t := range out {
		d := description{}
		e.encoder.window.visit(&s, t, d)
		out[t] = d
	}
	return out
}

type description map[string]any

func (d description) text(p *place, value string) { d[p.name] = value }

func (d description) flag(p *place, part string, on bool) {
	name := p.name
	if part != "" {
		name += ":" + part
	}
	d[name] = on
}

func (d description) number(p *place, column int, v float32) {
	d[p.name+":"+strconv.Itoa(column)] = float64(v)
}

func (d description) missing(p *place) { d[p.name] = nil }

func (d description) edge(first bool) {
	if first {
		d["BOS"] = true
	} else {
		d["EOS"] = true
	}
}
