package crfentity

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/loquat-dev/loquat/internal/ml/crf"
	"github.com/loquat-dev/loquat/internal/ml/vocab"
	"github.com/loquat-dev/loquat/internal/nlu"
	"github.com/loquat-dev/loquat/internal/nlu/tagger"
)

// errPartOfSpeech: Rasa fails here too, in CRFsuite, with a TypeError.
var errPartOfSpeech = errors.New(`features: "pos" and "pos2" need a tokenizer that knows parts of speech, and the one of this pipeline doesn't: remove them`)

// Train learns from all NLU examples, with and without entities. Without a single
// entity nothing is learned.
func (e *Extractor) Train(ctx context.Context, data *nlu.TrainingData) error {
	e.encoder.table, e.layers = vocab.Table{}, [tagger.NumLayers]*tagger.Tagger{}
	var messages []*nlu.Message
	for _, m := range data.NLUExamples() {
		if len(m.Tokens[nlu.Text]) > 0 {
			messages = append(messages, m)
		}
	}
	gold := tagger.Annotated(messages, componentName, e.config.BILOU)
	if len(gold.Labels[tagger.Entities]) == 0 {
		e.env.Logger.InfoContext(ctx, "extractor not trained: the data has no entities", "examples", len(messages))
		return nil
	}
	if err := e.checkInput(ctx, messages); err != nil {
		return err
	}
	for l := range gold.Labels {
		if len(gold.Labels[l]) == 0 {
			continue
		}
		loss, err := e.trainLayer(ctx, l, messages, gold)
		if err != nil {
			return err
		}
		e.env.Logger.InfoContext(ctx, "learned", "layer", tagger.LayerNames[l], "examples", len(messages), "labels", len(gold.Labels[l]), "loss", loss)
	}
	return nil
}

// checkInput tells whether the pipeline gives the features that it should.
func (e *Extractor) checkInput(ctx context.Context, messages []*nlu.Message) error {
	if names := e.unknownFeatures(); len(names) > 0 {
		e.env.Logger.WarnContext(ctx, "features that don't exist are left out", "features", names, "known", slices.Sorted(maps.Keys(looks)))
	}
	if e.uses("pos") || e.uses("pos2") {
		for _, m := range messages {
			for _, t := range m.Tokens[nlu.Text] {
				if t.POS == "" {
					return errPartOfSpeech
				}
			}
		}
	}
	if e.uses("text_dense_features") {
		var s sentence
		for _, m := range messages {
			if s.read(m, e.config.Featurizers); len(s.dense) > 0 {
				return nil
			}
		}
		e.env.Logger.WarnContext(ctx, "the feature text_dense_features needs a featurizer with dense features of words: it is left out")
	}
	return nil
}

// trainLayer learns the field of one layer. Those of roles and groups see the
// types of the entities.
func (e *Extractor) trainLayer(ctx context.Context, l int, messages []*nlu.Message, gold *tagger.Gold) (loss float64, err error) {
	t := &tagger.Tagger{Tags: []nlu.Tag{{}}}
	number := map[nlu.Tag]int32{{}: 0}
	data := make([]crf.Sequence, len(messages))
	var s encoderScratch
	e.encoder.learning = true
	for i, m := range messages {
		var types []nlu.Tag
		if l != tagger.Entities {
			types = gold.Tags[tagger.Entities][i]
		}
		data[i].X = e.encoder.encode(m, types, &s).Clone()
		for _, tag := range gold.Tags[l][i] {
			if _, known := number[tag]; !known {
				number[tag] = int32(len(t.Tags))
				t.Tags = append(t.Tags, tag)
			}
			data[i].Y = append(data[i].Y, number[tag])
		}
	}
	e.encoder.learning = false
	t.Model, loss, err = crf.Fit(ctx, data, topology(len(t.Tags)), e.encoder.table.Len(), crf.FitOptions{
		MaxIterations: e.config.MaxIterations,
		L1:            e.config.L1,
		L2:            e.config.L2,
		Threads:       max(e.env.Threads, 1),
	})
	e.layers[l] = t
	return loss, err
}

// topology lets every tag follow every other one.
func topology(tags int) crf.Topology {
	var t crf.Topology
	for n := range tags {
		t.Opens, t.Closes = append(t.Opens, true), append(t.Closes, true)
		t.Parts = append(t.Parts, []int32{int32(n)})
	}
	return t
}

// uses tells whether the window has a feature.
func (e *Extractor) uses(feature string) bool {
	return slices.ContainsFunc(e.config.Features, func(names []string) bool { return slices.Contains(names, feature) })
}

// unknownFeatures lists the names of config.yml that stand for no feature.
func (e *Extractor) unknownFeatures() []string {
	var unknown []string
	for _, names := range e.config.Features {
		for _, name := range names {
			if looks[name] == nil && !slices.Contains(unknown, name) {
				unknown = append(unknown, name)
			}
		}
	}
	return unknown
}
