package golden

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/loquat-dev/loquat/internal/httpio"
)

// actionServer answers as the recorded one did: each action always gives the
// same answer, but for the one that validates the form.
type actionServer struct {
	answers map[string]actionCall

	mu     sync.Mutex
	delay  time.Duration
	script []byte // the answer to everything, if set
}

// newActionServer collects the answers from recordings.
func newActionServer(files []*httpFile) *actionServer {
	s := &actionServer{answers: make(map[string]actionCall)}
	for _, f := range files {
		for _, e := range f.Exchanges {
			for _, call := range e.ActionCalls {
				if _, known := s.answers[call.NextAction]; !known {
					s.answers[call.NextAction] = call
				}
			}
		}
	}
	return s
}

// say makes every later answer the same, "" the recorded ones again.
func (s *actionServer) say(answer string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.script = nil
	if answer != "" {
		s.script = []byte(answer)
	}
}

// setDelay makes every later answer late.
func (s *actionServer) setDelay(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.delay = d
}

func (s *actionServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var call struct {
		NextAction string `json:"next_action"`
		Tracker    struct{ Events []formEvent }
	}
	body, err := io.ReadAll(r.Body)
	if err == nil {
		err = json.Unmarshal(body, &call)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	delay, script := s.delay, s.script
	s.mu.Unlock()
	select {
	case <-time.After(delay):
	case <-r.Context().Done():
		return
	}
	if script != nil {
		httpio.WriteEncoded(w, http.StatusOK, script)
		return
	}
	if call.NextAction == "validate_booking_form" {
		httpio.WriteJSON(w, http.StatusOK, validateBooking(call.Tracker.Events))
		return
	}
	answer, known := s.answers[call.NextAction]
	if !known {
		http.Error(w, "no recording of "+call.NextAction, http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(answer.Answer.Status)
	w.Write(answer.Answer.JSON)
}

// formEvent is what the validation of the form looks at in an event.
type formEvent struct {
	Event string `json:"event"`
	Name  string `json:"name"`
	Value any    `json:"value"`
}

// validateBooking does what validate_booking_form of the recorded project does
// with the slots that were set last.
func validateBooking(events []formEvent) map[string]any {
	first := len(events)
	for first > 0 && events[first-1].Event == "slot" {
		first--
	}
	slots, responses := []any{}, []any{}
	for _, e := range events[first:] {
		value, complaint := e.Value, ""
		switch e.Name {
		case "cuisine":
			if name, _ := value.(string); !slices.Contains([]string{"italian", "thai", "mexican"}, name) {
				complaint = "We have no " + name + " kitchen."
			}
		case "people":
			n, err := strconv.Atoi(fmt.Sprint(value))
			if value = n; err != nil || n > 20 {
				complaint = "Too many people."
			}
		default:
			continue
		}
		if complaint != "" {
			value = nil
			responses = append(responses, map[string]any{"text": complaint})
		}
		slots = append(slots, map[string]any{"event": "slot", "timestamp": nil, "name": e.Name, "value": value})
	}
	return map[string]any{"events": slots, "responses": responses}
}
