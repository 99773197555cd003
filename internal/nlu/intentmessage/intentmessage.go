// Package intentmessage is Rasa's RegexMessageHandler, the last node of every
// pipeline: a message that begins with a slash, such as
//
//	/book_flight@0.9{"city": "Berlin"}
//
// says itself what its intent and entities are, as buttons and external events
// do. What classifiers made of it is dropped.
package intentmessage

import (
	"context"
	"log/slog"
	"strings"

	"github.com/loquat-dev/loquat/internal/domain"
	"github.com/loquat-dev/loquat/internal/graph"
	"github.com/loquat-dev/loquat/internal/nlu"
	"github.com/loquat-dev/loquat/internal/nludata"
)

const name = "RegexMessageHandler"

// Type describes the component. The input "domain" is a *domain.Domain, and is
// absent in a model of NLU alone, which takes every intent and entity as it is.
func Type() graph.Type {
	t := graph.Type{
		Name:      name,
		ClassPath: "rasa.nlu.classifiers.regex_message_handler.RegexMessageHandler",
		Version:   1,
		Fns: map[string]graph.Fn{
			"process": {Needs: []string{"messages", "domain"}, Call: func(_ context.Context, c any, in graph.Inputs) (any, error) {
				messages := in["messages"].([]*nlu.Message)
				d, _ := in["domain"].(*domain.Domain)
				c.(*Handler).Process(messages, d)
				return messages, nil
			}},
		},
	}
	return graph.Define(t, struct{}{}, func(env graph.Env, _ struct{}, _ graph.Resource) (any, error) {
		return &Handler{logger: env.Logger}, nil
	})
}

// Handler reads intent messages.
type Handler struct{ logger *slog.Logger }

// Process decides the messages that begin with a slash, unless the domain lacks
// their intent. d may be nil.
func (h *Handler) Process(messages []*nlu.Message, d *domain.Domain) {
	for _, m := range messages {
		if text := m.Values[nlu.Text]; strings.HasPrefix(text, "/") {
			h.decide(m, nludata.ParseIntentMessage(text), d)
		}
	}
}

func (h *Handler) decide(m *nlu.Message, p nludata.IntentMessage, d *domain.Domain) {
	if p.Intent == "" {
		h.logger.Warn("a message begins with a slash but names no intent")
		return
	}
	if d != nil && !d.HasIntent(p.Intent) {
		h.logger.Warn("a message names an intent that the domain lacks: it is treated as text", "intent", p.Intent)
		return
	}
	for _, remark := range p.Remarks {
		h.logger.Warn(remark, "intent", p.Intent)
	}
	m.Entities = nil
	for _, e := range p.Entities {
		if d != nil && !knowsEntity(d, e.Name) {
			h.logger.Warn("a message names an entity that the domain lacks: it is ignored", "entity", e.Name)
			continue
		}
		for _, v := range e.Values() {
			m.Entities = append(m.Entities, nlu.Entity{
				Entity: e.Name, Value: v, Start: p.Start, End: p.End, Extractor: name,
			})
		}
	}
	m.Intent = &nlu.Intent{Name: p.Intent, Confidence: p.Confidence}
	m.Ranking, m.RankingHidden = []nlu.Intent{*m.Intent}, false
	m.Selector = nil
	m.Features = nil
	m.Decided = true
}

func knowsEntity(d *domain.Domain, entity string) bool {
	for _, e := range d.Entities {
		if e.Name == entity {
			return true
		}
	}
	return false
}
