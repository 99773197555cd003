package rest

import (
	"errors"
	"net/http"
	"sync"

	"github.com/loquat-dev/loquat/internal/channel"
	"github.com/loquat-dev/loquat/internal/httpio"
)

// stream answers with one line of JSON for each message, as it is said.
func (c *Channel) stream(w http.ResponseWriter, r *http.Request, m channel.Message, handle channel.Handler) {
	s := &stream{w: w, control: http.NewResponseController(w)}
	m.Output = channel.NewStream(s.send)
	err := handle(r.Context(), m)
	sent := s.end()
	switch {
	case err == nil:
		s.start()
	case !sent:
		c.refuse(w, r, m, err)
	default:
		c.log.ErrorContext(r.Context(), "message was processed in part", "conversation_id", m.SenderID, "channel", "rest", "err", err)
		panic(http.ErrAbortHandler) // cuts the answer short, so that the client notices
	}
}

// stream writes messages until it is ended. What is said later, by a reminder,
// has nowhere to go.
type stream struct {
	mu      sync.Mutex
	w       http.ResponseWriter
	control *http.ResponseController
	started bool
	ended   bool
	err     error
}

func (s *stream) start() {
	if !s.started {
		s.started = true
		s.w.Header().Set("Content-Type", "text/event-stream") // Rasa's; the lines are plain JSON
		s.w.WriteHeader(http.StatusOK)
	}
}

func (s *stream) send(message map[string]any) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return channel.ErrGone
	}
	if s.err == nil {
		s.start()
		s.err = errors.Join(httpio.Encode(s.w, message), s.control.Flush())
	}
	return s.err
}

// end closes the stream and reports whether anything was sent.
func (s *stream) end() (sent bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	return s.started
}
