// Package channel defines how messages come in from users and go out to them.
package channel

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"net/http"
)

// Message is what a user sent.
type Message struct {
	Text      string // trimmed
	HasText   bool   // false for a null text
	SenderID  string // the conversation; "default" if the user gave none
	Channel   string // name of the channel that it came from; "" is null
	MessageID string // 32 hex digits; made up on arrival if the channel has none
	Metadata  map[string]any
	Output    Output // where answers go
}

// NewMessageID makes up an identifier of 32 hex digits, as Rasa does.
func NewMessageID() string {
	var id [16]byte
	rand.Read(id[:]) // never fails
	return hex.EncodeToString(id[:])
}

// Response is one message of the assistant, as it is rendered: text, buttons,
// image, custom, attachment, elements, quick_replies and metadata as JSON values.
type Response map[string]any

// Output sends an assistant's messages to one user.
type Output interface {
	// Name is the channel's name, for responses that are meant for one channel.
	Name() string
	// Send delivers one message of the assistant to the user.
	Send(ctx context.Context, recipientID string, r Response) error
}

// ErrBusy is returned by a Handler that takes no further message of a
// conversation for now.
var ErrBusy = errors.New("too many messages of this conversation are waiting")

// Handler processes one message from arrival to reply. When it returns nil, the
// turn is stored.
type Handler func(ctx context.Context, m Message) error

// Input is a channel that receives messages over HTTP.
type Input interface {
	// Name is the channel's name in credentials.yml.
	Name() string
	// Routes adds the channel's routes to mux below /webhooks/<name>/.
	Routes(mux *http.ServeMux, handle Handler)
}
