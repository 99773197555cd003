package httpapi

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/loquat-dev/loquat/internal/httpio"
	"github.com/loquat-dev/loquat/internal/version"
)

func (s *Server) root(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	fmt.Fprintf(w, "Hello from Rasa: %s", version.Rasa)
}

func (s *Server) version(w http.ResponseWriter, _ *http.Request) {
	httpio.WriteJSON(w, http.StatusOK, map[string]string{"version": version.Rasa, "minimum_compatible_version": version.Rasa})
}

func (s *Server) status(w http.ResponseWriter, _ *http.Request, a Assistant) {
	file, id := a.Status()
	httpio.WriteJSON(w, http.StatusOK, map[string]any{"model_file": file, "model_id": id, "num_active_training_jobs": s.trainings.jobs.Load()})
}

// healthz says that the process answers.
func (s *Server) healthz(w http.ResponseWriter, _ *http.Request) {
	httpio.WriteJSON(w, http.StatusOK, map[string]string{"status": "ok"})
}

// Check reports whether something that turns need can be used.
type Check func(ctx context.Context) error

// checkTime bounds all checks of GET /readyz together.
const checkTime = 3 * time.Second

// readyz says whether messages can be answered: there is a model, everything
// that a turn needs can be used, and the server is not shutting down. The
// errors themselves are logged only; the route is open to everybody.
func (s *Server) readyz(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), checkTime)
	defer cancel()
	status := http.StatusOK
	parts := make(map[string]string, len(s.settings.Checks)+2)
	note := func(name string, ok bool) {
		parts[name] = "ok"
		if !ok {
			parts[name] = "unavailable"
			status = http.StatusServiceUnavailable
		}
	}
	note("model", s.settings.Host.Assistant() != nil)
	note("accepting", !s.draining.Load())
	for name, check := range s.settings.Checks {
		err := check(ctx)
		note(name, err == nil)
		if err != nil {
			s.log.WarnContext(ctx, "not ready", "part", name, "err", err)
		}
	}
	word := "ready"
	if status != http.StatusOK {
		word = "not ready"
	}
	httpio.WriteJSON(w, status, map[string]any{"status": word, "parts": parts})
}
