package httpapi

import (
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/loquat-dev/loquat/internal/channel"
	"github.com/loquat-dev/loquat/internal/httpio"
	"github.com/loquat-dev/loquat/internal/story"
	"github.com/loquat-dev/loquat/internal/tracker"
)

// execute serves POST /conversations/{id}/execute. The tracker in the answer has
// the events of the action, which Rasa's has not.
func (s *Server) execute(w http.ResponseWriter, r *http.Request, a Assistant, id string) {
	verbosity, ok := s.verbosity(w, r)
	if !ok {
		return
	}
	var body struct {
		Name       any `json:"name"`
		Policy     any `json:"policy"`
		Confidence any `json:"confidence"`
	}
	if err := httpio.ReadJSON(w, r, maxBody, &body); err != nil {
		httpio.Refuse(w, r, err) // nothing, or no object: an internal error in Rasa, too
		return
	}
	name, ok := s.name(w, body.Name, "action")
	if !ok {
		return
	}
	policy, isText := body.Policy.(string)
	confidence, isNumber := body.Confidence.(float64)
	if wrong := wrongType("policy", body.Policy != nil && !isText, "confidence", body.Confidence != nil && !isNumber); wrong != "" {
		s.refuse(w, problem{
			Status: http.StatusBadRequest, Reason: "BadRequest",
			Message: fmt.Sprintf("%q is of the wrong type: a policy is a string, a confidence a number.", wrong),
			Details: parameter(wrong, "body"),
		})
		return
	}
	out := s.output(r)
	t, err := a.Execute(r.Context(), id, name, policy, confidence, out)
	if err != nil {
		s.conversationError(w, r, id, err)
		return
	}
	writeSaid(w, t, verbosity, out)
}

// wrongType returns the first name, of names and verdicts in turn, of which the
// verdict is true.
func wrongType(pairs ...any) string {
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1].(bool) {
			return pairs[i].(string)
		}
	}
	return ""
}

// addMessage serves POST /conversations/{id}/messages.
func (s *Server) addMessage(w http.ResponseWriter, r *http.Request, a Assistant, id string) {
	verbosity, ok := s.verbosity(w, r)
	if !ok {
		return
	}
	var body struct {
		Text      any            `json:"text"`
		Sender    any            `json:"sender"`
		ParseData map[string]any `json:"parse_data"`
	}
	err := httpio.ReadJSON(w, r, maxBody, &body)
	if errors.Is(err, io.EOF) {
		s.refuse(w, problem{
			Status: http.StatusBadRequest, Reason: "BadRequest",
			Message: "No message defined in request body. Add a message to the request body in order to add it to the tracker.",
		})
		return
	}
	if bad, ok := errors.AsType[*httpio.BadRequest](err); ok {
		httpio.Refuse(w, r, bad)
		return
	}
	text, hasText := body.Text.(string)
	var parsed *tracker.UserUttered
	switch {
	case err != nil:
		s.refuse(w, problem{Status: http.StatusBadRequest, Reason: "BadRequest", Message: "The message is not understood: " + err.Error()})
		return
	case body.Sender != "user":
		s.refuse(w, problem{
			Status: http.StatusBadRequest, Reason: "BadRequest",
			Message: fmt.Sprintf("Currently, only user messages can be passed to this endpoint. Messages of sender '%v' cannot be handled.", body.Sender),
			Details: parameter("sender", "body"),
		})
		return
	case !hasText:
		s.refuse(w, problem{
			Status: http.StatusBadRequest, Reason: "BadRequest",
			Message: "The message has no text.", Details: parameter("text", "body"),
		})
		return
	case body.ParseData != nil:
		if parsed, err = parsedMessage(text, body.ParseData); err != nil {
			s.refuse(w, problem{
				Status: http.StatusBadRequest, Reason: "BadRequest",
				Message: "The parse data is not understood: " + err.Error(), Details: parameter("parse_data", "body"),
			})
			return
		}
	}
	m := channel.Message{Text: text, HasText: true, SenderID: id, MessageID: channel.NewMessageID()}
	if parsed != nil {
		parsed.MessageID = m.MessageID
		parsed.ParseData["message_id"], parsed.ParseData["metadata"] = m.MessageID, map[string]any{}
	}
	t, err := a.LogMessage(r.Context(), m, parsed)
	if err != nil {
		s.conversationError(w, r, id, err)
		return
	}
	httpio.WriteEncoded(w, http.StatusOK, t.AppendState(nil, verbosity))
}

// parsedMessage makes the event of a message that was understood elsewhere.
func parsedMessage(text string, data map[string]any) (*tracker.UserUttered, error) {
	if _, ok := data["entities"].([]any); !ok {
		return nil, &tracker.EventError{Event: "user", Field: "parse_data.entities", Reason: "is missing or no list"}
	}
	if _, ok := data["text"]; !ok {
		data["text"] = text
	}
	e, err := tracker.EventFrom(map[string]any{"event": "user", "text": text, "parse_data": data})
	if err != nil {
		return nil, err
	}
	return e.(*tracker.UserUttered), checkUser(e)
}

// getStory serves GET /conversations/{id}/story: the latest session, or all, as
// test stories. Nothing is changed.
func (s *Server) getStory(w http.ResponseWriter, r *http.Request, a Assistant, id string) {
	t, err := a.Stored(r.Context(), id)
	if err != nil {
		s.conversationError(w, r, id, err)
		return
	}
	events := until(r, t).Events()
	sessions := story.Sessions(events)
	if len(events) > 0 && !truthful(r.URL.Query().Get("all_sessions")) {
		sessions = [][]tracker.Event{story.LatestSession(events)}
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Write(story.WriteTest(id, sessions))
}
