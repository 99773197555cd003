// Package entitymodel learns to find the entities of texts, with their roles and
// groups: for DIETClassifier those of messages, for TEDPolicy those of what users
// say in end-to-end stories.
//
// Entities are spans of tokens whose tags conditional random fields find (package
// tagger), from the pipeline's features and some that are made from the tokens
// (package encoder).
package entitymodel

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/loquat-dev/loquat/internal/ml/crf"
	"github.com/loquat-dev/loquat/internal/ml/weights"
	"github.com/loquat-dev/loquat/internal/nlu"
	"github.com/loquat-dev/loquat/internal/nlu/encoder"
	"github.com/loquat-dev/loquat/internal/nlu/tagger"
)

// Version goes up whenever the same examples give another model, or its bytes
// mean something else. It is part of the version of every component that learns
// with this package.
const Version = 4

// How tags are learned; chosen like the numbers for intents.
const (
	learningRate = 0.2
	dropout      = 0.5
	fewestPasses = 7
	batch        = 8
	// Models that differ in chance are averaged; two train side by side.
	models = 2
)

// Settings say how entities are marked, in training and at prediction.
type Settings struct {
	Extractor   string   // who finds them: annotations of others don't count
	Featurizers []string // whose features to use; none means all
	BILOU       bool     // tags tell the parts of an entity
	CommaSplit  nlu.CommaSplit
}

// Options say how to learn.
type Options struct {
	Epochs  int     // how often the examples are seen at most
	Share   float64 // of the passes to make; 0 is all
	Intents bool    // the intents of the examples are seen too, as Extract will see likely ones
	Seed    uint64
	Threads int
	Start   *Model // the model to go on from; nil starts afresh. It is used up
	// AfterPass is told the mean loss of a token in a pass over what is learned:
	// entities, roles or groups.
	AfterPass func(what string, pass int, loss float64)
}

// Model finds the entities of a text: a field for their types and, if the data has
// any, one for roles and one for groups. Those two also see the types. All of them
// may see the likely intents of the text: in training its own. Its methods are safe
// for concurrent use.
type Model struct {
	Loss float64 // mean loss of a token in the last pass, all layers together; 0 if it was read

	settings Settings
	encoder  *encoder.Tokens
	layers   [tagger.NumLayers]*tagger.Tagger // nil if the data has no such labels
}

// Train learns from annotated messages with tokens and features. It returns nil if
// there is not one entity among them.
func Train(ctx context.Context, messages []*nlu.Message, settings Settings, o Options) (*Model, error) {
	gold := tagger.Annotated(messages, settings.Extractor, settings.BILOU)
	if len(gold.Labels[tagger.Entities]) == 0 {
		return nil, nil
	}
	m := &Model{settings: settings, encoder: encoder.NewTokens()}
	if o.Start != nil {
		m.encoder = o.Start.encoder
	}
	examples := make([]encoder.Example, len(messages))
	for i, message := range messages {
		examples[i] = encoder.Example{Message: message, Gold: gold.Tags[tagger.Entities][i], Types: gold.Tags[tagger.Entities][i]}
		if o.Intents {
			examples[i].Intents = []encoder.Likely{encoder.LikelyIntent(message.Values[nlu.IntentLabel], 1)}
		}
	}
	if err := m.encoder.Learn(ctx, messages, examples, settings.Featurizers, max(o.Threads, 1)); err != nil {
		return nil, err
	}
	for l, labels := range gold.Labels {
		if len(labels) == 0 {
			continue
		}
		if err := m.learn(ctx, l, labels, examples, gold.Tags[l], o); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// learn learns the field of one layer.
func (m *Model) learn(ctx context.Context, layer int, labels []string, examples []encoder.Example, gold [][]nlu.Tag, o Options) error {
	t := &tagger.Tagger{Tags: tagger.Tags(labels, m.settings.BILOU)}
	number := map[nlu.Tag]int32{}
	for n, tag := range t.Tags {
		number[tag] = int32(n)
	}
	var s encoder.TokenScratch
	data := make([]crf.Sequence, len(examples))
	for i, example := range examples {
		if layer == tagger.Entities { // what is to be found is not seen
			example.Types = nil
		}
		data[i].X = m.encoder.Encode(example, m.settings.Featurizers, &s).Clone()
		for _, tag := range gold[i] {
			data[i].Y = append(data[i].Y, number[tag])
		}
	}
	var start *crf.Model
	if o.Start != nil {
		old := o.Start.layers[layer]
		if old == nil || !slices.Equal(old.Tags, t.Tags) {
			return fmt.Errorf("fine-tuning needs the %s of the earlier model, and those of the data are not the same", tagger.LayerNames[layer])
		}
		start = old.Model
	}
	last := 0.0
	var err error
	t.Model, err = crf.Train(ctx, data, topology(t.Tags), m.encoder.Len(), crf.Options{
		Passes:       o.passes(len(data)),
		Batch:        batch,
		LearningRate: learningRate,
		Dropout:      dropout,
		Models:       models,
		Seed:         o.Seed,
		Threads:      max(o.Threads, 1),
		Start:        start,
		AfterPass: func(pass int, loss float64) {
			last = loss
			if o.AfterPass != nil {
				o.AfterPass(tagger.LayerNames[layer], pass, loss)
			}
		},
	})
	m.layers[layer] = t
	m.Loss += last
	return err
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

// passes is how often n examples are shown: 20,000 in all when there are up to
// 75, fewer when more examples say more, and 5,000 from 300 on.
func (o Options) passes(n int) int {
	share := o.Share
	if share <= 0 {
		share = 1
	}
	n = max(n, 1)
	shown := min(20_000, max(5_000, 1_500_000/n))
	return min(o.Epochs, int(math.Ceil(share*float64(max(fewestPasses, shown/n)))))
}

// Write adds the model to a file (docs/formats/diet.md).
func (m *Model) Write(w *weights.Writer) {
	m.encoder.Write(w)
	for _, t := range m.layers {
		w.Bool(t != nil)
		if t == nil {
			continue
		}
		t.Write(w)
	}
}

// Read reads what Write has written. What does not fit together makes the reader
// fail; the model is of no use then.
func Read(r *weights.Reader, settings Settings) *Model {
	m := &Model{settings: settings, encoder: encoder.ReadTokens(r)}
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
