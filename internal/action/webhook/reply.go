package webhook

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/loquat-dev/loquat/internal/action"
	"github.com/loquat-dev/loquat/internal/tracker"
)

// ParseReply reads an answer, {"events": […], "responses": […]}. Both keys may be
// absent; null, an unknown event or a malformed one spoil the whole answer, as in
// Rasa.
func ParseReply(body []byte) (action.Reply, error) {
	v, err := tracker.DecodeValue(body)
	if err != nil {
		return action.Reply{}, fmt.Errorf("not valid JSON: %w", err)
	}
	m, ok := v.(map[string]any)
	if !ok {
		return action.Reply{}, errors.New("not a JSON object")
	}
	return ReplyFrom(m)
}

// ReplyFrom reads a decoded answer.
func ReplyFrom(m map[string]any) (action.Reply, error) {
	events, err := list(m, "events")
	if err != nil {
		return action.Reply{}, err
	}
	responses, err := list(m, "responses")
	if err != nil {
		return action.Reply{}, err
	}
	var reply action.Reply
	for i, object := range events {
		e, err := tracker.EventFrom(object)
		if err != nil {
			return action.Reply{}, fmt.Errorf("events[%d]: %w", i, err)
		}
		reply.Events = append(reply.Events, e)
	}
	for i, r := range responses {
		if err := checkResponse(r); err != nil {
			return action.Reply{}, fmt.Errorf("responses[%d]: %w", i, err)
		}
	}
	reply.Responses = responses
	return reply, nil
}

// checkResponse refuses what no channel could show. Rasa 3.6 loses the whole turn
// over a text that is none.
func checkResponse(r map[string]any) error {
	for _, key := range []string{"text", "response"} {
		if _, ok := r[key].(string); !ok && r[key] != nil {
			return fmt.Errorf("%s is not a string", key)
		}
	}
	for _, key := range []string{"buttons", "quick_replies", "elements"} {
		items, ok := r[key].([]any)
		if !ok && r[key] != nil {
			return fmt.Errorf("%s is not a list", key)
		}
		for i, item := range items {
			if _, ok := item.(map[string]any); !ok {
				return fmt.Errorf("%s[%d] is not an object", key, i)
			}
		}
	}
	return nil
}

func list(m map[string]any, key string) ([]map[string]any, error) {
	v, ok := m[key]
	if !ok {
		return nil, nil
	}
	items, ok := v.([]any)
	if !ok {
		return nil, fmt.Errorf("%s is not a list", key)
	}
	if len(items) > maxEvents {
		return nil, fmt.Errorf("%s has more than %d items", key, maxEvents)
	}
	out := make([]map[string]any, len(items))
	for i, item := range items {
		if out[i], ok = item.(map[string]any); !ok {
			return nil, fmt.Errorf("%s[%d] is not an object", key, i)
		}
	}
	return out, nil
}

// CompressFromEnv reads COMPRESS_ACTION_SERVER_REQUEST.
func CompressFromEnv() bool {
	return strings.EqualFold(os.Getenv("COMPRESS_ACTION_SERVER_REQUEST"), "true")
}
