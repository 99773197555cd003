package tracker

import (
	"maps"
	"sync/atomic"
)

// list is a list that copies of a tracker share. Whoever adds first to a common
// beginning uses the room behind it; everybody else moves to room of their own.
// What one holder adds is never seen by another.
type list[T any] struct {
	items []T
	taken *atomic.Int64 // how much of the room is in use, by anyone; nil without room
}

// add adds an item. Room is for at most as many items, if that is not 0.
func (l *list[T]) add(item T, most int) {
	n := len(l.items)
	if n >= cap(l.items) || l.taken == nil || !l.taken.CompareAndSwap(int64(n), int64(n+1)) {
		room := max(16, 2*n)
		if most > 0 && n > 0 {
			room = most
		}
		l.items = append(make([]T, 0, room), l.items...)
		l.taken = &atomic.Int64{}
		l.taken.Store(int64(n + 1))
	}
	l.items = append(l.items, item)
}

// cut keeps the first n items.
func (l *list[T]) cut(n int) { l.items = l.items[:n] }

// slots are values by name that copies of a tracker share until one of them sets
// a slot.
type slots struct {
	values map[string]any
	shared atomic.Bool
}

// set returns the slots with one value changed.
func (s *slots) set(name string, value any) *slots {
	if s.shared.Load() {
		s = &slots{values: maps.Clone(s.values)}
	}
	s.values[name] = value
	return s
}
