package httpapi

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/loquat-dev/loquat/internal/httpio"
)

// parse serves POST /model/parse. Rasa 3.6 calls everything that it can't read,
// except an empty body, a ParsingError with status 500; so do we.
func (s *Server) parse(w http.ResponseWriter, r *http.Request) {
	mode := strings.ToUpper(r.URL.Query().Get("emulation_mode"))
	switch mode {
	case "":
	case "WIT", "LUIS", "DIALOGFLOW":
		s.notBuilt(w, "emulation_mode="+mode)
		return
	default:
		s.refuse(w, problem{
			Status: http.StatusBadRequest, Reason: "BadRequest",
			Message: "Invalid parameter value for 'emulation_mode'. Should be one of 'WIT', 'LUIS', 'DIALOGFLOW'.",
			Details: parameter("emulation_mode", "query"),
		})
		return
	}
	var body struct {
		Text      *string `json:"text"`
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
	if err != nil {
		s.parsingError(w, err.Error())
		return
	}
	if body.Text == nil {
		s.parsingError(w, "The body has no \"text\".")
		return
	}
	var id string
	if body.MessageID != nil {
		id = *body.MessageID
	}
	parsed, err := s.settings.Assistant.Parse(r.Context(), *body.Text, id)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		s.fail(w, r, http.StatusServiceUnavailable, "Response Timeout")
	case err != nil:
		s.log.ErrorContext(r.Context(), "text can't be parsed", "err", err)
		s.parsingError(w, "An unexpected error occurred; the server's log has the details.")
	default:
		s.answer(w, r, parsed)
	}
}

func (s *Server) parsingError(w http.ResponseWriter, message string) {
	s.refuse(w, problem{Status: http.StatusInternalServerError, Reason: "ParsingError", Message: message})
}
