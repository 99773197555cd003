package tracker

import (
	"slices"
	"sync"
)

// memory is what readers of a conversation keep with it for the next time, as
// their Trail. It is safe for concurrent use.
type memory struct {
	mu    sync.Mutex
	notes []note // a handful; shared with copies, replaced when it changes
}

type note struct{ key, value any }

func (m *memory) copy() *memory {
	m.mu.Lock()
	defer m.mu.Unlock()
	return &memory{notes: m.notes}
}

// Recall returns what a reader of the conversation has noted down under a key, or
// nil. It may be called while others read the tracker.
func (t *Tracker) Recall(key any) any {
	m := t.memory
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, n := range m.notes {
		if n.key == key {
			return n.value
		}
	}
	return nil
}

// Note keeps something for Recall, in this tracker and in copies made of it from
// now on. It may be called while others read the tracker.
func (t *Tracker) Note(key, value any) {
	m := t.memory
	m.mu.Lock()
	defer m.mu.Unlock()
	notes := slices.DeleteFunc(slices.Clone(m.notes), func(n note) bool { return n.key == key })
	m.notes = append(notes, note{key, value})
}
