package golden

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/loquat-dev/loquat/internal/action"
	"github.com/loquat-dev/loquat/internal/dialogue"
	"github.com/loquat-dev/loquat/internal/nlu"
	"github.com/loquat-dev/loquat/internal/tracker"
)

// recordedMind understands and predicts what was recorded, so that the rest of a
// turn can be compared without training anything.
type recordedMind struct {
	events []map[string]any // of the turn
	next   int              // first event that no prediction has used
}

// Parse implements conversation.Interpreter.
func (m *recordedMind) Parse(_ context.Context, message *nlu.Message) error {
	for _, e := range m.events {
		if e["event"] != "user" || e["text"] != message.Values[nlu.Text] {
			continue
		}
		parse, _ := e["parse_data"].(map[string]any)
		intent, _ := parse["intent"].(map[string]any)
		message.Intent = &nlu.Intent{Confidence: float(intent["confidence"])}
		message.Intent.Name, _ = intent["name"].(string)
		entities, _ := parse["entities"].([]any)
		for _, x := range entities {
			message.Entities = append(message.Entities, entity(x.(map[string]any)))
		}
		return nil
	}
	return fmt.Errorf("no recorded message %q", message.Values[nlu.Text])
}

func entity(m map[string]any) nlu.Entity {
	e := nlu.Entity{Extra: map[string]any{}, Start: int(float(m["start"])), End: int(float(m["end"])), Value: plainNumbers(m["value"])}
	for k, v := range m {
		s, _ := v.(string)
		switch k {
		case "entity":
			e.Entity = s
		case "role":
			e.Role = s
		case "group":
			e.Group = s
		case "extractor":
			e.Extractor = s
		case "start", "end", "value":
		default:
			e.Extra[k] = plainNumbers(v)
		}
	}
	return e
}

// plainNumbers turns json.Number into int64 and float64.
func plainNumbers(v any) any {
	data, err := json.Marshal(v)
	if err != nil {
		return nil
	}
	out, err := tracker.DecodeValue(data)
	if err != nil {
		return nil
	}
	return out
}

func float(v any) float64 {
	if f, ok := v.(float64); ok {
		return f
	}
	n, _ := v.(json.Number)
	f, _ := n.Float64()
	return f
}

// Predict implements conversation.Predictor.
func (m *recordedMind) Predict(_ context.Context, s dialogue.Situation) (*dialogue.Prediction, error) {
	p := &dialogue.Prediction{Probabilities: make([]float64, len(s.Domain.ActionNames()))}
	for ; m.next < len(m.events); m.next++ {
		e := m.events[m.next]
		if e["event"] == "loop_interrupted" {
			p.Events = append(p.Events, &tracker.LoopInterrupted{Interrupted: e["is_interrupted"] == true})
		}
		policy, _ := e["policy"].(string)
		if e["event"] != "action" && e["event"] != "action_execution_rejected" || policy == "" || policy == "followup_action" {
			continue
		}
		m.next++
		name, _ := e["name"].(string)
		if name == "" {
			name, _ = e["action_text"].(string)
			p.EndToEnd = true
		}
		i, ok := s.Domain.ActionIndex(name)
		if !ok {
			return nil, fmt.Errorf("recorded action %q is not in the domain", name)
		}
		p.Probabilities[i] = float(e["confidence"])
		p.Policy = policy
		p.HideRuleTurn = e["hide_rule_turn"] == true
		if s.Tracker.LatestActionName() == action.Listen {
			p.Events = append(p.Events, &tracker.UserFeaturization{UseText: m.useText()})
		}
		return p, nil
	}
	return nil, fmt.Errorf("no further prediction was recorded")
}

// useText tells how the recorded prediction that follows was made.
func (m *recordedMind) useText() bool {
	for i := m.next - 1; i >= 0; i-- {
		if m.events[i]["event"] == "user_featurization" {
			return m.events[i]["use_text_for_featurization"] == true
		}
	}
	return false
}

// scriptedMind is a recordedMind for conversations whose parses are not
// recorded, and whose first prediction is known.
type scriptedMind struct {
	recordedMind
	first string // the first action of the turn
}

// answers are what Rasa understood in the messages of golden/http/action_server,
// and the action that follows.
var answers = map[string]struct {
	intent, action string
}{
	"reject": {"call_reject", "action_reject"}, "book a table": {"book_table", "booking_form"}, "thai": {"inform", "booking_form"},
}

// Parse implements conversation.Interpreter.
func (m *scriptedMind) Parse(_ context.Context, message *nlu.Message) error {
	text := message.Values[nlu.Text]
	answer, ok := answers[text]
	if !ok {
		return fmt.Errorf("no recorded message %q", text)
	}
	m.first = answer.action
	message.Intent = &nlu.Intent{Name: answer.intent, Confidence: 1}
	if text == "thai" {
		message.Entities = []nlu.Entity{{Entity: "cuisine", Value: text, End: len(text), Extractor: "RegexEntityExtractor"}}
	}
	return nil
}

// Predict implements conversation.Predictor.
func (m *scriptedMind) Predict(ctx context.Context, s dialogue.Situation) (*dialogue.Prediction, error) {
	if m.first == "" {
		return m.recordedMind.Predict(ctx, s)
	}
	name := m.first
	m.first = ""
	recorded := m.recordedMind
	if p, err := m.recordedMind.Predict(ctx, s); err == nil {
		if best, _ := p.Best(); s.Domain.ActionNames()[best] == name {
			return p, nil
		}
	}
	m.recordedMind = recorded // the action returned its own rejection
	p := &dialogue.Prediction{Policy: "RulePolicy", HideRuleTurn: true, Probabilities: make([]float64, len(s.Domain.ActionNames()))}
	if i, ok := s.Domain.ActionIndex(name); ok {
		p.Probabilities[i] = 1
	}
	p.Events = []tracker.Event{&tracker.UserFeaturization{}}
	return p, nil
}

// startForm predicts the booking form, then listening.
func (m *scriptedMind) startForm() {
	one := json.Number("1")
	m.follow([]map[string]any{
		{"event": "action", "name": "booking_form", "policy": "RulePolicy", "confidence": one, "hide_rule_turn": true},
		{"event": "action", "name": action.Listen, "policy": "RulePolicy", "confidence": one, "hide_rule_turn": true},
	})
}

// follow predicts what is in recorded events.
func (m *scriptedMind) follow(events []map[string]any) { m.events, m.next = events, 0 }
