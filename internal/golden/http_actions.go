package golden

import (
	"encoding/json"
	"io"
	"net/http"
	"sync"
	"time"
)

// actionServer answers as the recorded one did: each action always gives the
// same answer.
type actionServer struct {
	answers map[string]actionCall

	mu    sync.Mutex
	delay time.Duration
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

// setDelay makes every later answer late.
func (s *actionServer) setDelay(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.delay = d
}

func (s *actionServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var call actionCall
	body, err := io.ReadAll(r.Body)
	if err == nil {
		err = json.Unmarshal(body, &call)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	delay := s.delay
	s.mu.Unlock()
	select {
	case <-time.After(delay):
	case <-r.Context().Done():
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
