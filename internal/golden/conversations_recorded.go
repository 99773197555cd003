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

// load sets the turn that is played next.
func (m *recordedMind) load(t recordedTurn) {
	m.events, m.next = nil, 0
	for _, e := range t.Events {
		if e, ok := e.(map[string]any); ok {
			m.events = append(m.events, e)
		}
	}
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
