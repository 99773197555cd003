package walk

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/loquat-dev/loquat/internal/action"
	"github.com/loquat-dev/loquat/internal/action/webhook"
	"github.com/loquat-dev/loquat/internal/endpoint"
	"github.com/loquat-dev/loquat/internal/tracker"
)

// actionServer answers as servers do that work, fail, lie or are of another
// making. Its answers are read as those that come over HTTP.
type actionServer struct {
	user
	seed      uint64 // of the conversation
	reminders int
	errors    int // answers that were refused
}

// Run implements action.Server. What it draws depends on the conversation alone:
// a reminder may ask it while messages are drawn.
func (s *actionServer) Run(ctx context.Context, name string, t *tracker.Tracker) (action.Reply, error) {
	s.random = newRandom(s.seed, uint64(t.Len()))
	if s.chance(5) && !json.Valid(t.AppendState(nil, tracker.All)) {
		panic("the tracker is no JSON")
	}
	switch n := s.IntN(200); {
	case n < 8:
		return action.Reply{}, &action.RejectedError{Action: name}
	case n < 12:
		return action.Reply{}, errors.New("no answer from the action server")
	case n == 12:
		select { // slower than the turn may take, or than the client waits
		case <-ctx.Done():
		case <-time.After(endpoint.Timeout):
		}
		return action.Reply{}, context.DeadlineExceeded
	}
	reply, err := webhook.ParseReply(s.answer(name, t))
	if err != nil {
		s.errors++
	}
	return reply, err
}

// answer is a body.
func (s *actionServer) answer(name string, t *tracker.Tracker) []byte {
	if s.chance(2) {
		return []byte(pick(s.random, []string{"", "null", "[]", "{", `{"events":null}`, `{"responses":[null]}`, "<html></html>", `{"events":{}}`, "1e999", `{"events":[{}]}`, `{"events":["slot"]}`}))
	}
	var events, responses []any
	if strings.HasPrefix(name, "validate_") || strings.HasSuffix(name, "_slot_mappings") {
		events = s.judge(t)
	}
	for range s.IntN(5) {
		if s.chance(50) {
			events = append(events, s.event())
		}
		if s.chance(25) {
			responses = append(responses, s.response())
		}
	}
	body, err := json.Marshal(map[string]any{"events": s.mostly(orEmpty(events)), "responses": orEmpty(responses)})
	if err != nil {
		panic(err) // of our own making
	}
	return bytes.ReplaceAll(body, []byte(`\u003c`), []byte(`\ud800`)) // half of a character
}

func orEmpty(list []any) []any { return append([]any{}, list...) }

// judge gives back the slots at the end of the tracker as rasa-sdk does, some of
// them refused or changed.
func (s *actionServer) judge(t *tracker.Tracker) (events []any) {
	all := t.Events()
	for i := len(all) - 1; i >= 0; i-- {
		slot, ok := all[i].(*tracker.SlotSet)
		if !ok {
			break
		}
		value := slot.Value
		if s.chance(20) {
			value = nil
		}
		events = append(events, map[string]any{"event": "slot", "name": slot.Name, "value": value})
	}
	if s.chance(10) {
		events = append(events, map[string]any{"event": "slot", "name": "requested_slot", "value": s.mostly(s.slotName())})
	}
	return events
}

func (s *actionServer) slotName() any {
	if s.chance(5) {
		return nil
	}
	return pick(s.random, s.domain.Slots).Name
}

func (s *actionServer) actionName() any {
	if s.chance(5) {
		return s.value(0)
	}
	return pick(s.random, s.domain.ActionNames())
}

// event is one event of any type, in its right shape or another.
func (s *actionServer) event() any {
	kind := pick(s.random, []string{
		"slot", "slot", "slot", "slot", "reset_slots", "followup", "followup", "active_loop", "form", "loop_interrupted", "form_validation",
		"action_execution_rejected", "restart", "session_started", "rewind", "undo", "pause", "resume", "resume", "resume", "bot", "user", "action",
		"entities", "user_featurization", "reminder", "cancel_reminder", "agent", "export", "teleport", "session_ended",
	})
	e := map[string]any{"event": s.mostly(kind)}
	set := func(key string, value any) {
		if !s.chance(3) {
			e[key] = s.mostly(value)
		}
	}
	switch kind {
	case "slot":
		set("name", s.slotName())
		set("value", s.value(0))
	case "followup", "action", "action_execution_rejected":
		set("name", s.actionName())
		set("policy", "policy_1_MemoizationPolicy")
		set("confidence", s.scalar())
		set("action_text", nil)
	case "active_loop", "form":
		set("name", s.loopName())
	case "loop_interrupted":
		set("is_interrupted", s.chance(50))
	case "form_validation":
		set("validate", s.chance(50))
	case "bot":
		set("text", pick(s.random, texts))
		set("data", map[string]any{"buttons": s.value(0), "custom": s.value(0)})
	case "user":
		set("text", pick(s.random, texts))
		set("parse_data", map[string]any{"intent": map[string]any{"name": s.anyIntent(), "confidence": s.scalar()}, "entities": s.entityList()})
		set("input_channel", pick(s.random, texts))
	case "entities":
		set("entities", s.entityList())
	case "user_featurization":
		set("use_text_for_featurization", s.chance(50))
	case "reminder":
		s.reminders++ // no two of them at one time, so that a walk can be repeated
		when := time.Now().Add(time.Duration(s.IntN(90))*time.Minute + time.Duration(s.reminders)*time.Millisecond)
		set("date_time", when.Format("2006-01-02T15:04:05.000000"))
		set("intent", s.anyIntent())
		set("entities", pick(s.random, []any{nil, s.entityList(), s.entities(1)}))
		set("kill_on_user_msg", s.chance(30))
		e["name"] = fmt.Sprint("reminder ", s.IntN(3))
	case "cancel_reminder":
		set("name", fmt.Sprint("reminder ", s.IntN(3)))
	case "agent":
		set("text", pick(s.random, texts))
		set("data", s.value(0))
	}
	if s.chance(10) {
		set("timestamp", s.scalar())
		set("metadata", map[string]any{pick(s.random, texts): s.value(0), "model_id": s.value(0)})
	}
	return e
}

func (s *actionServer) loopName() any {
	if len(s.domain.Forms) == 0 || s.chance(40) {
		return nil
	}
	return pick(s.random, s.domain.Forms).Name
}

func (s *actionServer) entityList() any {
	list := []any{}
	for range s.IntN(3) {
		if len(s.domain.Entities) > 0 {
			list = append(list, map[string]any{"entity": pick(s.random, s.domain.Entities).Name, "value": s.value(0), "role": pick(s.random, []any{nil, "to", "from"})})
		}
	}
	return s.mostly(list)
}

// response is something to say.
func (s *actionServer) response() any {
	r := map[string]any{}
	for _, field := range []struct {
		key   string
		value any
	}{
		{"text", pick(s.random, texts)},
		{"response", pick(s.random, append(s.responses(), "utter_nobody"))},
		{"image", "https://example.com/x.png"},
		{"attachment", s.value(0)},
		{"custom", s.value(0)},
		{"elements", []any{map[string]any{"title": s.scalar()}}},
		{"buttons", []any{map[string]any{"title": s.scalar(), "payload": "/x"}}},
		{pick(s.random, texts), s.value(0)},
	} {
		if s.chance(40) {
			r[field.key] = s.mostly(field.value)
		}
	}
	return r
}

// responses are the names of the domain's responses, in order.
func (u user) responses() []string { return slices.Sorted(maps.Keys(u.domain.Responses)) }
