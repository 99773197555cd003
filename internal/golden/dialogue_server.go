package golden

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
)

// scriptedServer is an action server that answers calls in the recorded order.
type scriptedServer struct {
	*httptest.Server

	mu       sync.Mutex
	script   []playedCall
	next     int
	mistakes []string
}

func newScriptedServer() *scriptedServer {
	s := &scriptedServer{}
	s.Server = httptest.NewServer(http.HandlerFunc(s.answer))
	return s
}

// load sets the calls that the next turn makes.
func (s *scriptedServer) load(calls []playedCall) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.script, s.next, s.mistakes = calls, 0, nil
}

// difference tells about calls that were missing, extra, or in another order.
func (s *scriptedServer) difference() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.mistakes) == 0 && s.next < len(s.script) {
		return fmt.Sprintf("call %d of the action server, %s, was not made", s.next, s.script[s.next].Action)
	}
	if len(s.mistakes) > 0 {
		return s.mistakes[0]
	}
	return ""
}

func (s *scriptedServer) answer(w http.ResponseWriter, r *http.Request) {
	var request struct {
		Action string `json:"next_action"`
	}
	body, err := io.ReadAll(r.Body)
	if err == nil {
		err = json.Unmarshal(body, &request)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.next >= len(s.script) || s.script[s.next].Action != request.Action {
		want := "none"
		if s.next < len(s.script) {
			want = s.script[s.next].Action
		}
		s.mistakes = append(s.mistakes, fmt.Sprintf("call %d of the action server is %s, recorded is %s", s.next, request.Action, want))
		http.Error(w, "{}", http.StatusInternalServerError)
		return
	}
	call := s.script[s.next]
	s.next++
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(call.Status)
	w.Write(call.Answer)
}
