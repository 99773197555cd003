package walk

import (
	"encoding/json"
	"strings"

	"github.com/loquat-dev/loquat/internal/domain"
	"github.com/loquat-dev/loquat/internal/tracker"
)

// user says what people and programs say to an assistant.
type user struct {
	random
	domain *domain.Domain
}

// message is a text: an intent with entities, an answer to what was asked, a
// command, or anything.
func (u user) message(t *tracker.Tracker) string {
	switch n := u.IntN(100); {
	case n < 4:
		return pick(u.random, []string{"/restart", "/back", "/session_start", "/nlu_fallback", "/out_of_scope", "/nobody_knows"})
	case n < 14:
		return pick(u.random, append(texts, "hello", "book a trip", "how are you"))
	case n < 50 && t != nil:
		if answer := u.answer(t); answer != "" {
			return answer
		}
	}
	return u.intent(u.anyIntent(), u.entities(u.IntN(3)))
}

// answer fills the slot that a form has asked for, by one of its mappings.
func (u user) answer(t *tracker.Tracker) string {
	name, _ := t.Slot("requested_slot").(string)
	slot := u.domain.Slot(name)
	if slot == nil || len(slot.Mappings) == 0 {
		return ""
	}
	m := pick(u.random, slot.Mappings)
	intent := u.anyIntent()
	if len(m.Intents) > 0 {
		intent = pick(u.random, m.Intents)
	}
	switch m.Type {
	case domain.FromEntity:
		value := pick(u.random, []any{"Rome", 4, true, 2.5, "window"})
		if len(slot.Values) > 0 {
			value = pick(u.random, slot.Values)
		}
		return u.intent(intent, map[string]any{m.Entity: value})
	case domain.FromText:
		return pick(u.random, []string{"some words", "4", "no"})
	default:
		return u.intent(intent, nil)
	}
}

func (u user) anyIntent() string { return pick(u.random, u.domain.Intents).Name }

func (u user) entities(n int) map[string]any {
	entities := map[string]any{}
	for range n {
		if len(u.domain.Entities) > 0 {
			entities[pick(u.random, u.domain.Entities).Name] = u.value(0)
		}
	}
	return entities
}

// intent is a message that names its intent, with a confidence now and then.
func (u user) intent(name string, entities map[string]any) string {
	var b strings.Builder
	b.WriteString("/" + name)
	if u.chance(10) {
		b.WriteString(pick(u.random, []string{"@0.2", "@0.9", "@1e999", "@x"}))
	}
	if len(entities) > 0 {
		text, err := json.Marshal(entities)
		if err != nil {
			panic(err) // of our own making
		}
		b.Write(text)
	}
	return b.String()
}
