package unexpected

import (
	"cmp"

	"github.com/loquat-dev/loquat/internal/graph"
	"github.com/loquat-dev/loquat/internal/ml/linear"
	"github.com/loquat-dev/loquat/internal/ml/vocab"
	"github.com/loquat-dev/loquat/internal/ml/weights"
)

const (
	fileName    = "unexpected_intent.bin"
	fileKind    = "unexpected intent"
	fileVersion = 1
)

// Persist writes what was learned (docs/formats/diet.md).
func (p *Policy) Persist() (graph.Resource, error) {
	w := weights.NewWriter(fileKind, fileVersion)
	w.Strings(p.intents)
	if p.model != nil {
		w.Int(p.maxHistory)
		for k := range p.thresholds {
			w.Floats(p.thresholds[k][:])
		}
		w.Hashes(p.features.Hashes())
		w.Floats(p.model.Weights)
	}
	return graph.Resource{fileName: w.Bytes()}, nil
}

func (p *Policy) load(data []byte) error {
	r := weights.NewReader(data, fileKind, fileVersion)
	intents := r.Strings()
	if len(intents) == 0 {
		return r.Close()
	}
	maxHistory := r.Int()
	thresholds := make([]limits, len(intents))
	for k := range thresholds {
		if copy(thresholds[k][:], r.Floats()) != steps {
			r.Fail("an intent without its %d thresholds", steps)
			break
		}
	}
	features := vocab.NewTable(r.Hashes())
	m := &linear.OneVsRest{Classes: len(intents), Features: features.Len(), Weights: r.Floats()}
	if r.Err() == nil && (maxHistory < 0 || (m.Features+1)*m.Classes != len(m.Weights)) {
		r.Fail("%d weights for %d features and %d intents", len(m.Weights), m.Features, m.Classes)
	}
	if err := cmp.Or(r.Err(), r.Close()); err != nil {
		return err
	}
	p.maxHistory, p.intents, p.thresholds, p.features, p.model = maxHistory, intents, thresholds, *features, m
	return nil
}
