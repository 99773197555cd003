// Package broker defines how events of conversations are published to others.
package broker

import (
	"context"

	"github.com/loquat-dev/loquat/internal/tracker"
)

// Broker publishes events after they were stored.
//
// It is safe for concurrent use. Events of one conversation are published in the
// order in which they were given. A broker never blocks a turn for long: what it
// can't deliver at once it keeps, within bounds, and drops with a log record
// beyond them.
type Broker interface {
	// Publish hands over events of one conversation. The JSON of each is that of
	// the event with the key "sender_id" added.
	Publish(ctx context.Context, conversationID string, events []tracker.Event) error

	// Close delivers what is still waiting, as long as ctx allows.
	Close(ctx context.Context) error
}
