package diet

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/loquat-dev/loquat/internal/ml/crf"
	"github.com/loquat-dev/loquat/internal/ml/sparse"
	"github.com/loquat-dev/loquat/internal/ml/weights"
	"github.com/loquat-dev/loquat/internal/nlu"
	"github.com/loquat-dev/loquat/internal/nlu/encoder"
	"github.com/loquat-dev/loquat/internal/nlu/tagger"
)

// How tags are learned; chosen like the numbers for intents.
const (
	tagLearningRate = 0.2
	tagDropout      = 0.5
	tagFewestPasses = 7
	tagBatch        = 8
	// Models that differ in chance are averaged; two train side by side.
	tagModels = 2
)

// likelyIntents is how many of the most probable intents are looked at.
const likelyIntents = 3

// entityModel finds the entities of a message: a field for their types and, if
// the data has any, one for roles and one for groups. Those two also see the
// types. All of them see the likely intents of the message: in training its own,
// at prediction the network's.
type entityModel struct {
	encoder *encoder.Tokens
	layers  [tagger.NumLayers]*tagger.Tagger // nil if the data has no such labels
	loss    float64                          // mean loss of a token in the last pass, all layers together
}

// trainEntities learns from annotated messages. It returns nil if there is not
// one entity among them. old is the model to go on from, or nil.
func (c *Classifier) trainEntities(ctx context.Context, messages []*nlu.Message, old *entityModel) (*entityModel, error) {
	gold := tagger.Annotated(messages, componentName, c.config.BILOU)
	if len(gold.Labels[tagger.Entities]) == 0 {
		return nil, nil
	}
	m := &entityModel{encoder: encoder.NewTokens()}
	if old != nil {
		m.encoder = old.encoder
	}
	examples := make([]encoder.Example, len(messages))
	for i, message := range messages {
		examples[i] = encoder.Example{Message: message, Gold: gold.Tags[tagger.Entities][i], Types: gold.Tags[tagger.Entities][i]}
		if c.intents != nil {
			examples[i].Intents = []encoder.Likely{encoder.LikelyIntent(message.Values[nlu.IntentLabel], 1)}
		}
	}
	if err := m.encoder.Learn(messages, examples, c.config.Featurizers); err != nil {
		return nil, err
	}
	var s encoder.TokenScratch
	for l, labels := range gold.Labels {
		if len(labels) == 0 {
			continue
		}
		t := &tagger.Tagger{Tags: tagger.Tags(labels, c.config.BILOU)}
		number := map[nlu.Tag]int32{}
		for n, tag := range t.Tags {
			number[tag] = int32(n)
		}
		data := make([]crf.Sequence, len(messages))
		for i, example := range examples {
			if l == tagger.Entities {
				example.Types = nil
			}
			data[i].X = m.encoder.Encode(example, c.config.Featurizers, &s).Clone()
			for _, tag := range gold.Tags[l][i] {
				data[i].Y = append(data[i].Y, number[tag])
			}
		}
		var start *crf.Model
		if old != nil {
			if old.layers[l] == nil || !slices.Equal(old.layers[l].Tags, t.Tags) {
				return nil, fmt.Errorf("fine-tuning needs the %s of the earlier model, and those of the data are not the same", tagger.LayerNames[l])
			}
			start = old.layers[l].Model
		}
		var err error
		if t.Model, err = c.trainTags(ctx, data, t, m, start, tagger.LayerNames[l]); err != nil {
			return nil, err
		}
		m.layers[l] = t
	}
	return m, nil
}

func (c *Classifier) trainTags(ctx context.Context, data []crf.Sequence, t *tagger.Tagger, m *entityModel, start *crf.Model, what string) (*crf.Model, error) {
	log, last := c.logPass(ctx, what), 0.0
	model, err := crf.Train(ctx, data, topology(t.Tags), m.encoder.Len(), crf.Options{
		Passes:       c.tagPasses(len(data)),
		Batch:        tagBatch,
		LearningRate: tagLearningRate,
		Dropout:      tagDropout,
		Models:       tagModels,
		Seed:         c.seed(),
		Threads:      max(c.env.Threads, 1),
		Start:        start,
		AfterPass: func(pass int, loss float64) {
			last = loss
			log(pass, loss)
		},
	})
	m.loss += last
	return model, err
}

// topology says which tags may follow each other: without BILOU all, with it
// those that make whole spans. The parts of a BILOU tag are the tag itself, its
// label, and its place in the span.
func topology(tags []nlu.Tag) crf.Topology {
	var t crf.Topology
	for n, tag := range tags {
		parts := []int32{int32(n)}
		if tag.Prefix != 0 {
			label, place := (n-1)/4, strings.IndexByte("BILU", tag.Prefix)
			parts = append(parts, int32(len(tags)+place), int32(len(tags)+4+label))
		}
		t.Parts = append(t.Parts, parts)
		t.Opens = append(t.Opens, tag.Prefix != 'I' && tag.Prefix != 'L')
		t.Closes = append(t.Closes, tag.Prefix != 'B' && tag.Prefix != 'I')
		if tag.Prefix == 'B' { // followed by I and L of the same label
			b := int32(n)
			t.Edges = append(t.Edges, [2]int32{b, b + 1}, [2]int32{b, b + 2}, [2]int32{b + 1, b + 1}, [2]int32{b + 1, b + 2})
		}
	}
	return t
}

// tagPasses is how often n examples are shown: 20,000 in all when there are up to
// 75, fewer when more examples say more, and 5,000 from 300 on.
func (c *Classifier) tagPasses(n int) int {
	share := c.config.Share
	if share <= 0 {
		share = 1
	}
	n = max(n, 1)
	shown := min(20_000, max(5_000, 1_500_000/n))
	return min(c.config.Epochs, int(math.Ceil(share*float64(max(tagFewestPasses, shown/n)))))
}

// extract returns the entities of a message that has just been classified.
func (c *Classifier) extract(m *nlu.Message, ranking []nlu.Intent, s *scratch) []nlu.Entity {
	if c.entities == nil || len(m.Tokens[nlu.Text]) == 0 {
		return nil
	}
	s.likely = s.likely[:0]
	for _, intent := range ranking[:min(likelyIntents, len(ranking))] {
		s.likely = append(s.likely, encoder.LikelyIntent(intent.Name, float32(intent.Confidence)))
	}
	seen := encoder.Example{Message: m, Intents: s.likely}
	x := c.entities.encoder.Encode(seen, c.config.Featurizers, &s.token)
	types := c.entities.layers[tagger.Entities].Decode(x, &s.lattice[0])
	if c.config.BILOU {
		nlu.RepairBILOU(types.Tags, types.Confidence)
	}
	if !slices.ContainsFunc(types.Tags, func(t nlu.Tag) bool { return !t.Outside() }) {
		return nil
	}
	layers := nlu.TagLayers{Entity: types}
	if c.entities.layers[tagger.Roles] != nil || c.entities.layers[tagger.Groups] != nil {
		seen.Types = types.Tags
		x = c.entities.encoder.Encode(seen, c.config.Featurizers, &s.token)
		layers.Role = jointLabels(c.entities.layers[tagger.Roles], x, types.Tags, &s.lattice[1])
		layers.Group = jointLabels(c.entities.layers[tagger.Groups], x, types.Tags, &s.lattice[2])
	}
	entities := nlu.Entities(m.Values[nlu.Text], m.Tokens[nlu.Text], layers, c.config.SplitEntitiesByComma)
	for i := range entities {
		entities[i].Extractor = componentName
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

func (m *entityModel) write(w *weights.Writer) {
	m.encoder.Write(w)
	for _, t := range m.layers {
		w.Bool(t != nil)
		if t == nil {
			continue
		}
		t.Write(w)
	}
}

func readEntities(r *weights.Reader) *entityModel {
	m := &entityModel{encoder: encoder.ReadTokens(r)}
	for l := range m.layers {
		if r.Bool() {
			m.layers[l] = tagger.Read(r, m.encoder.Len())
		}
	}
	if r.Err() == nil && m.layers[tagger.Entities] == nil {
		r.Fail("a model of entities without types")
	}
	return m
}
