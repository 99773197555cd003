// Package memstore keeps conversations in memory, for as long as the process
// lives: for tests, for the shell, and for `loquat run --in-memory`.
package memstore

import (
	"context"
	"iter"
	"maps"
	"slices"
	"sync"

	"github.com/loquat-dev/loquat/internal/domain"
	"github.com/loquat-dev/loquat/internal/tracker"
	"github.com/loquat-dev/loquat/internal/trackerstore"
)

// Store is a trackerstore.Store in memory.
type Store struct {
	domain *domain.Domain

	mu            sync.RWMutex
	conversations map[string]*tracker.Tracker // never handed out, only copies are
}

// New returns an empty store. Trackers that it returns have the slots of d.
func New(d *domain.Domain) *Store {
	return &Store{domain: d, conversations: make(map[string]*tracker.Tracker)}
}

// Retrieve implements trackerstore.Store.
func (s *Store) Retrieve(ctx context.Context, conversationID string) (*tracker.Tracker, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	t, found := s.conversations[conversationID]
	if !found {
		return nil, trackerstore.ErrNotFound
	}
	return s.current(t).Copy(), nil
}

// current gives a conversation that another domain was used for the present one.
func (s *Store) current(t *tracker.Tracker) *tracker.Tracker {
	if t.Domain() == s.domain {
		return t
	}
	return tracker.FromEvents(t.ConversationID, s.domain, t.Events())
}

// UseDomain implements trackerstore.Store.
func (s *Store) UseDomain(d *domain.Domain) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.domain = d
}

// Save implements trackerstore.Store.
func (s *Store) Save(ctx context.Context, t *tracker.Tracker) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	unsaved := t.Unsaved()
	if len(unsaved) == 0 {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	stored, found := s.conversations[t.ConversationID]
	if !found {
		stored = tracker.New(t.ConversationID, s.domain)
	}
	stored = s.current(stored)
	t.MarkSaved()
	if t.Domain() == stored.Domain() && t.Follows(stored, len(unsaved)) {
		stored = t.Copy()
	} else {
		stored.UpdateAll(unsaved)
		stored.MarkSaved()
	}
	s.conversations[t.ConversationID] = stored
	return nil
}

// Replace implements trackerstore.Store.
func (s *Store) Replace(ctx context.Context, t *tracker.Tracker) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	if events := t.Events(); len(events) > 0 {
		s.conversations[t.ConversationID] = tracker.FromEvents(t.ConversationID, s.domain, events)
	} else {
		delete(s.conversations, t.ConversationID)
	}
	s.mu.Unlock()
	t.MarkSaved()
	return nil
}

// ConversationIDs implements trackerstore.Store.
func (s *Store) ConversationIDs(ctx context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		s.mu.RLock()
		ids := slices.Collect(maps.Keys(s.conversations))
		s.mu.RUnlock()
		for _, id := range ids {
			if err := ctx.Err(); err != nil {
				yield("", err)
				return
			}
			if !yield(id, nil) {
				return
			}
		}
	}
}

// Close implements trackerstore.Store.
func (s *Store) Close() error { return nil }
