package httpapi

import (
	"context"
	"errors"
	"maps"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/loquat-dev/loquat/internal/conversation"
	"github.com/loquat-dev/loquat/internal/httpio"
	"github.com/loquat-dev/loquat/internal/lockstore"
	"github.com/loquat-dev/loquat/internal/tracker"
)

const conversationsPrefix = "/conversations/"

// handler serves one method of a resource below /conversations/{id}/.
type handler func(s *Server, w http.ResponseWriter, r *http.Request, a Assistant, conversationID string)

// resources are what there is below /conversations/{id}/, by method. Identifiers
// may contain slashes, so paths are read from their end, and longer suffixes come
// first.
var resources = []struct {
	suffix   string
	handlers map[string]handler
}{
	{"/tracker/events", map[string]handler{http.MethodPost: (*Server).appendEvents, http.MethodPut: (*Server).replaceEvents}},
	{"/tracker", map[string]handler{http.MethodGet: (*Server).getTracker}},
	{"/trigger_intent", map[string]handler{http.MethodPost: (*Server).triggerIntent}},
	{"/story", map[string]handler{http.MethodGet: (*Server).getStory}},
	{"/execute", map[string]handler{http.MethodPost: (*Server).execute}},
	{"/predict", map[string]handler{http.MethodPost: (*Server).predict}},
	{"/messages", map[string]handler{http.MethodPost: (*Server).addMessage}},
}

// conversation serves everything below /conversations/.
func (s *Server) conversation(w http.ResponseWriter, r *http.Request) {
	path := "/" + strings.TrimSuffix(strings.TrimPrefix(r.URL.EscapedPath(), conversationsPrefix), "/")
	for _, resource := range resources {
		escaped, ok := strings.CutSuffix(path, resource.suffix)
		if !ok {
			continue
		}
		handle, known := resource.handlers[r.Method]
		id, err := url.PathUnescape(strings.TrimPrefix(escaped, "/"))
		switch {
		case err != nil:
			s.methodNotAllowed(w, r, nil)
		case !known:
			s.methodNotAllowed(w, r, slices.Sorted(maps.Keys(resource.handlers)))
		default:
			if id == "" {
				id = "default" // as in Rasa
			}
			s.inConversation(w, r, id, handle)
		}
		return
	}
	s.methodNotAllowed(w, r, nil)
}

func (s *Server) inConversation(w http.ResponseWriter, r *http.Request, id string, handle handler) {
	if !s.admit(w, r, id) {
		return
	}
	if a := s.running(w); a != nil {
		handle(s, w, r, a, id)
	}
}

// getTracker serves GET /conversations/{id}/tracker. As in Rasa it starts a
// session if there is none that goes on.
func (s *Server) getTracker(w http.ResponseWriter, r *http.Request, a Assistant, id string) {
	verbosity, ok := s.verbosity(w, r)
	if !ok {
		return
	}
	t, err := a.Tracker(r.Context(), id)
	if err != nil {
		s.conversationError(w, r, id, err)
		return
	}
	httpio.WriteEncoded(w, http.StatusOK, until(r, t).AppendState(nil, verbosity))
}

// until is the conversation at the time that the request asks for. A time that is
// no number counts as none.
func until(r *http.Request, t *tracker.Tracker) *tracker.Tracker {
	if seconds, err := strconv.ParseFloat(r.URL.Query().Get("until"), 64); err == nil && !math.IsNaN(seconds) {
		return t.Until(seconds)
	}
	return t
}

// truthful is how Rasa reads boolean parameters.
func truthful(s string) bool { return strings.EqualFold(s, "true") }

// verbosity reads include_events, or answers that it is wrong.
func (s *Server) verbosity(w http.ResponseWriter, r *http.Request) (tracker.Verbosity, bool) {
	switch strings.ToUpper(r.URL.Query().Get("include_events")) {
	case "NONE":
		return tracker.None, true
	case "APPLIED":
		return tracker.Applied, true
	case "", "AFTER_RESTART":
		return tracker.AfterRestart, true
	case "ALL":
		return tracker.All, true
	}
	s.refuse(w, problem{
		Status: http.StatusBadRequest, Reason: "BadRequest",
		Message: "Invalid parameter value for 'include_events'. Should be one of NONE, APPLIED, AFTER_RESTART, ALL",
		Details: parameter("include_events", "query"),
	})
	return 0, false
}

// conversationError answers an error of processing: what the client can do
// about, and otherwise no details.
func (s *Server) conversationError(w http.ResponseWriter, r *http.Request, id string, err error) {
	switch {
	case errors.Is(err, conversation.ErrUnknownConversation):
		s.refuse(w, problem{Status: http.StatusNotFound, Reason: "Not found", Message: "Conversation ID not found."})
	case errors.Is(err, conversation.ErrUnknownAction), errors.Is(err, conversation.ErrNoPolicies):
		s.refuse(w, problem{Status: http.StatusInternalServerError, Reason: "ConversationError", Message: "An unexpected error occurred. Error: " + err.Error()})
	case errors.Is(err, lockstore.ErrQueueFull):
		w.Header().Set("Retry-After", "1")
		s.refuse(w, problem{Status: http.StatusTooManyRequests, Reason: "ConversationError", Message: "Too many messages are waiting in this conversation."})
	case errors.Is(err, context.DeadlineExceeded):
		s.fail(w, r, http.StatusServiceUnavailable, "Response Timeout")
	default:
		s.log.ErrorContext(r.Context(), "conversation request failed", "conversation_id", id, "path", r.URL.Path, "err", err)
		s.refuse(w, problem{Status: http.StatusInternalServerError, Reason: "ConversationError", Message: "An unexpected error occurred; the server's log has the details."})
	}
}
