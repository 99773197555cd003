package conversation

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/loquat-dev/loquat/internal/action"
	"github.com/loquat-dev/loquat/internal/channel"
	"github.com/loquat-dev/loquat/internal/nlu"
	"github.com/loquat-dev/loquat/internal/tracker"
)

// ErrUnknownIntent says that an intent is not in the domain.
var ErrUnknownIntent = errors.New("intent is not in the domain")

// Status names the loaded model.
func (p *Processor) Status() (modelFile, modelID string) { return p.ModelName, p.ModelID }

// Tracker returns a conversation. One that is unknown is shown as it would begin,
// with a session. Looking changes nothing: no session ends, none is stored (Rasa
// 3.6.21).
func (p *Processor) Tracker(ctx context.Context, conversationID string) (t *tracker.Tracker, err error) {
	err = p.locked(ctx, conversationID, func(ctx context.Context) error {
		turn := &turn{Processor: p}
		if turn.tracker, err = p.load(ctx, conversationID); err != nil {
			return err
		}
		if turn.tracker.Len() == 0 {
			if err := turn.updateSession(ctx, nil); err != nil {
				return err
			}
		}
		t = turn.tracker
		return nil
	})
	return t, err
}

// AppendEvents adds events to a conversation and saves it. One that is unknown
// begins with a session, unless the events begin with action_session_start (Rasa
// 3.6.21). Times that events carry are kept.
//
// With an output their side effects happen, too: what the assistant says goes to
// it, reminders are scheduled and cancelled.
func (p *Processor) AppendEvents(ctx context.Context, conversationID string, events []tracker.Event, effects channel.Output) (t *tracker.Tracker, err error) {
	err = p.locked(ctx, conversationID, func(ctx context.Context) error {
		turn := &turn{Processor: p}
		if turn.tracker, err = p.load(ctx, conversationID); err != nil {
			return err
		}
		if turn.tracker.Len() == 0 && !startsSession(events) {
			if err := turn.updateSession(ctx, nil); err != nil {
				return err
			}
		}
		turn.keepTimes(events)
		t = turn.tracker
		if err := p.save(ctx, t); err != nil || effects == nil {
			return err
		}
		turn.output = effects
		return turn.sideEffects(ctx, events)
	})
	return t, err
}

// ReplaceEvents puts events in the place of a conversation's history. They are
// kept as they are; those without a time get the present one.
func (p *Processor) ReplaceEvents(ctx context.Context, conversationID string, events []tracker.Event) (t *tracker.Tracker, err error) {
	err = p.locked(ctx, conversationID, func(ctx context.Context) error {
		t = tracker.New(conversationID, p.Domain)
		for _, e := range events {
			if base := e.Meta(); base.Timestamp == 0 {
				base.Timestamp = p.seconds()
			}
			t.Update(e)
		}
		if err := p.Store.Replace(ctx, t); err != nil {
			return fmt.Errorf("replace conversation: %w", err)
		}
		return nil
	})
	return t, err
}

func startsSession(events []tracker.Event) bool {
	if len(events) == 0 {
		return false
	}
	e, ok := events[0].(*tracker.ActionExecuted)
	return ok && e.Name == action.SessionStart
}

// keepTimes records events with the times that they carry.
func (t *turn) keepTimes(events []tracker.Event) {
	for _, e := range events {
		seconds := e.Meta().Timestamp
		if seconds == 0 {
			seconds = t.seconds()
		}
		t.stamp(e, seconds)
		t.tracker.Update(e)
	}
}

// TriggerIntent goes on with a conversation as if the user had expressed an
// intent. It returns ErrUnknownIntent if the domain lacks it.
func (p *Processor) TriggerIntent(ctx context.Context, conversationID, intent string, entities []tracker.Entity, out channel.Output) (result *tracker.Tracker, err error) {
	if !p.Domain.HasIntent(intent) {
		return nil, fmt.Errorf("%w: %q", ErrUnknownIntent, intent)
	}
	err = p.locked(ctx, conversationID, func(ctx context.Context) error {
		t := &turn{Processor: p, output: out}
		if t.tracker, err = p.load(ctx, conversationID); err != nil {
			return err
		}
		if err := t.updateSession(ctx, nil); err != nil {
			return err
		}
		err := t.trigger(ctx, intent, entities, "")
		result = t.tracker
		return err
	})
	return result, err
}

// trigger records an intent that came from outside, or from the reminder of that
// name, and goes on from there.
func (t *turn) trigger(ctx context.Context, intent string, entities []tracker.Entity, reminder string) error {
	text := "EXTERNAL: " + intent
	entities = t.sound(ctx, entities)
	list := make([]any, len(entities))
	for i, e := range entities {
		list[i] = map[string]any(e)
	}
	channelName := t.tracker.LatestInputChannel()
	metadata := map[string]any{"is_external": true}
	if reminder != "" {
		metadata[reminderKey] = reminder
	}
	e := &tracker.UserUttered{
		Base: tracker.Base{Metadata: metadata}, Text: text, HasText: true, Intent: intent, Confidence: 1, Entities: entities,
		InputChannel: channelName,
		ParseData: tracker.ParseData{
			"intent": map[string]any{"name": intent}, "entities": list, "text": text, "message_id": nil, "metadata": maps.Clone(metadata),
		},
	}
	t.record(e)
	return t.finish(ctx)
}

// sound leaves out entities without a name, which no tracker could be read with
// again, and gives those without a value none.
func (t *turn) sound(ctx context.Context, entities []tracker.Entity) []tracker.Entity {
	var out []tracker.Entity
	for _, e := range entities {
		if _, ok := e["entity"].(string); !ok {
			t.Logger.WarnContext(ctx, "an entity without a name is left out", "conversation_id", t.tracker.ConversationID)
			continue
		}
		if _, ok := e["value"]; !ok {
			e = maps.Clone(e)
			e["value"] = nil
		}
		out = append(out, e)
	}
	return out
}

// entityList reads entities given as a list of objects, or as a map from names to
// values.
func entityList(v any) ([]tracker.Entity, error) {
	switch v := v.(type) {
	case nil:
		return nil, nil
	case []any:
		out := make([]tracker.Entity, 0, len(v))
		for i, x := range v {
			e, ok := x.(map[string]any)
			if !ok {
				return nil, fmt.Errorf("entities[%d] is not an object", i)
			}
			out = append(out, e)
		}
		return out, nil
	case map[string]any:
		out := make([]tracker.Entity, 0, len(v))
		for _, name := range slices.Sorted(maps.Keys(v)) {
			out = append(out, tracker.Entity{"entity": name, "value": v[name]})
		}
		return out, nil
	default:
		return nil, errors.New("entities are neither a list nor an object")
	}
}

// Parse is what NLU makes of a text.
func (p *Processor) Parse(ctx context.Context, text, messageID string) (*nlu.Message, error) {
	return p.parse(ctx, text, messageID, nil)
}
