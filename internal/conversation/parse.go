package conversation

import (
	"context"
	"fmt"
	"strings"

	"github.com/loquat-dev/loquat/internal/channel"
	"github.com/loquat-dev/loquat/internal/nlu"
	"github.com/loquat-dev/loquat/internal/tracker"
)

// interpret parses a message and makes the user event of it.
func (p *Processor) interpret(ctx context.Context, m channel.Message) (*tracker.UserUttered, error) {
	var parsed *nlu.Message
	err := p.step(ctx, &Step{Name: StepParse, ConversationID: m.SenderID, MessageID: m.MessageID}, func(ctx context.Context) (err error) {
		parsed, err = p.parse(ctx, m.Text, m.MessageID, m.Metadata)
		return err
	})
	if err != nil {
		return nil, err
	}
	p.warnUnknown(ctx, m.SenderID, parsed)
	e := &tracker.UserUttered{
		Base: tracker.Base{Metadata: m.Metadata}, Text: parsed.Values[nlu.Text], HasText: true,
		InputChannel: m.Channel, MessageID: m.MessageID,
		ParseData: parseData(parsed),
	}
	if parsed.Intent != nil {
		e.Intent, e.Confidence = parsed.Intent.Name, parsed.Intent.Confidence
	}
	entities, _ := e.ParseData["entities"].([]any)
	for _, x := range entities {
		e.Entities = append(e.Entities, x.(map[string]any))
	}
	return e, nil
}

// warnUnknown reports intents and entities that the domain does not have: nothing
// can follow from them.
func (p *Processor) warnUnknown(ctx context.Context, conversationID string, m *nlu.Message) {
	if p.Predictor == nil {
		return
	}
	if m.Intent != nil && m.Intent.Name != "" && !p.Domain.HasIntent(m.Intent.Name) {
		p.Logger.WarnContext(ctx, "intent is not in the domain", "conversation_id", conversationID, "intent", m.Intent.Name)
	}
	for i := range m.Entities {
		if name := m.Entities[i].Entity; !p.Domain.HasEntity(name) {
			p.Logger.WarnContext(ctx, "entity is not in the domain", "conversation_id", conversationID, "entity", name)
		}
	}
}

func (p *Processor) parse(ctx context.Context, text, messageID string, metadata map[string]any) (*nlu.Message, error) {
	m := &nlu.Message{MessageID: messageID, Metadata: metadata, TimeMilli: p.Now().UnixMilli()}
	m.Values[nlu.Text] = strings.TrimSpace(text)
	if err := p.Interpreter.Parse(ctx, m); err != nil {
		return nil, fmt.Errorf("parse message: %w", err)
	}
	return m, nil
}

// parseData is the parse of a message as events and POST /model/parse show it.
func parseData(m *nlu.Message) tracker.ParseData {
	d := tracker.ParseData(m.ParseResult())
	d["message_id"] = nil
	if m.MessageID != "" {
		d["message_id"] = m.MessageID
	}
	d["metadata"] = map[string]any{}
	if m.Metadata != nil {
		d["metadata"] = m.Metadata
	}
	return d
}
