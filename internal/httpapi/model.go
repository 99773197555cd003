package httpapi

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"

	"github.com/loquat-dev/loquat/internal/httpio"
)

// replaceModel serves PUT /model: the model of a file, or the newest in a folder,
// takes the place of the one that runs.
func (s *Server) replaceModel(w http.ResponseWriter, r *http.Request) {
	if !s.admit(w, r, "") {
		return
	}
	var body struct {
		File    any `json:"model_file"`
		Server  any `json:"model_server"`
		Storage any `json:"remote_storage"`
	}
	err := httpio.ReadJSON(w, r, maxBody, &body)
	switch {
	case errors.Is(err, io.EOF):
		s.refuse(w, problem{Status: http.StatusBadRequest, Reason: "BadRequest", Message: "No path to model file defined in request_body."})
		return
	case err != nil:
		if bad, ok := errors.AsType[*httpio.BadRequest](err); ok {
			httpio.Refuse(w, r, bad)
			return
		}
		s.refuse(w, problem{Status: http.StatusBadRequest, Reason: "BadRequest", Message: "The body is no object."})
		return
	case !s.knownSource(w, body.Server, body.Storage):
		return
	}
	file, _ := body.File.(string)
	if file == "" {
		err = errors.New("the body names no model_file")
	} else {
		err = s.settings.Host.Load(r.Context(), file)
	}
	if err != nil {
		s.log.ErrorContext(r.Context(), "model can't be loaded; everything stays as it was", "model", file, "err", err)
		s.refuse(w, problem{
			Status: http.StatusBadRequest, Reason: "BadRequest",
			Message: fmt.Sprintf("Agent with name '%s' could not be loaded. The server's log says why.", file),
			Details: parameter("model", "query"),
		})
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// remoteStorages are those that Rasa knows by name.
var remoteStorages = []string{"aws", "gcs", "azure"}

// knownSource answers a request for a source of models that can't be had.
func (s *Server) knownSource(w http.ResponseWriter, server, storage any) bool {
	if server != nil {
		if _, ok := server.(map[string]any); !ok {
			s.refuse(w, problem{
				Status: http.StatusBadRequest, Reason: "BadRequest",
				Message: "Supplied 'model_server' is not valid: it must be an object with a url.", Details: parameter("model_server", "body"),
			})
			return false
		}
		s.notBuilt(w, "A model server (model_server)")
		return false
	}
	if storage == nil {
		return true
	}
	name, _ := storage.(string)
	if slices.Contains(remoteStorages, name) {
		s.notBuilt(w, fmt.Sprintf("The remote storage %q", name))
		return false
	}
	s.refuse(w, problem{
		Status: http.StatusBadRequest, Reason: "BadRequest",
		Message: fmt.Sprintf("There is no remote storage '%v'. Known are aws, gcs and azure.", storage), Details: parameter("model", "query"),
	})
	return false
}

// deleteModel serves DELETE /model.
func (s *Server) deleteModel(w http.ResponseWriter, r *http.Request) {
	if s.admit(w, r, "") {
		s.settings.Host.Unload()
		w.WriteHeader(http.StatusNoContent)
	}
}
