package httpapi

import (
	"context"
	"errors"
	"net/http"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/evaluate"
	"github.com/loquat-dev/loquat/internal/httpio"
)

// StoryPlayer plays stories in YAML with the running model. What is wrong with the
// stories comes back as diag.Problems.
type StoryPlayer func(ctx context.Context, stories []byte, endToEnd bool) (*evaluate.StoryTests, error)

// testStories serves POST /model/test/stories: test stories as YAML, and which
// actions the model chooses in them. One test runs at a time, others wait.
func (s *Server) testStories(w http.ResponseWriter, r *http.Request, _ Assistant) {
	body, err := httpio.ReadBody(w, r, maxBody)
	if bad, ok := errors.AsType[*httpio.BadRequest](err); ok {
		httpio.Refuse(w, r, bad)
		return
	}
	if len(body) == 0 {
		s.badRequest(w, "You must provide some stories in the request body in order to evaluate your model.")
		return
	}
	if !s.enterTest(w) {
		return
	}
	defer s.tests.leave()
	done, err := s.tests.wait(r.Context())
	if err != nil {
		s.write(w, r, s.failed(r.Context(), err))
		return
	}
	defer done()
	tests, err := s.settings.PlayStories(r.Context(), body, truthful(r.URL.Query().Get("e2e")))
	switch {
	case err == nil:
		httpio.WriteJSON(w, http.StatusOK, tests.Summary())
	case diag.Of(err) != nil:
		s.badRequest(w, "The request body does not contain valid stories. Error: "+err.Error())
	default:
		s.write(w, r, s.failed(r.Context(), err))
	}
}
