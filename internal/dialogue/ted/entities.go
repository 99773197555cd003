package ted

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"sync"

	"github.com/loquat-dev/loquat/internal/dialogue"
	"github.com/loquat-dev/loquat/internal/nlu"
	"github.com/loquat-dev/loquat/internal/nlu/entitymodel"
	"github.com/loquat-dev/loquat/internal/tracker"
)

// entitySeed is of what is random in learning entities.
const entitySeed = 1

func (p *Policy) entitySettings() entitymodel.Settings {
	return entitymodel.Settings{
		Extractor:   componentName,
		Featurizers: p.config.Featurizers,
		BILOU:       p.config.BILOU,
		CommaSplit:  p.config.SplitEntitiesByComma,
	}
}

// learnEntities learns from the annotated texts of the stories, if there are any.
func (p *Policy) learnEntities(ctx context.Context, data dialogue.TrainingData) error {
	if !p.config.EntityRecognition {
		return nil
	}
	messages, err := annotatedTexts(data)
	if err != nil {
		return err
	}
	p.entities, err = entitymodel.Train(ctx, messages, p.entitySettings(), entitymodel.Options{
		Epochs:  math.MaxInt,
		Seed:    entitySeed,
		Threads: p.env.Threads,
		AfterPass: func(what string, pass int, loss float64) {
			p.env.Logger.DebugContext(ctx, "pass", "policy", componentName, "learning", what, "pass", pass+1, "loss", loss)
		},
	})
	return err
}

// annotatedTexts are what users say in the stories, with tokens, features and the
// entities that are marked, each once.
func annotatedTexts(data dialogue.TrainingData) ([]*nlu.Message, error) {
	var messages []*nlu.Message
	known := map[string]bool{}
	for _, t := range data.Trackers {
		if t.Rule || t.Augmented {
			continue // what is told behind another story is told by itself, too
		}
		for _, event := range t.AppliedEvents() {
			said, ok := event.(*tracker.UserUttered)
			if !ok || said.Intent != "" {
				continue
			}
			m := data.Texts[said.Text]
			if m == nil {
				continue
			}
			key, err := json.Marshal([]any{said.Text, said.Entities})
			if err != nil {
				return nil, fmt.Errorf("entities of %q: %w", said.Text, err)
			}
			if known[string(key)] {
				continue
			}
			known[string(key)] = true
			m = m.Clone()
			m.Entities = nil
			for _, e := range said.Entities {
				if annotation, ok := annotation(e); ok {
					m.Entities = append(m.Entities, annotation)
				}
			}
			messages = append(messages, m)
		}
	}
	return messages, nil
}

// annotation is an entity of a story's text, whose role and group are not learned
// (Rasa 3.6). ok is false for one without a place.
func annotation(e tracker.Entity) (out nlu.Entity, ok bool) {
	start, hasStart := e["start"].(int64)
	end, hasEnd := e["end"].(int64)
	name, _ := e["entity"].(string)
	return nlu.Entity{Entity: name, Start: int(start), End: int(end)}, hasStart && hasEnd && name != ""
}

// entityScratches are of predictions that are over.
var entityScratches = sync.Pool{New: func() any { return new(entitymodel.Scratch) }}

// longText is how many tokens a text may have for its work space to be used again.
const longText = 512

// found is the event of the entities in a text; none if there are none.
func (p *Policy) found(m *nlu.Message) []tracker.Event {
	if p.entities == nil {
		return nil
	}
	s := entityScratches.Get().(*entitymodel.Scratch)
	entities := p.entities.Extract(m, nil, s)
	if len(m.Tokens[nlu.Text]) <= longText { // don't hold on to so much
		entityScratches.Put(s)
	}
	if len(entities) == 0 {
		return nil
	}
	event := &tracker.EntitiesAdded{}
	for i := range entities {
		event.Entities = append(event.Entities, entities[i].Result())
	}
	return []tracker.Event{event}
}
