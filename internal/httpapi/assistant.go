package httpapi

import (
	"context"
	"net/http"

	"github.com/loquat-dev/loquat/internal/channel"
	"github.com/loquat-dev/loquat/internal/nlu"
	"github.com/loquat-dev/loquat/internal/tracker"
)

// Assistant is what the API needs of a running assistant.
type Assistant interface {
	// Status names the loaded model.
	Status() (modelFile, modelID string)

	// Tracker returns a conversation, starting a session if there is none that
	// goes on.
	Tracker(ctx context.Context, conversationID string) (*tracker.Tracker, error)

	// AppendEvents adds events to a conversation and saves it. A session is
	// started first unless the events begin with one.
	AppendEvents(ctx context.Context, conversationID string, events []tracker.Event) (*tracker.Tracker, error)

	// ReplaceEvents puts events in the place of a conversation's history.
	ReplaceEvents(ctx context.Context, conversationID string, events []tracker.Event) (*tracker.Tracker, error)

	// TriggerIntent goes on as if the user had expressed an intent. What the
	// assistant says goes to out.
	TriggerIntent(ctx context.Context, conversationID, intent string, entities []tracker.Entity, out channel.Output) (*tracker.Tracker, error)

	// Parse is what NLU makes of a text.
	Parse(ctx context.Context, text, messageID string) (*nlu.Message, error)
}

// protected wraps the handler of a route that needs permission and a model.
func (s *Server) protected(handle func(http.ResponseWriter, *http.Request)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.admit(w, r, "") && s.hasModel(w) {
			handle(w, r)
		}
	})
}

// hasModel answers a request that needs a model when there is none.
func (s *Server) hasModel(w http.ResponseWriter) bool {
	if s.settings.Assistant != nil {
		return true
	}
	s.refuse(w, problem{
		Status: http.StatusConflict, Reason: "Conflict",
		Message: "No agent loaded. To continue processing, a model of a trained agent needs to be loaded.",
	})
	return false
}
