package diet

import (
	"context"

	"github.com/loquat-dev/loquat/internal/nlu"
	"github.com/loquat-dev/loquat/internal/nlu/textmodel"
)

// trainIntents learns from messages that have an intent and features. old is the
// model to go on from, or nil.
func (c *Classifier) trainIntents(ctx context.Context, messages []*nlu.Message, old *textmodel.Model) (*textmodel.Model, error) {
	intents := make([]string, len(messages))
	for i, m := range messages {
		intents[i] = m.Values[nlu.IntentLabel]
	}
	return textmodel.Train(ctx, messages, intents, textmodel.Settings{
		Featurizers: c.config.Featurizers,
		Epochs:      c.config.Epochs,
		Seed:        textmodel.Seed(c.config.RandomSeed),
		Threads:     c.env.Threads,
		Start:       old,
		Share:       c.config.Share,
		AfterPass:   c.logPass(ctx, "intents"),
	})
}

// classify returns the intent and the ranking of a message.
func (c *Classifier) classify(m *nlu.Message, s *scratch) (*nlu.Intent, []nlu.Intent) {
	if c.intents == nil {
		return &nlu.Intent{}, []nlu.Intent{}
	}
	p := c.intents.Probabilities(m, &s.text)
	if p == nil {
		return &nlu.Intent{}, []nlu.Intent{}
	}
	ranking := make([]nlu.Intent, len(p))
	for k, name := range c.intents.Labels {
		ranking[k] = nlu.Intent{Name: name, Confidence: p[k]}
	}
	ranking = nlu.Rank(ranking, c.config.RankingLength)
	if c.config.RenormalizeConfidence {
		nlu.Renormalize(ranking)
	}
	top := ranking[0]
	return &top, ranking
}
