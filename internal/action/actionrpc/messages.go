package actionrpc

import (
	"fmt"
	"math"

	"google.golang.org/protobuf/types/known/structpb"

	"github.com/loquat-dev/loquat/internal/action"
	"github.com/loquat-dev/loquat/internal/action/webhook"
	"github.com/loquat-dev/loquat/internal/actionpb"
	"github.com/loquat-dev/loquat/internal/endpoint"
	"github.com/loquat-dev/loquat/internal/tracker"
)

// trackerMessage is the tracker with all its events.
func trackerMessage(t *tracker.Tracker) (*actionpb.Tracker, error) {
	v, err := tracker.DecodeValue(t.AppendState(nil, tracker.All))
	if err != nil {
		return nil, fmt.Errorf("encode tracker: %w", err)
	}
	state := v.(map[string]any) // AppendState writes an object
	m := &converter{}
	out := &actionpb.Tracker{
		SenderId: t.ConversationID, Slots: m.object(state["slots"]), LatestMessage: m.object(state["latest_message"]), Events: m.objects(state["events"]),
		FollowupAction: optional(state["followup_action"]), LatestActionName: optional(state["latest_action_name"]),
	}
	out.Paused, _ = state["paused"].(bool)
	if loop, ok := state["active_loop"].(map[string]any); ok {
		if name, ok := loop["name"].(string); ok { // the other keys are no strings, and the protocol has no place for them
			out.ActiveLoop = map[string]string{"name": name}
		}
	}
	return out, m.err
}

// domainMessage is a domain from its JSON.
func domainMessage(domainJSON []byte) (*actionpb.Domain, error) {
	v, err := tracker.DecodeValue(domainJSON)
	if err != nil {
		return nil, fmt.Errorf("encode domain: %w", err)
	}
	d, _ := v.(map[string]any)
	m := &converter{}
	out := &actionpb.Domain{
		Config: m.object(d["config"]), SessionConfig: m.object(d["session_config"]), Slots: m.object(d["slots"]),
		Responses: m.object(d["responses"]), Forms: m.object(d["forms"]), E2EActions: m.objects(d["e2e_actions"]),
	}
	for _, x := range list(d["intents"]) {
		text, object := m.either(x)
		out.Intents = append(out.Intents, &actionpb.Intent{StringValue: text, DictValue: object})
	}
	for _, x := range list(d["entities"]) {
		text, object := m.either(x)
		out.Entities = append(out.Entities, &actionpb.Entity{StringValue: text, DictValue: object})
	}
	for _, x := range list(d["actions"]) {
		text, object := m.either(x)
		out.Actions = append(out.Actions, &actionpb.Action{StringValue: text, DictValue: object})
	}
	return out, m.err
}

// converter makes messages of plain values and keeps the first error.
type converter struct{ err error }

func (m *converter) object(v any) *structpb.Struct {
	fields, ok := v.(map[string]any)
	if !ok {
		return nil
	}
	s, err := structpb.NewStruct(fields)
	if err != nil && m.err == nil {
		m.err = err
	}
	return s
}

func (m *converter) objects(v any) []*structpb.Struct {
	var out []*structpb.Struct
	for _, x := range list(v) {
		if s := m.object(x); s != nil {
			out = append(out, s)
		}
	}
	return out
}

func (m *converter) either(v any) (string, *structpb.Struct) {
	text, _ := v.(string)
	return text, m.object(v)
}

func list(v any) []any {
	l, _ := v.([]any)
	return l
}

func optional(v any) *string {
	if s, ok := v.(string); ok {
		return &s
	}
	return nil
}

// replyFrom reads an answer, by the rules of answers over HTTP.
func replyFrom(r *actionpb.WebhookResponse) (action.Reply, error) {
	events, err := plainList(r.GetEvents())
	if err != nil {
		return action.Reply{}, err
	}
	responses, err := plainList(r.GetResponses())
	if err != nil {
		return action.Reply{}, err
	}
	return webhook.ReplyFrom(map[string]any{"events": events, "responses": responses})
}

func plainList(structs []*structpb.Struct) ([]any, error) {
	out := make([]any, len(structs))
	for i, s := range structs {
		var err error
		if out[i], err = plain(structpb.NewStructValue(s), 0); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// plain makes plain Go values. Numbers lost on the way whether they were whole;
// those that are count as it, as a slot of 4 came from one of 4 more often than
// from one of 4.0.
func plain(v *structpb.Value, depth int) (any, error) {
	if depth > endpoint.MaxDepth {
		return nil, fmt.Errorf("nested more than %d levels deep", endpoint.MaxDepth)
	}
	switch k := v.GetKind().(type) {
	case *structpb.Value_NumberValue:
		if f := k.NumberValue; f == math.Trunc(f) && math.Abs(f) < 1<<53 {
			return int64(f), nil
		}
		return k.NumberValue, nil
	case *structpb.Value_StringValue:
		return k.StringValue, nil
	case *structpb.Value_BoolValue:
		return k.BoolValue, nil
	case *structpb.Value_ListValue:
		out := make([]any, len(k.ListValue.GetValues()))
		for i, x := range k.ListValue.GetValues() {
			var err error
			if out[i], err = plain(x, depth+1); err != nil {
				return nil, err
			}
		}
		return out, nil
	case *structpb.Value_StructValue:
		out := make(map[string]any, len(k.StructValue.GetFields()))
		for name, x := range k.StructValue.GetFields() {
			var err error
			if out[name], err = plain(x, depth+1); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	return nil, nil
}
