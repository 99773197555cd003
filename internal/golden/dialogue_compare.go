package golden

import (
	"encoding/json"

	"github.com/loquat-dev/loquat/internal/tracker"
)

// differs compares two values by their JSON.
func differs(what string, want, got any) string {
	w, err := throughPlainJSON(want)
	if err != nil {
		return err.Error()
	}
	g, err := throughPlainJSON(got)
	if err != nil {
		return err.Error()
	}
	return jsonDifference(what, w, g)
}

func throughPlainJSON(v any) (any, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return decodeJSON(data)
}

// plainEvents gives events as they are recorded: without what changes from run to
// run, and with the parts of a parse and of an utterance that are compared.
func plainEvents(events []tracker.Event) []any {
	out := []any{}
	for _, e := range events {
		v, _ := decodeJSON(tracker.MarshalEvent(e))
		m := v.(map[string]any)
		delete(m, "timestamp")
		delete(m, "message_id")
		if metadata, ok := m["metadata"].(map[string]any); ok {
			delete(metadata, "model_id")
			delete(metadata, "assistant_id")
			if len(metadata) == 0 {
				delete(m, "metadata")
			}
		}
		if parse, ok := m["parse_data"].(map[string]any); ok {
			intent, _ := parse["intent"].(map[string]any)
			delete(intent, "full_retrieval_intent_name")
			m["parse_data"] = map[string]any{"intent": intent, "entities": parse["entities"]}
		}
		if data, ok := m["data"].(map[string]any); ok {
			for k, v := range data {
				if v == nil {
					delete(data, k)
				}
			}
		}
		if m["action_text"] == nil {
			delete(m, "action_text")
		}
		out = append(out, m)
	}
	return out
}

func withoutRecipient(messages []map[string]any) []map[string]any {
	out := make([]map[string]any, len(messages))
	for i, m := range messages {
		out[i] = map[string]any{}
		for k, v := range m {
			if k != "recipient_id" {
				out[i][k] = v
			}
		}
	}
	return out
}

func plainSlots(t *tracker.Tracker) map[string]any {
	out := map[string]any{}
	for k, v := range t.Slots() {
		if k != "session_started_metadata" {
			out[k] = v
		}
	}
	return out
}
