package ted

import (
	"cmp"

	"github.com/loquat-dev/loquat/internal/graph"
	"github.com/loquat-dev/loquat/internal/ml/linear"
	"github.com/loquat-dev/loquat/internal/ml/vocab"
	"github.com/loquat-dev/loquat/internal/ml/weights"
	"github.com/loquat-dev/loquat/internal/nlu/encoder"
	"github.com/loquat-dev/loquat/internal/nlu/entitymodel"
)

const (
	fileName    = "ted.bin"
	fileKind    = "ted"
	fileVersion = 2 + entitymodel.Version
)

// Persist writes what was learned (docs/formats/diet.md).
func (p *Policy) Persist() (graph.Resource, error) {
	w := weights.NewWriter(fileKind, fileVersion)
	w.Strings(p.actions)
	if p.model != nil {
		w.Int(p.maxHistory)
		w.Bool(p.texts != nil)
		if p.texts != nil {
			p.texts.Write(w)
			w.Float(p.textLength)
			w.Bool(p.textsAlone)
		}
		w.Hashes(p.features.Hashes())
		w.Floats(p.model.Weights)
		w.Bool(p.entities != nil)
		if p.entities != nil {
			p.entities.Write(w)
		}
	}
	return graph.Resource{fileName: w.Bytes()}, nil
}

func (p *Policy) load(data []byte) error {
	r := weights.NewReader(data, fileKind, fileVersion)
	actions := r.Strings()
	if len(actions) == 0 {
		return r.Close()
	}
	maxHistory := r.Int()
	if r.Bool() {
		p.texts, p.textLength, p.textsAlone = encoder.ReadText(r), r.Float(), r.Bool()
	}
	features := vocab.NewTable(r.Hashes())
	m := &linear.Softmax{Classes: len(actions), Features: p.textColumns() + features.Len(), Weights: r.Floats()}
	if r.Bool() {
		p.entities = entitymodel.Read(r, p.entitySettings())
	}
	if r.Err() == nil && (maxHistory < 0 || p.texts != nil && p.textLength <= 0 || (m.Features+1)*m.Classes != len(m.Weights)) {
		r.Fail("%d weights for %d features and %d actions", len(m.Weights), m.Features, m.Classes)
	}
	if err := cmp.Or(r.Err(), r.Close()); err != nil {
		p.forget()
		return err
	}
	p.maxHistory, p.actions, p.features, p.model = maxHistory, actions, *features, m
	return nil
}
