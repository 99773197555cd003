package actiongrpc

import (
	"encoding/json"
	"fmt"

	"google.golang.org/protobuf/types/known/structpb"

	"github.com/loquat-dev/loquat/actionsdk"
	"github.com/loquat-dev/loquat/internal/actionpb"
)

// callFrom reads a request. It takes the way of JSON, so that everything is read
// as it is over HTTP.
func callFrom(r *actionpb.WebhookRequest) (actionsdk.Call, error) {
	t := r.GetTracker()
	tracker := map[string]any{
		"sender_id": t.GetSenderId(), "slots": t.GetSlots().AsMap(), "latest_message": t.GetLatestMessage().AsMap(), "events": maps(t.GetEvents()),
		"paused": t.GetPaused(), "followup_action": t.GetFollowupAction(), "active_loop": t.GetActiveLoop(),
		"latest_action_name": t.GetLatestActionName(), "stack": maps(t.GetStack()), "user_id": t.GetUserId(),
	}
	request := map[string]any{
		"next_action": r.GetNextAction(), "sender_id": r.GetSenderId(), "tracker": tracker, "version": r.GetVersion(), "domain_digest": r.GetDomainDigest(),
	}
	if d := r.GetDomain(); d != nil {
		request["domain"] = domain(d)
	}
	data, err := json.Marshal(request)
	if err != nil {
		return actionsdk.Call{}, fmt.Errorf("read request: %w", err)
	}
	return actionsdk.ParseCall(data)
}

// domain is the domain in the shape that it has over HTTP.
func domain(d *actionpb.Domain) map[string]any {
	object := map[string]any{
		"config": d.GetConfig().AsMap(), "session_config": d.GetSessionConfig().AsMap(), "slots": d.GetSlots().AsMap(),
		"responses": d.GetResponses().AsMap(), "forms": d.GetForms().AsMap(), "e2e_actions": maps(d.GetE2EActions()),
	}
	var intents, entities, actions []any
	for _, x := range d.GetIntents() {
		intents = append(intents, either(x))
	}
	for _, x := range d.GetEntities() {
		entities = append(entities, either(x))
	}
	for _, x := range d.GetActions() {
		actions = append(actions, either(x))
	}
	object["intents"], object["entities"], object["actions"] = intents, entities, actions
	return object
}

func either(x interface {
	GetStringValue() string
	GetDictValue() *structpb.Struct
}) any {
	if x.GetDictValue() != nil {
		return x.GetDictValue().AsMap()
	}
	return x.GetStringValue()
}

func maps(structs []*structpb.Struct) []map[string]any {
	out := make([]map[string]any, len(structs))
	for i, s := range structs {
		out[i] = s.AsMap()
	}
	return out
}

// responseFrom makes the answer, by the way of JSON as well: values of actions may
// be of any type that has one.
func responseFrom(r *actionsdk.Reply) (*actionpb.WebhookResponse, error) {
	response := &actionpb.WebhookResponse{}
	for _, e := range r.Events {
		s, err := message(actionsdk.EventObject(e))
		if err != nil {
			return nil, fmt.Errorf("event %q: %w", e.Type(), err)
		}
		response.Events = append(response.Events, s)
	}
	for i, u := range r.Responses {
		s, err := message(actionsdk.ResponseObject(u))
		if err != nil {
			return nil, fmt.Errorf("responses[%d]: %w", i, err)
		}
		response.Responses = append(response.Responses, s)
	}
	return response, nil
}

func message(object map[string]any) (*structpb.Struct, error) {
	data, err := json.Marshal(object)
	if err != nil {
		return nil, err
	}
	s := &structpb.Struct{}
	return s, s.UnmarshalJSON(data)
}
