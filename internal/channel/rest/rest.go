// Package rest is the channel for programs: a message comes in as a POST with
// JSON, and the answer has everything that the assistant says, at once or as a
// stream.
package rest

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/loquat-dev/loquat/internal/channel"
	"github.com/loquat-dev/loquat/internal/httpio"
	"github.com/loquat-dev/loquat/internal/tracker"
)

// Bounds, in bytes.
const (
	maxBody   = 4 << 20 // a message with its metadata
	maxSender = 1024    // the name of a conversation, which stores keep at hand
)

// Channel is the channel "rest".
type Channel struct {
	log *slog.Logger
}

// New returns the channel. It has no settings.
func New(log *slog.Logger) *Channel { return &Channel{log: log} }

// Name implements channel.Input.
func (c *Channel) Name() string { return "rest" }

// Routes implements channel.Input.
func (c *Channel) Routes(mux *http.ServeMux, handle channel.Handler) {
	mux.HandleFunc("GET /webhooks/rest", func(w http.ResponseWriter, _ *http.Request) {
		httpio.WriteJSON(w, http.StatusOK, map[string]string{"status": "ok"})
	})
	mux.HandleFunc("POST /webhooks/rest/webhook", func(w http.ResponseWriter, r *http.Request) {
		c.receive(w, r, handle)
	})
}

func (c *Channel) receive(w http.ResponseWriter, r *http.Request, handle channel.Handler) {
	m, err := read(w, r)
	if bad, ok := errors.AsType[*httpio.BadRequest](err); ok {
		httpio.Refuse(w, r, bad)
		return
	}
	if errors.Is(err, errNoObject) {
		httpio.Refuse(w, r, err) // as in Rasa 3.6: status 500
		return
	}
	deliver := c.collect
	if wantsStream(r) {
		deliver = c.stream
	}
	if err != nil {
		// Rasa 3.6 answers a message that it can't take with nothing.
		c.log.ErrorContext(r.Context(), "message can't be taken", "channel", "rest", "err", err)
		handle = func(context.Context, channel.Message) error { return nil }
	}
	deliver(w, r, m, handle)
}

func wantsStream(r *http.Request) bool {
	return r.URL.RawQuery != "" && strings.EqualFold(r.URL.Query().Get("stream"), "true")
}

// collect answers with the list of what was said.
func (c *Channel) collect(w http.ResponseWriter, r *http.Request, m channel.Message, handle channel.Handler) {
	out := channel.NewCollector()
	m.Output = out
	if err := handle(r.Context(), m); err != nil {
		c.refuse(w, r, m, err)
		return
	}
	httpio.WriteEncoded(w, http.StatusOK, tracker.AppendValue(nil, out.Messages()))
}

// refuse says that a turn failed. Rasa 3.6 answers 200 with what was said by
// then; a client would take the turn for done and stored.
func (c *Channel) refuse(w http.ResponseWriter, r *http.Request, m channel.Message, err error) {
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		httpio.Fail(w, r, http.StatusServiceUnavailable, "Response Timeout")
	case errors.Is(err, channel.ErrBusy):
		w.Header().Set("Retry-After", "1")
		httpio.Fail(w, r, http.StatusTooManyRequests, "Too many messages are waiting in this conversation")
	case errors.Is(err, context.Canceled):
		// The client has gone.
	default:
		c.log.ErrorContext(r.Context(), "message was not processed", "conversation_id", m.SenderID, "channel", "rest", "err", err)
		httpio.Refuse(w, r, err)
	}
}

// errNoObject is a body that is JSON but no object, or no body at all.
var errNoObject = errors.New("the body is no JSON object")

// body is what a client sends. The values may be of any type; what is made of
// them follows Rasa 3.6.
type body struct {
	Sender       value `json:"sender"`
	Message      value `json:"message"`
	InputChannel value `json:"input_channel"`
	Metadata     value `json:"metadata"`
}

// value is a JSON value as it was written, empty if it is missing.
type value []byte

// UnmarshalJSON keeps a copy of the text.
func (v *value) UnmarshalJSON(text []byte) error {
	*v = append((*v)[:0], text...)
	return nil
}

func (v value) given() bool { return len(v) > 0 && string(v) != "null" }

// text returns the value if it is a string.
func (v value) text() (string, bool) {
	if len(v) == 0 || v[0] != '"' {
		return "", false
	}
	if inner := v[1 : len(v)-1]; bytes.IndexByte(inner, '\\') < 0 && utf8.Valid(inner) {
		return string(inner), true
	}
	var s string
	err := json.Unmarshal(v, &s)
	return s, err == nil
}

// read makes a message of a request.
func read(w http.ResponseWriter, r *http.Request) (channel.Message, error) {
	var b *body // stays nil for null
	err := httpio.ReadJSON(w, r, maxBody, &b)
	if _, ok := errors.AsType[*json.UnmarshalTypeError](err); ok || errors.Is(err, io.EOF) || err == nil && b == nil {
		return channel.Message{}, errNoObject
	}
	if err != nil {
		return channel.Message{}, err
	}
	m := channel.Message{Channel: "rest", MessageID: channel.NewMessageID()}
	if len(b.Sender) > maxSender {
		return m, &httpio.BadRequest{Status: http.StatusBadRequest, Message: "The sender's name is too long"}
	}
	if m.SenderID, err = sender(b.Sender); err != nil {
		return m, err
	}
	if m.Text, m.HasText = b.Message.text(); !m.HasText {
		return m, errors.New("\"message\" is no string")
	}
	m.Text = strings.TrimSpace(m.Text)
	if b.InputChannel.given() {
		var ok bool
		if m.Channel, ok = b.InputChannel.text(); !ok {
			return m, errors.New("\"input_channel\" is no string")
		}
	}
	if b.Metadata.given() {
		object, _ := tracker.DecodeValue(b.Metadata) // keeps whole numbers whole
		var ok bool
		if m.Metadata, ok = object.(map[string]any); !ok {
			return m, errors.New("\"metadata\" is no object")
		}
	}
	return m, nil
}

// sender reads the name of the conversation: a string, or a number as it is
// written. Without one it is "default".
func sender(v value) (string, error) {
	if !v.given() {
		return "default", nil
	}
	if s, ok := v.text(); ok {
		return cmp.Or(s, "default"), nil
	}
	if c := v[0]; c == '-' || c >= '0' && c <= '9' {
		return string(v), nil
	}
	return "", errors.New("\"sender\" is no string")
}
