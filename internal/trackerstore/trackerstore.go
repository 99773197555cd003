// Package trackerstore defines how conversations are kept between messages.
package trackerstore

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/loquat-dev/loquat/internal/domain"
	"github.com/loquat-dev/loquat/internal/tracker"
)

// ErrNotFound is returned by Retrieve for a conversation that was never saved.
var ErrNotFound = errors.New("conversation not found")

// Store keeps one tracker per conversation. A conversation without events is not
// kept.
//
// The caller owns every tracker it gets back and may change it freely; a store
// that keeps trackers in memory hands out copies. Methods are safe for
// concurrent use. Ordering between messages of one conversation is the lock
// store's business, not the tracker store's.
type Store interface {
	// Retrieve returns the tracker with all its events, over all sessions, in the
	// order they were saved, or ErrNotFound. Its events count as saved.
	Retrieve(ctx context.Context, conversationID string) (*tracker.Tracker, error)

	// Save appends the tracker's unsaved events and marks them as saved. When it
	// returns an error, the stored conversation is as it was before the call and
	// the events still count as unsaved.
	Save(ctx context.Context, t *tracker.Tracker) error

	// Replace puts the tracker's events in the place of all stored ones, in one
	// step: on error the stored conversation is as it was.
	Replace(ctx context.Context, t *tracker.Tracker) error

	// ConversationIDs yields the identifiers of all conversations, in no
	// particular order.
	ConversationIDs(ctx context.Context) iter.Seq2[string, error]

	// UseDomain makes trackers that are retrieved from now on have the slots of d.
	UseDomain(d *domain.Domain)

	// Close releases what the store holds. No method may be called afterwards.
	Close() error
}

// ReminderFinder is what a store that outlives the process does besides: it
// finds the conversations in which reminders may be open.
type ReminderFinder interface {
	// WithReminders yields, once each, the conversations that have a reminder for
	// oldest or later, and maybe some others.
	WithReminders(ctx context.Context, oldest time.Time) iter.Seq2[string, error]
}
