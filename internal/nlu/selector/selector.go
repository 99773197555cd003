// Package selector is the ResponseSelector: of the responses of retrieval intents
// ("faq/ask_name") it finds the one that answers a message.
//
// The settings and the result are those of Rasa 3.6.21; it learns with package
// textmodel, as DIETClassifier learns intents.
package selector

import (
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/loquat-dev/loquat/internal/graph"
	"github.com/loquat-dev/loquat/internal/nlu"
	"github.com/loquat-dev/loquat/internal/nlu/textmodel"
)

// Type describes the component.
func Type() graph.Type {
	t := graph.Define[Config](graph.Type{
		Name:      "ResponseSelector",
		ClassPath: "rasa.nlu.selectors.response_selector.ResponseSelector",
		Kinds:     []graph.Kind{graph.IntentClassifier},
		Trainable: true,
		Version:   textmodel.Version,
		Requires:  []string{"Featurizer"},
		AnyKind:   []string{"split_entities_by_comma"},
		Check:     check,
		Fns:       nlu.Fns(),
	}, defaults, nil)
	maps.Copy(t.Defaults, graph.Config(withoutEffect))
	t.Build = build
	return t
}

// Selector is a trained or untrained ResponseSelector.
type Selector struct {
	config  Config
	inVain  []string // settings that were changed and have no effect
	env     graph.Env
	learned learned
	work    sync.Pool // of *textmodel.Scratch
}

// learned is what training gives.
type learned struct {
	model *textmodel.Model // nil if nothing was learned
	// keys are the response keys of the model's labels: the labels themselves, or
	// with use_text_as_label the first key that has the text.
	keys []string
	// retrievalIntents are all those of the data, sorted.
	retrievalIntents []string
	// responses are the variations of each key, plain JSON values.
	responses map[string][]any
}

func build(env graph.Env, raw graph.Config, saved graph.Resource) (any, error) {
	s := &Selector{config: defaults, env: env, inVain: withoutEffect.Changed(raw)}
	s.work.New = func() any { return &textmodel.Scratch{} }
	if err := raw.Decode(&s.config); err != nil {
		return nil, err
	}
	if saved == nil {
		return s, nil
	}
	var err error
	s.learned, err = load(saved, s.config.Featurizers)
	return s, err
}

// Train learns from the examples of retrieval intents, or of the one intent that
// the settings name. With fewer than two responses nothing is learned.
func (s *Selector) Train(ctx context.Context, data *nlu.TrainingData) error {
	if len(s.inVain) > 0 {
		s.env.Logger.InfoContext(ctx, "settings without effect here", "settings", s.inVain)
	}
	earlier := s.learned
	s.learned = learned{}
	var (
		messages []*nlu.Message
		labels   []string
		keys     = map[string]string{} // of each label
	)
	for _, m := range data.NLUExamples() {
		key := m.Values[nlu.IntentResponseKey]
		if key == "" || s.config.RetrievalIntent != nil && m.Values[nlu.IntentLabel] != *s.config.RetrievalIntent || !s.hasFeatures(m) {
			continue
		}
		label := key
		if s.config.UseTextAsLabel {
			if label = m.Values[nlu.ResponseText]; label == "" {
				continue
			}
		}
		messages, labels = append(messages, m), append(labels, label)
		if _, known := keys[label]; !known {
			keys[label] = key
		}
	}
	if len(messages) == 0 && s.config.RetrievalIntent == nil {
		s.env.Logger.DebugContext(ctx, "selector not trained: there are no retrieval intents") // the default pipeline has one
		return nil
	}
	if len(keys) < 2 {
		s.env.Logger.WarnContext(ctx, "selector not trained: it needs examples of at least two responses", "retrieval_intent", s.name(), "examples", len(messages), "responses", len(keys))
		return nil
	}
	model, err := textmodel.Train(ctx, messages, labels, textmodel.Settings{
		Featurizers: s.config.Featurizers,
		Epochs:      s.config.Epochs,
		Seed:        textmodel.Seed(s.config.RandomSeed),
		Threads:     s.env.Threads,
		Start:       earlier.model,
		Share:       s.config.Share,
		AfterPass: func(pass int, loss float64) {
			s.env.Logger.DebugContext(ctx, "pass", "learning", "responses", "pass", pass+1, "loss", loss)
		},
	})
	if err != nil {
		return err
	}
	s.learned = learned{model: model, retrievalIntents: retrievalIntents(data), responses: map[string][]any{}}
	for _, label := range model.Labels {
		key := keys[label]
		s.learned.keys = append(s.learned.keys, key)
		s.learned.responses[key] = variations(data, key)
	}
	s.env.Logger.InfoContext(ctx, "learned", "retrieval_intent", s.name(), "examples", len(messages), "responses", len(keys), "loss", model.Loss)
	return nil
}

func (s *Selector) hasFeatures(m *nlu.Message) bool {
	return len(m.Select(nlu.Text, nlu.Sentence, s.config.Featurizers)) > 0
}

// retrievalIntents lists the retrieval intents of the data, sorted.
func retrievalIntents(data *nlu.TrainingData) []string {
	found := map[string]bool{}
	for _, m := range data.NLUExamples() {
		if m.Values[nlu.IntentResponseKey] != "" {
			found[m.Values[nlu.IntentLabel]] = true
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// variations are those of a key's response. A key without a response is its own
// text, as in Rasa.
func variations(data *nlu.TrainingData, key string) []any {
	var out []any
	for _, v := range data.Source.Responses[utter+key] {
		out = append(out, finite(v.Node.Any()))
	}
	if out == nil {
		out = []any{map[string]any{"text": key}}
	}
	return out
}

// name is what the selector goes by in results.
func (s *Selector) name() string {
	if s.config.RetrievalIntent == nil {
		return "default"
	}
	return *s.config.RetrievalIntent
}

// Process adds to each message the response that answers it best, whatever its
// intent.
func (s *Selector) Process(_ context.Context, messages []*nlu.Message) error {
	work := s.work.Get().(*textmodel.Scratch)
	for _, m := range messages {
		if m.Selector == nil {
			m.Selector = map[string]any{}
		}
		m.Selector["all_retrieval_intents"] = list(s.learned.retrievalIntents)
		m.Selector[s.name()] = s.result(s.rank(m, work))
		if len(m.Tokens[nlu.Text]) > textmodel.LongText { // don't hold on to so much
			work = &textmodel.Scratch{}
		}
	}
	s.work.Put(work)
	return nil
}
