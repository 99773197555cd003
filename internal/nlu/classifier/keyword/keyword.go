// Package keyword is Rasa's KeywordIntentClassifier: every training example is a
// keyword, and the first that occurs in a message gives its intent.
//
// Keywords are regular expressions, as in Rasa, so that c++ finds ccc. One that is
// no valid expression is taken literally; Rasa fails to train then.
package keyword

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"

	"github.com/loquat-dev/loquat/internal/graph"
	"github.com/loquat-dev/loquat/internal/nlu"
)

// Config is what config.yml may set for KeywordIntentClassifier.
type Config struct {
	CaseSensitive bool `json:"case_sensitive"`
}

const name = "KeywordIntentClassifier"

// Type describes the component.
func Type() graph.Type {
	t := graph.Type{
		Name:      name,
		ClassPath: "rasa.nlu.classifiers.keyword_intent_classifier.KeywordIntentClassifier",
		Kinds:     []graph.Kind{graph.IntentClassifier},
		Trainable: true,
		Version:   1,
		Fns:       nlu.Fns(),
	}
	return graph.Define(t, Config{CaseSensitive: true}, build)
}

const keywordsFile = "KeywordIntentClassifier.json" // a JSON object: keyword → intent, in the order in which they are tried

// Keyword is a text that gives an intent.
type Keyword struct{ Text, Intent string }

// Classifier knows the keywords.
type Classifier struct {
	config   Config
	logger   *slog.Logger
	keywords []Keyword
	finder   *finder
}

func build(env graph.Env, c Config, saved graph.Resource) (any, error) {
	k := &Classifier{config: c, logger: env.Logger}
	if saved != nil {
		if err := k.load(saved[keywordsFile]); err != nil {
			return nil, fmt.Errorf("read %s: %w", keywordsFile, err)
		}
	}
	k.finder = newFinder(k.keywords, c.CaseSensitive)
	return k, nil
}

// Train takes the texts of all examples that have an intent. A text of two
// intents is no keyword, nor is one that occurs in a keyword of another intent.
// When fine-tuning, keywords of the earlier model stay, as in Rasa.
func (k *Classifier) Train(_ context.Context, data *nlu.TrainingData) error {
	intents := map[string]string{}
	twice := map[string]bool{}
	var texts []string
	for _, earlier := range k.keywords {
		intents[earlier.Text] = earlier.Intent
		texts = append(texts, earlier.Text)
	}
	for _, m := range data.Messages {
		text, intent := m.Values[nlu.Text], m.Values[nlu.IntentLabel]
		if text == "" || intent == "" {
			continue
		}
		if first, known := intents[text]; known {
			if first != intent && !twice[text] {
				k.logger.Warn("a keyword of two intents is left out", "component", name, "keyword", text, "intents", []string{first, intent})
			}
			twice[text] = twice[text] || first != intent
			continue
		}
		intents[text] = intent
		texts = append(texts, text)
	}
	k.keywords = nil
	for _, text := range texts {
		if !twice[text] {
			k.keywords = append(k.keywords, Keyword{text, intents[text]})
		}
	}
	k.keywords = k.withoutContained(k.keywords)
	k.finder = newFinder(k.keywords, k.config.CaseSensitive)
	for _, text := range k.finder.literal {
		k.logger.Warn("a keyword that is no valid regular expression is taken literally", "component", name, "keyword", text)
	}
	return nil
}

func (k *Classifier) withoutContained(all []Keyword) []Keyword {
	contained := newFinder(all, k.config.CaseSensitive).contained(all)
	var kept []Keyword
	for i, w := range all {
		if contained[i] {
			k.logger.Warn("a keyword that occurs in one of another intent is left out", "component", name, "intent", w.Intent, "keyword", w.Text)
			continue
		}
		kept = append(kept, w)
	}
	return kept
}

// Process sets the intents that keywords give, with confidence 1. Where there is
// no keyword, an intent that was found before stays.
func (k *Classifier) Process(_ context.Context, messages []*nlu.Message) error {
	for _, m := range messages {
		i, found, err := k.finder.first(nlu.CleanText(m.Values[nlu.Text]))
		if err != nil {
			k.logger.Warn("a keyword was stopped: it does not count", "component", name, "err", err)
		}
		switch {
		case found:
			m.Intent = &nlu.Intent{Name: k.keywords[i].Intent, Confidence: 1}
		case m.Intent == nil:
			m.Intent = &nlu.Intent{}
		}
	}
	return nil
}

// Keywords returns the keywords in the order in which they are tried.
func (k *Classifier) Keywords() []Keyword { return k.keywords }

// Persist keeps the keywords in their order.
func (k *Classifier) Persist() (graph.Resource, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, w := range k.keywords {
		if i > 0 {
			b.WriteByte(',')
		}
		text, err := json.Marshal(w.Text)
		if err != nil {
			return nil, fmt.Errorf("encode keyword: %w", err)
		}
		intent, err := json.Marshal(w.Intent)
		if err != nil {
			return nil, fmt.Errorf("encode keyword: %w", err)
		}
		b.Write(text)
		b.WriteByte(':')
		b.Write(intent)
	}
	b.WriteByte('}')
	return graph.Resource{keywordsFile: b.Bytes()}, nil
}

// load reads an object of strings without losing the order of its keys.
func (k *Classifier) load(data []byte) error {
	d := json.NewDecoder(bytes.NewReader(data))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return fmt.Errorf("not a JSON object: %w", err)
	}
	for d.More() {
		var w Keyword
		key, err := d.Token()
		if err != nil {
			return err
		}
		w.Text, _ = key.(string)
		if err := d.Decode(&w.Intent); err != nil {
			return err
		}
		k.keywords = append(k.keywords, w)
	}
	return nil
}
