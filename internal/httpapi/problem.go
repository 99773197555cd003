package httpapi

import (
	"bytes"
	"net/http"

	"github.com/loquat-dev/loquat/internal/httpio"
	"github.com/loquat-dev/loquat/internal/version"
)

// problem is an error answer of the API, in Rasa's shape.
type problem struct {
	Status  int
	Reason  string // Rasa's name of the kind: "BadRequest", "Conflict" ...
	Message string
	Details map[string]string
}

// parameter is the detail of a problem with one parameter.
func parameter(name, in string) map[string]string {
	return map[string]string{"parameter": name, "in": in}
}

// name takes the name of an action or intent from a body, or refuses.
func (s *Server) name(w http.ResponseWriter, given any, of string) (name string, ok bool) {
	if name, _ = given.(string); name == "" {
		s.refuse(w, problem{
			Status: http.StatusBadRequest, Reason: "BadRequest",
			Message: "Name of the " + of + " not provided in request body.",
			Details: parameter("name", "body"),
		})
	}
	return name, name != ""
}

func (s *Server) refuse(w http.ResponseWriter, p problem) { httpio.WriteJSON(w, p.Status, p.body()) }

// body is what the client gets.
func (p problem) body() map[string]any {
	if p.Details == nil {
		p.Details = map[string]string{}
	}
	return map[string]any{
		"version": version.Rasa,
		"status":  "failure",
		"message": p.Message,
		"reason":  p.Reason,
		"details": p.Details,
		"help":    nil,
		"code":    p.Status,
	}
}

// reader is the same as text, for those who are called back.
func (p problem) reader() *bytes.Buffer {
	var b bytes.Buffer
	_ = httpio.Encode(&b, p.body()) // strings and numbers alone
	return &b
}

func (s *Server) notBuilt(w http.ResponseWriter, what string) {
	s.refuse(w, problem{
		Status: http.StatusNotImplemented, Reason: "NotImplemented",
		Message: what + " is not built yet. docs/compatibility.md lists what is.",
	})
}
