package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/loquat-dev/loquat/internal/channel"
	"github.com/loquat-dev/loquat/internal/httpio"
	"github.com/loquat-dev/loquat/internal/tracker"
)

// appendEvents serves POST /conversations/{id}/tracker/events.
func (s *Server) appendEvents(w http.ResponseWriter, r *http.Request, a Assistant, id string) {
	var effects channel.Output
	if truthful(r.URL.Query().Get("execute_side_effects")) {
		out := s.output(r)
		defer out.Messages() // what reminders say later is for nobody
		effects = out
	}
	s.changeEvents(w, r, id, func(ctx context.Context, events []tracker.Event) (*tracker.Tracker, error) {
		return a.AppendEvents(ctx, id, events, effects)
	})
}

// replaceEvents serves PUT /conversations/{id}/tracker/events.
func (s *Server) replaceEvents(w http.ResponseWriter, r *http.Request, a Assistant, id string) {
	s.changeEvents(w, r, id, func(ctx context.Context, events []tracker.Event) (*tracker.Tracker, error) {
		return a.ReplaceEvents(ctx, id, events)
	})
}

func (s *Server) changeEvents(w http.ResponseWriter, r *http.Request, id string, change func(context.Context, []tracker.Event) (*tracker.Tracker, error)) {
	verbosity, ok := s.verbosity(w, r)
	if !ok {
		return
	}
	events, ok := s.readEvents(w, r)
	if !ok {
		return
	}
	t, err := change(r.Context(), events)
	if err != nil {
		s.conversationError(w, r, id, err)
		return
	}
	httpio.WriteEncoded(w, http.StatusOK, t.AppendState(nil, verbosity))
}

// readEvents reads one event or a list of them.
func (s *Server) readEvents(w http.ResponseWriter, r *http.Request) ([]tracker.Event, bool) {
	var body json.RawMessage
	err := httpio.ReadJSON(w, r, maxBody, &body)
	if bad, ok := errors.AsType[*httpio.BadRequest](err); ok {
		httpio.Refuse(w, r, bad)
		return nil, false
	}
	var events []tracker.Event
	if err == nil {
		events, err = decodeEvents(body)
	}
	if err == nil && len(events) == 0 && r.Method == http.MethodPost {
		err = errors.New("there is no event")
	}
	if err != nil {
		s.refuse(w, problem{
			Status: http.StatusBadRequest, Reason: "BadRequest",
			Message: "Failed to validate the events format. Error: " + err.Error(),
		})
		return nil, false
	}
	return events, true
}

// decodeEvents reads one event, or a list.
func decodeEvents(data []byte) ([]tracker.Event, error) {
	value, err := tracker.DecodeValue(data)
	if err != nil {
		return nil, err
	}
	list, ok := value.([]any)
	if !ok {
		list = []any{value}
	}
	events := make([]tracker.Event, len(list))
	for i, item := range list {
		object, ok := item.(map[string]any)
		if !ok {
			return nil, fmt.Errorf("element %d is not an object", i)
		}
		if events[i], err = tracker.EventFrom(object); err != nil {
			return nil, fmt.Errorf("element %d: %w", i, err)
		}
		if err := checkUser(events[i]); err != nil {
			return nil, fmt.Errorf("element %d: %w", i, err)
		}
	}
	return events, nil
}

// checkUser demands more of a user's message from outside than of a stored one:
// its intent must have a name, if there is one at all.
func checkUser(e tracker.Event) error {
	u, ok := e.(*tracker.UserUttered)
	if !ok {
		return nil
	}
	intent, _ := u.ParseData["intent"].(map[string]any)
	if _, named := intent["name"]; named && u.Intent == "" {
		return &tracker.EventError{Event: "user", Field: "parse_data.intent.name", Reason: "is not a string"}
	}
	return nil
}
