package httpapi

import (
	"net/http"
	"strings"

	"github.com/loquat-dev/loquat/internal/httpio"
	"github.com/loquat-dev/loquat/internal/yamlfile"
)

// domain serves GET /domain, as JSON or as YAML. As in Rasa the end of the Accept
// header decides; one that takes anything gets JSON, where Rasa answers 406.
func (s *Server) domain(w http.ResponseWriter, r *http.Request, a Assistant) {
	accept := strings.TrimSpace(r.Header.Get("Accept"))
	var data []byte
	var err error
	d := a.ModelDomain()
	switch {
	case accept == "", strings.HasSuffix(accept, "json"), strings.HasSuffix(accept, "*/*"):
		if data, err = d.MarshalJSON(); err == nil {
			httpio.WriteEncoded(w, http.StatusOK, data)
		}
	case strings.HasSuffix(accept, "yml"), strings.HasSuffix(accept, "yaml"):
		w.Header().Set("Content-Type", "application/x-yaml")
		w.Write(yamlfile.File(d.AsDict().YAML(0)))
	default:
		s.refuse(w, problem{
			Status: http.StatusNotAcceptable, Reason: "NotAcceptable",
			Message: `The domain can be had as JSON ("Accept: application/json") or as YAML ("Accept: application/x-yaml").`,
		})
	}
	if err != nil {
		s.log.ErrorContext(r.Context(), "domain can't be written", "err", err)
		s.refuse(w, problem{Status: http.StatusInternalServerError, Reason: "UnexpectedError", Message: "An unexpected error occurred; the server's log has the details."})
	}
}
