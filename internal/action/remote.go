package action

import (
	"context"
	"fmt"
	"slices"

	"github.com/loquat-dev/loquat/internal/nlg"
	"github.com/loquat-dev/loquat/internal/pystr"
	"github.com/loquat-dev/loquat/internal/tracker"
)

// Server is an action server.
type Server interface {
	// Run executes a custom action. A *RejectedError means that the action refused
	// to run; any other error that it failed.
	Run(ctx context.Context, action string, t *tracker.Tracker) (Reply, error)
}

// Reply is what an action server answers.
type Reply struct {
	Events    []tracker.Event
	Responses []map[string]any
}

// ExecutorClass is Rasa's name for what runs remote actions; traces have it.
func (r *Runner) ExecutorClass() string {
	if s, ok := r.Server.(interface{ ExecutorClass() string }); ok {
		return s.ExecutorClass()
	}
	return "HTTPCustomActionExecutor"
}

// remote runs an action on the action server.
func (r *Runner) remote(ctx context.Context, name string, s Situation) ([]tracker.Event, error) {
	if r.Server == nil {
		return nil, fmt.Errorf("run action %q: it is a custom action and endpoints.yml has no action_endpoint", name)
	}
	reply, err := r.Server.Run(ctx, name, s.Tracker)
	if err != nil {
		return nil, err
	}
	events, err := r.utterances(ctx, reply.Responses, s)
	if err != nil {
		return nil, err
	}
	return append(events, reply.Events...), nil
}

// utterances makes bot events of an action server's responses. One that names a
// response of the domain starts from it; its buttons are added to, and every
// other key that is set overrides.
func (r *Runner) utterances(ctx context.Context, responses []map[string]any, s Situation) ([]tracker.Event, error) {
	var events []tracker.Event
	for _, given := range responses {
		content := map[string]any{}
		if name, _ := given["response"].(string); name != "" {
			generated, err := r.NLG.Generate(ctx, nlg.Request{Name: name, Tracker: s.Tracker, Channel: s.Channel, Arguments: given})
			if err != nil {
				return nil, fmt.Errorf("generate response %q: %w", name, err)
			}
			if generated == nil {
				continue
			}
			content = generated
			content["utter_action"] = name
		}
		for key, value := range given {
			switch {
			case key == "response":
			case key == "buttons":
				have, _ := content["buttons"].([]any)
				more, _ := value.([]any)
				if len(have)+len(more) > 0 {
					content["buttons"] = append(slices.Clip(have), more...)
				}
			case pystr.Truth(value):
				content[key] = value
			}
		}
		events = append(events, nlg.BotEvent(content))
	}
	return events, nil
}
