package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/loquat-dev/loquat/internal/emulate"
	"github.com/loquat-dev/loquat/internal/httpio"
)

// parse serves POST /model/parse. Rasa 3.6 calls everything that it can't read,
// except an empty body, a ParsingError with status 500; so do we.
func (s *Server) parse(w http.ResponseWriter, r *http.Request, a Assistant) {
	reshape, ok := s.emulation(w, r)
	if !ok {
		return
	}
	var body struct {
		Text      any     `json:"text"`
		MessageID *string `json:"message_id"`
	}
	err := httpio.ReadJSON(w, r, maxBody, &body)
	if errors.Is(err, io.EOF) {
		s.refuse(w, problem{
			Status: http.StatusBadRequest, Reason: "BadRequest",
			Message: "No text message defined in request_body. Add text message to request body in order to obtain the intent and extracted entities.",
		})
		return
	}
	if bad, ok := errors.AsType[*httpio.BadRequest](err); ok && bad.Status != http.StatusBadRequest {
		httpio.Refuse(w, r, bad)
		return
	}
	text, ok := textOf(body.Text, reshape != nil)
	if err == nil && !ok {
		err = errors.New("the body has no \"text\" that is a string")
	}
	if err != nil {
		if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
			err = unfit(wrong)
		}
		s.parsingError(w, err.Error())
		return
	}
	var id string
	if body.MessageID != nil {
		id = *body.MessageID
	}
	parsed, err := a.Parse(r.Context(), text, id)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		s.fail(w, r, http.StatusServiceUnavailable, "Response Timeout")
	case err != nil:
		s.log.ErrorContext(r.Context(), "text can't be parsed", "err", err)
		s.parsingError(w, "An unexpected error occurred; the server's log has the details.")
	case reshape != nil:
		httpio.WriteJSON(w, http.StatusOK, reshape(parsed.ParseResult()))
	default:
		httpio.WriteJSON(w, http.StatusOK, parsed)
	}
}

// unfit says in a client's words what does not fit.
func unfit(e *json.UnmarshalTypeError) error {
	if e.Field == "" {
		return fmt.Errorf("the body is no JSON object: it is of type %s", e.Value)
	}
	return fmt.Errorf("%q is of the wrong type: %s", e.Field, e.Value)
}

// emulation reads emulation_mode: nil for none, or how to reshape a result. It
// answers that the mode is wrong.
func (s *Server) emulation(w http.ResponseWriter, r *http.Request) (reshape func(map[string]any) map[string]any, ok bool) {
	name := r.URL.Query().Get("emulation_mode")
	if name == "" {
		return nil, true
	}
	mode, ok := emulate.ParseMode(name)
	if !ok {
		s.refuse(w, problem{
			Status: http.StatusBadRequest, Reason: "BadRequest",
			Message: "Invalid parameter value for 'emulation_mode'. Should be one of 'WIT', 'LUIS', 'DIALOGFLOW'.",
			Details: parameter("emulation_mode", "query"),
		})
		return nil, false
	}
	return mode.Result, true
}

// textOf reads the text, which emulated services also take as a list of one.
func textOf(value any, emulated bool) (string, bool) {
	if emulated {
		return emulate.Text(value)
	}
	text, ok := value.(string)
	return text, ok
}

func (s *Server) parsingError(w http.ResponseWriter, message string) {
	s.refuse(w, problem{Status: http.StatusInternalServerError, Reason: "ParsingError", Message: message})
}
