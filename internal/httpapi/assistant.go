package httpapi

import (
	"context"
	"net/http"

	"github.com/loquat-dev/loquat/internal/channel"
	"github.com/loquat-dev/loquat/internal/conversation"
	"github.com/loquat-dev/loquat/internal/domain"
	"github.com/loquat-dev/loquat/internal/nlu"
	"github.com/loquat-dev/loquat/internal/tracker"
)

// Host keeps the assistant that runs.
type Host interface {
	// Assistant returns the one that runs, or nil.
	Assistant() Assistant

	// Load puts the assistant of a model, or of the newest one in a folder, in the
	// place of the one that runs. Turns that have begun finish with the earlier one.
	// On error everything stays as it was.
	Load(ctx context.Context, model string) error

	// Unload leaves no assistant.
	Unload()
}

// Assistant is what the API and the channels need of a running assistant.
type Assistant interface {
	// HandleMessage processes one message from arrival to reply.
	HandleMessage(ctx context.Context, m channel.Message) error

	// Status names the loaded model.
	Status() (modelFile, modelID string)

	// Tracker returns a conversation, starting a session if there is none that
	// goes on.
	Tracker(ctx context.Context, conversationID string) (*tracker.Tracker, error)

	// Stored returns a conversation as it is, or conversation.ErrUnknownConversation.
	Stored(ctx context.Context, conversationID string) (*tracker.Tracker, error)

	// AppendEvents adds events to a conversation and saves it. A session is
	// started first unless the events begin with one.
	// With an output, their side effects happen.
	AppendEvents(ctx context.Context, conversationID string, events []tracker.Event, effects channel.Output) (*tracker.Tracker, error)

	// ReplaceEvents puts events in the place of a conversation's history.
	ReplaceEvents(ctx context.Context, conversationID string, events []tracker.Event) (*tracker.Tracker, error)

	// TriggerIntent goes on as if the user had expressed an intent. What the
	// assistant says goes to out.
	TriggerIntent(ctx context.Context, conversationID, intent string, entities []tracker.Entity, out channel.Output) (*tracker.Tracker, error)

	// Execute runs one action as if a policy had chosen it. The errors
	// conversation.ErrUnknownConversation and ErrUnknownAction are the client's.
	Execute(ctx context.Context, conversationID, action, policy string, confidence float64, out channel.Output) (*tracker.Tracker, error)

	// LogMessage adds a user's message and fills slots from it. parsed stands for
	// what NLU would make of it, unless it is nil.
	LogMessage(ctx context.Context, m channel.Message, parsed *tracker.UserUttered) (*tracker.Tracker, error)

	// Forecast predicts the next action of a stored conversation, ForecastEvents
	// that of a conversation of these events.
	Forecast(ctx context.Context, conversationID string) (*conversation.Forecast, error)
	ForecastEvents(ctx context.Context, conversationID string, events []tracker.Event) (*conversation.Forecast, error)

	// ModelDomain is what the model was trained with.
	ModelDomain() *domain.Domain

	// Parse is what NLU makes of a text.
	Parse(ctx context.Context, text, messageID string) (*nlu.Message, error)
}

// assistantHandler serves a request with the assistant that runs.
type assistantHandler func(s *Server, w http.ResponseWriter, r *http.Request, a Assistant)

// protected wraps the handler of a route that needs permission and a model.
func (s *Server) protected(handle assistantHandler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.admit(w, r, "") {
			return
		}
		if a := s.running(w); a != nil {
			handle(s, w, r, a)
		}
	})
}

// running is the assistant that runs; without one it answers the request.
func (s *Server) running(w http.ResponseWriter) Assistant {
	a := s.settings.Host.Assistant()
	if a == nil {
		s.refuse(w, problem{
			Status: http.StatusConflict, Reason: "Conflict",
			Message: "No agent loaded. To continue processing, a model of a trained agent needs to be loaded.",
		})
	}
	return a
}
