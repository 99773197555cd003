package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/loquat-dev/loquat/internal/channel"
	"github.com/loquat-dev/loquat/internal/conversation"
	"github.com/loquat-dev/loquat/internal/httpio"
	"github.com/loquat-dev/loquat/internal/tracker"
)

// triggerIntent serves POST /conversations/{id}/trigger_intent.
func (s *Server) triggerIntent(w http.ResponseWriter, r *http.Request, a Assistant, id string) {
	verbosity, ok := s.verbosity(w, r)
	if !ok {
		return
	}
	var body struct {
		Name     any             `json:"name"`
		Entities json.RawMessage `json:"entities"`
	}
	if err := httpio.ReadJSON(w, r, maxBody, &body); err != nil {
		httpio.Refuse(w, r, err) // nothing, or no object: an internal error in Rasa, too
		return
	}
	name, ok := s.name(w, body.Name, "intent")
	if !ok {
		return
	}
	out := s.output(r)
	t, err := a.TriggerIntent(r.Context(), id, name, entitiesOf(body.Entities), out)
	if errors.Is(err, conversation.ErrUnknownIntent) {
		s.refuse(w, problem{Status: http.StatusNotFound, Reason: "NotFound", Message: fmt.Sprintf("The intent %q does not exist in the domain.", name)})
		return
	}
	if err != nil {
		s.conversationError(w, r, id, err)
		return
	}
	writeSaid(w, t, verbosity, out)
}

// writeSaid answers with a conversation and what the assistant said in it.
func writeSaid(w http.ResponseWriter, t *tracker.Tracker, verbosity tracker.Verbosity, out *channel.Collector) {
	state := append([]byte(`{"tracker":`), t.AppendState(nil, verbosity)...)
	state = append(state, `,"messages":`...)
	state = tracker.AppendValue(state, out.Messages())
	httpio.WriteEncoded(w, http.StatusOK, append(state, '}'))
}

// output takes what the assistant says. No channel that is built can speak to a
// user without a request of the user's, so whatever output_channel names, what is
// said is collected for the answer, as Rasa does for such channels.
func (s *Server) output(r *http.Request) *channel.Collector {
	if name := r.URL.Query().Get("output_channel"); name != "" && name != "latest" && name != "rest" {
		s.log.WarnContext(r.Context(), "output_channel can't speak to users without a request of theirs; the answer has what is said", "channel", name)
	}
	return channel.NewCollector()
}

// entitiesOf reads entities given as a list of objects or as {name: value}, which
// stay in their order.
// Rasa 3.6 takes anything else for none.
func entitiesOf(data json.RawMessage) []tracker.Entity {
	value, err := tracker.DecodeValue(data)
	if err != nil {
		return nil
	}
	var out []tracker.Entity
	switch value := value.(type) {
	case []any:
		for _, item := range value {
			if object, ok := item.(map[string]any); ok {
				out = append(out, object)
			}
		}
	case map[string]any:
		for _, name := range namesInOrder(data) {
			out = append(out, tracker.Entity{"entity": name, "value": value[name]})
		}
	}
	return out
}

// namesInOrder returns the names of a JSON object that is known to be valid, each
// once.
func namesInOrder(data json.RawMessage) (names []string) {
	d := json.NewDecoder(bytes.NewReader(data))
	if _, err := d.Token(); err != nil {
		return nil
	}
	seen := map[string]bool{}
	for d.More() {
		token, err := d.Token()
		name, ok := token.(string)
		var value json.RawMessage
		if err != nil || !ok || d.Decode(&value) != nil {
			return names
		}
		if !seen[name] {
			seen[name] = true
			names = append(names, name)
		}
	}
	return names
}
