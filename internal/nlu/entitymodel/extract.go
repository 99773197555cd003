package entitymodel

import (
	"slices"

	"github.com/loquat-dev/loquat/internal/ml/crf"
	"github.com/loquat-dev/loquat/internal/ml/sparse"
	"github.com/loquat-dev/loquat/internal/nlu"
	"github.com/loquat-dev/loquat/internal/nlu/encoder"
	"github.com/loquat-dev/loquat/internal/nlu/tagger"
)

// likelyIntents is how many of the most probable intents are looked at.
const likelyIntents = 3

// Scratch is the work space for one message after the other.
type Scratch struct {
	token   encoder.TokenScratch
	likely  []encoder.Likely
	lattice [tagger.NumLayers]crf.Lattice
}

// Extract returns the entities of a message with tokens and features. ranking has
// its intents, the most probable first; nil if the model was trained without.
func (m *Model) Extract(message *nlu.Message, ranking []nlu.Intent, s *Scratch) []nlu.Entity {
	if len(message.Tokens[nlu.Text]) == 0 {
		return nil
	}
	s.likely = s.likely[:0]
	for _, intent := range ranking[:min(likelyIntents, len(ranking))] {
		s.likely = append(s.likely, encoder.LikelyIntent(intent.Name, float32(intent.Confidence)))
	}
	seen := encoder.Example{Message: message, Intents: s.likely}
	x := m.encoder.Encode(seen, m.settings.Featurizers, &s.token)
	types := m.layers[tagger.Entities].Decode(x, &s.lattice[0])
	if m.settings.BILOU {
		nlu.RepairBILOU(types.Tags, types.Confidence)
	}
	if !slices.ContainsFunc(types.Tags, func(t nlu.Tag) bool { return !t.Outside() }) {
		return nil
	}
	layers := nlu.TagLayers{Entity: types}
	if m.layers[tagger.Roles] != nil || m.layers[tagger.Groups] != nil {
		seen.Types = types.Tags
		x = m.encoder.Encode(seen, m.settings.Featurizers, &s.token)
		layers.Role = jointLabels(m.layers[tagger.Roles], x, types.Tags, &s.lattice[1])
		layers.Group = jointLabels(m.layers[tagger.Groups], x, types.Tags, &s.lattice[2])
	}
	entities := nlu.Entities(message.Values[nlu.Text], message.Tokens[nlu.Text], layers, m.settings.CommaSplit)
	for i := range entities {
		entities[i].Extractor = m.settings.Extractor
	}
	return entities
}

// jointLabels gives all tokens of an entity the one role or group, or none, that
// is most probable for them together. types are the tags of the entities.
func jointLabels(t *tagger.Tagger, x *sparse.Matrix, types []nlu.Tag, l *crf.Lattice) nlu.TokenTags {
	if t == nil {
		return nlu.TokenTags{}
	}
	p := t.Model.Marginals(x, l)
	out := nlu.TokenTags{Tags: make([]nlu.Tag, len(types)), Confidence: make([]float64, len(types))}
	sum := make([]float64, len(t.Tags))
	for from := 0; from < len(types); {
		to := from + 1
		for to < len(types) && !types[from].Outside() && types[to].Label == types[from].Label && types[to].Prefix != 'B' && types[to].Prefix != 'U' {
			to++
		}
		clear(sum)
		for i := from; i < to; i++ {
			for n, v := range p[i*len(t.Tags) : (i+1)*len(t.Tags)] {
				sum[sameLabel(t, n)] += v / float64(to-from)
			}
		}
		best := 0
		for n, v := range sum {
			if v > sum[best] {
				best = n
			}
		}
		for i := from; i < to; i++ {
			out.Tags[i], out.Confidence[i] = nlu.Tag{Label: t.Tags[best].Label}, sum[best]
		}
		from = to
	}
	return out
}

// sameLabel returns the first tag that has the label of tag n.
func sameLabel(t *tagger.Tagger, n int) int {
	return slices.IndexFunc(t.Tags, func(tag nlu.Tag) bool { return tag.Label == t.Tags[n].Label })
}
