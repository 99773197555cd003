// Package memlock puts the messages of a conversation in line within one
// process.
//
// Waiters are woken one by one in the order in which they asked; nothing polls
// and nothing expires: a turn keeps its conversation for as long as it runs,
// and the deadline that bounds a turn is set where the message came in. (Rasa
// 3.6 takes the lock away after 60 seconds, and then two turns write to the
// same conversation.)
package memlock

import (
	"context"
	"slices"
	"sync"

	"github.com/loquat-dev/loquat/internal/lockstore"
)

// DefaultMaxWaiting is how many messages may wait in one conversation.
const DefaultMaxWaiting = 100

// Store is a lockstore.Store for one process.
type Store struct {
	maxWaiting int

	mu     sync.Mutex
	lines  map[string]*line // conversations that somebody holds
	closed chan struct{}
}

// line is the queue before one conversation that is held.
type line struct {
	waiters []chan struct{} // each is closed when its owner gets the lock
}

// New returns an empty store. At most maxWaiting messages wait in each
// conversation, DefaultMaxWaiting if it is 0.
func New(maxWaiting int) *Store {
	if maxWaiting == 0 {
		maxWaiting = DefaultMaxWaiting
	}
	return &Store{
		maxWaiting: maxWaiting,
		lines:      make(map[string]*line),
		closed:     make(chan struct{}),
	}
}

// Lock implements lockstore.Store.
func (s *Store) Lock(ctx context.Context, conversationID string) (func(), error) {
	turn, err := s.enter(ctx, conversationID)
	if err != nil {
		return nil, err
	}
	if turn != nil {
		select {
		case <-turn:
		case <-ctx.Done():
			s.leave(conversationID, turn)
			return nil, ctx.Err()
		case <-s.closed:
			s.leave(conversationID, turn)
			return nil, lockstore.ErrClosed
		}
	}
	return sync.OnceFunc(func() { s.release(conversationID) }), nil
}

// enter takes the lock if it is free and returns nil, or else joins the line and
// returns the channel that is closed when the lock is ours.
func (s *Store) enter(ctx context.Context, id string) (chan struct{}, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.isClosed() {
		return nil, lockstore.ErrClosed
	}
	l, held := s.lines[id]
	if !held {
		s.lines[id] = &line{}
		return nil, nil
	}
	if len(l.waiters) >= s.maxWaiting {
		return nil, lockstore.ErrQueueFull
	}
	turn := make(chan struct{})
	l.waiters = append(l.waiters, turn)
	return turn, nil
}

// leave takes a waiter out of the line. If it was given the lock in the
// meantime, the next one gets it.
func (s *Store) leave(id string, turn chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.lines[id]
	if l != nil {
		if i := slices.Index(l.waiters, turn); i >= 0 {
			l.waiters = slices.Delete(l.waiters, i, i+1)
			return
		}
	}
	s.passOn(id)
}

func (s *Store) release(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.passOn(id)
}

// passOn gives the lock to the first in line, or forgets the conversation.
func (s *Store) passOn(id string) {
	l := s.lines[id]
	if len(l.waiters) == 0 {
		delete(s.lines, id)
		return
	}
	first := l.waiters[0]
	l.waiters = slices.Delete(l.waiters, 0, 1)
	close(first)
}

// Ready reports whether the store hands out locks.
func (s *Store) Ready(context.Context) error {
	if s.isClosed() {
		return lockstore.ErrClosed
	}
	return nil
}

func (s *Store) isClosed() bool {
	select {
	case <-s.closed:
		return true
	default:
		return false
	}
}

// Close implements lockstore.Store. Locks that are held stay valid.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.isClosed() {
		close(s.closed)
	}
	return nil
}
