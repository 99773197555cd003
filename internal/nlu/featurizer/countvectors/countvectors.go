// Package countvectors is Rasa's CountVectorsFeaturizer: how often each word, or
// each run of characters, of a vocabulary occurs in a token and in a whole text.
// The vocabulary is learned from the training data; numbers count as one word.
package countvectors

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"

	"github.com/loquat-dev/loquat/internal/graph"
	"github.com/loquat-dev/loquat/internal/nlu"
	"github.com/loquat-dev/loquat/internal/pystr"
)

// Type describes the component.
func Type() graph.Type {
	t := graph.Type{
		Name:      "CountVectorsFeaturizer",
		ClassPath: "rasa.nlu.featurizers.sparse_featurizer.count_vectors_featurizer.CountVectorsFeaturizer",
		Kinds:     []graph.Kind{graph.Featurizer},
		Trainable: true,
		Version:   1,
		Requires:  []string{"Tokenizer"},
		Packages:  []string{"sklearn"},
		Check:     check,
		Fns:       nlu.Fns(),
	}
	return graph.Define(t, defaults(), build)
}

// Names of the files that a trained featurizer is kept in; both hold JSON.
const (
	vocabulariesFile = "vocabularies.json" // attribute → n-gram → column, null where nothing was learned
	oovWordsFile     = "oov_words.json"    // the OOV_words in the case that counts
)

// Featurizer counts n-grams.
type Featurizer struct {
	config   Config
	origin   string
	logger   *slog.Logger
	finetune bool

	preparer preparer
	analyzer analyzer
	oovWords []string

	// vocabulary is nil for an attribute that had no texts in training.
	vocabulary [nlu.NumAttributes]*table
}

func build(env graph.Env, c Config, saved graph.Resource) (any, error) {
	if errs := c.check(); errs != nil {
		return nil, errors.Join(errs...)
	}
	f := &Featurizer{
		config: c, origin: nlu.Origin(env, c.Alias), logger: env.Logger, finetune: env.Finetuning,
		analyzer: analyzer{kind: c.Analyzer, min: c.MinNgram, max: c.MaxNgram},
		oovWords: slices.Clone(c.OOVWords),
	}
	if saved != nil {
		if err := f.load(saved); err != nil {
			return nil, err
		}
	}
	f.prepareWords()
	return f, nil
}

// prepareWords brings the settings about words into the case that counts.
// Unknown words and stop words exist for whole words only.
func (f *Featurizer) prepareWords() {
	c := f.config
	f.preparer = preparer{lowercase: c.Lowercase, lemma: c.UseLemma}
	if c.StripAccents != nil {
		f.preparer.accents = *c.StripAccents
	}
	if c.Analyzer != "word" {
		return
	}
	f.analyzer.stop = c.StopWords.set()
	fold := func(s string) string { return s }
	if c.Lowercase {
		fold = pystr.Lower
	}
	for i, w := range f.oovWords {
		f.oovWords[i] = fold(w)
	}
	if c.OOVToken != nil {
		f.preparer.oov = fold(*c.OOVToken)
		f.preparer.oovWords = make(map[string]bool, len(f.oovWords))
		for _, w := range f.oovWords {
			f.preparer.oovWords[w] = true
		}
	}
}

// attributes lists what is featurized: labels have no use for characters.
func (f *Featurizer) attributes() []nlu.Attribute {
	if f.config.Analyzer == "word" {
		return []nlu.Attribute{nlu.Text, nlu.IntentLabel, nlu.ResponseText, nlu.IntentResponseKey, nlu.ActionName, nlu.ActionText}
	}
	return []nlu.Attribute{nlu.Text, nlu.ResponseText, nlu.ActionText}
}

// Train learns the vocabularies. When fine-tuning, those of the earlier model
// keep their columns and what is new follows.
func (f *Featurizer) Train(ctx context.Context, data *nlu.TrainingData) error {
	if idle := f.config.withoutEffect(); idle != nil {
		f.logger.Warn("settings have no effect", "component", f.origin, "analyzer", f.config.Analyzer, "settings", idle)
	}
	if f.config.UseSharedVocab {
		return f.trainShared(ctx, data)
	}
	for _, a := range f.attributes() {
		c := newCounter()
		if err := f.count(ctx, c, a, data); err != nil {
			return err
		}
		if len(c.seen) > 0 {
			f.learn(c, a)
		}
	}
	f.warnAboutOOV()
	return nil
}

func (f *Featurizer) learn(c *counter, a nlu.Attribute) {
	minDF := frequency("1")
	if a == nlu.Text {
		minDF = f.config.MinDF
	}
	v, err := c.vocabulary(minDF, f.config.MaxDF, f.config.MaxFeatures)
	if err != nil {
		f.logger.Warn("no vocabulary was learned", "component", f.origin, "attribute", a.String(), "err", err)
		return
	}
	if f.finetune && f.vocabulary[a] != nil {
		v = extend(f.vocabulary[a].index, v)
	}
	f.vocabulary[a] = newTable(v)
}

func (f *Featurizer) trainShared(ctx context.Context, data *nlu.TrainingData) error {
	if f.finetune && f.vocabulary[nlu.Text] != nil {
		f.logger.Warn("a shared vocabulary can't grow in fine-tuning: new words stay unknown", "component", f.origin)
		return nil
	}
	c := newCounter()
	for _, a := range f.attributes() {
		if err := f.count(ctx, c, a, data); err != nil {
			return err
		}
	}
	if len(c.seen) == 0 {
		return nil
	}
	f.learn(c, nlu.Text)
	for _, a := range f.attributes() {
		f.vocabulary[a] = f.vocabulary[nlu.Text]
	}
	f.warnAboutOOV()
	return nil
}

func (f *Featurizer) count(ctx context.Context, c *counter, a nlu.Attribute, data *nlu.TrainingData) error {
	var t text
	var g grams
	for _, m := range data.Messages {
		if err := ctx.Err(); err != nil {
			return err
		}
		if tokens := m.Tokens[a]; tokens != nil {
			f.preparer.prepare(&t, a, tokens, f.vocabulary[a])
			f.analyzer.each(t.buf, &g, c.add)
		}
		c.endOfText()
	}
	return nil
}

func (f *Featurizer) warnAboutOOV() {
	oov := f.preparer.oov
	if oov == "" {
		return
	}
	for _, v := range f.vocabulary {
		if v == nil {
			continue
		}
		if _, ok := v.index[oov]; ok {
			return
		}
	}
	f.logger.Warn("the token for unknown words occurs in no training example: unknown words will be ignored",
		"component", f.origin, "OOV_token", oov)
}

// ProcessTrainingData adds features for every attribute that has a vocabulary.
func (f *Featurizer) ProcessTrainingData(ctx context.Context, data *nlu.TrainingData) (*nlu.TrainingData, error) {
	return nlu.FeaturizeTrainingData(ctx, data, f.featurize)
}

// Process adds features to messages.
func (f *Featurizer) Process(_ context.Context, messages []*nlu.Message) error {
	for _, m := range messages {
		f.featurize(m)
	}
	return nil
}

func (f *Featurizer) featurize(m *nlu.Message) {
	s := pool.Get().(*scratch)
	defer pool.Put(s)
	for _, a := range f.attributes() {
		v := f.vocabulary[a]
		if v == nil || len(m.Tokens[a]) == 0 {
			continue
		}
		f.preparer.prepare(&s.text, a, m.Tokens[a], v)
		s.count(&f.analyzer, v)
		x := s.sequence(v.width())
		m.Features = append(m.Features, nlu.Features{Attribute: a, Level: nlu.Sequence, Origin: f.origin, Sparse: x})
		if !isLanguage(a) {
			continue
		}
		if len(m.Tokens[a]) > 1 || !f.analyzer.additive() {
			x = s.sentence(&f.analyzer, v) // else the text is its one token
		}
		m.Features = append(m.Features, nlu.Features{Attribute: a, Level: nlu.Sentence, Origin: f.origin, Sparse: x})
	}
}

// Vocabulary returns the n-grams of an attribute with their columns, nil if none
// were learned.
func (f *Featurizer) Vocabulary(a nlu.Attribute) map[string]int32 {
	if f.vocabulary[a] == nil {
		return nil
	}
	return maps.Clone(f.vocabulary[a].index)
}

// Persist keeps the vocabularies and the words taken for unknown.
func (f *Featurizer) Persist() (graph.Resource, error) {
	vocabularies := map[string]map[string]int32{}
	for _, a := range f.attributes() {
		vocabularies[a.String()] = f.Vocabulary(a)
	}
	v, err := json.Marshal(vocabularies)
	if err != nil {
		return nil, fmt.Errorf("encode vocabularies: %w", err)
	}
	words, err := json.Marshal(f.oovWords)
	if err != nil {
		return nil, fmt.Errorf("encode OOV words: %w", err)
	}
	return graph.Resource{vocabulariesFile: v, oovWordsFile: words}, nil
}

func (f *Featurizer) load(saved graph.Resource) error {
	var vocabularies map[string]map[string]int32
	if err := json.Unmarshal(saved[vocabulariesFile], &vocabularies); err != nil {
		return fmt.Errorf("read %s: %w", vocabulariesFile, err)
	}
	for _, a := range f.attributes() {
		v := vocabularies[a.String()]
		for gram, column := range v {
			if column < 0 || int(column) >= len(v) {
				return fmt.Errorf("read %s: %q has column %d of %d", vocabulariesFile, gram, column, len(v))
			}
		}
		f.vocabulary[a] = newTable(v)
	}
	if err := json.Unmarshal(saved[oovWordsFile], &f.oovWords); err != nil {
		return fmt.Errorf("read %s: %w", oovWordsFile, err)
	}
	return nil
}
