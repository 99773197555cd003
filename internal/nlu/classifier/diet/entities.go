package diet

import (
	"context"

	"github.com/loquat-dev/loquat/internal/nlu"
	"github.com/loquat-dev/loquat/internal/nlu/entitymodel"
	"github.com/loquat-dev/loquat/internal/nlu/textmodel"
)

func (c *Classifier) entitySettings() entitymodel.Settings {
	return entitymodel.Settings{
		Extractor:   componentName,
		Featurizers: c.config.Featurizers,
		BILOU:       c.config.BILOU,
		CommaSplit:  c.config.SplitEntitiesByComma,
	}
}

// trainEntities learns from annotated messages. It returns nil if there is not
// one entity among them. old is the model to go on from, or nil.
func (c *Classifier) trainEntities(ctx context.Context, messages []*nlu.Message, old *entitymodel.Model) (*entitymodel.Model, error) {
	return entitymodel.Train(ctx, messages, c.entitySettings(), entitymodel.Options{
		Epochs:  c.config.Epochs,
		Share:   c.config.Share,
		Intents: c.intents != nil,
		Seed:    textmodel.Seed(c.config.RandomSeed),
		Threads: c.env.Threads,
		Start:   old,
		AfterPass: func(what string, pass int, loss float64) {
			c.logPass(ctx, what)(pass, loss)
		},
	})
}
