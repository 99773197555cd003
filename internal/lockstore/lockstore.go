// Package lockstore defines how messages of one conversation are put in line.
package lockstore

import (
	"context"
	"errors"
)

// ErrQueueFull is returned by Lock when too many messages of one conversation
// are waiting already.
var ErrQueueFull = errors.New("too many messages are waiting in this conversation")

// ErrClosed is returned by Lock once the store is closed, to waiters as well.
var ErrClosed = errors.New("lock store is closed")

// Store hands out locks, one holder per conversation at a time.
//
// It is safe for concurrent use. Waiters get the lock in the order in which they
// asked for it. A waiter whose context ends leaves the line and gets the
// context's error.
type Store interface {
	// Lock waits for the conversation and returns the function that releases it,
	// which may be called more than once. Locks of different conversations are
	// independent.
	Lock(ctx context.Context, conversationID string) (unlock func(), err error)

	// Close ends the store; waiters get ErrClosed. Locks that are held stay valid.
	Close() error
}
