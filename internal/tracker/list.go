package tracker

import (
	"maps"
	"sync/atomic"
)

// list is a list of events that copies of a tracker share, however long it is.
// Whoever adds first to a common beginning uses the room behind it; everybody
// else moves to room of their own. What one holder adds is never seen by another.
type list struct {
	events []Event
	taken  *atomic.Int64 // how much of the room is in use, by anyone; nil without room
}

func (l *list) add(e Event) {
	n := len(l.events)
	if n < cap(l.events) && l.taken.CompareAndSwap(int64(n), int64(n+1)) {
		l.events = l.events[:n+1]
		l.events[n] = e
		return
	}
	l.grow(max(16, n))
	l.taken.Store(int64(n + 1))
	l.events = append(l.events, e)
}

// hasRoom reports whether an event can be added without moving all of them, or
// moving them is due because there are twice as many as the last time.
func (l *list) hasRoom() bool {
	return len(l.events) == cap(l.events) || l.taken.Load() == int64(len(l.events))
}

// grow moves to new room for n more events.
func (l *list) grow(n int) {
	l.events = append(make([]Event, 0, len(l.events)+n), l.events...)
	l.taken = &atomic.Int64{}
	l.taken.Store(int64(len(l.events)))
}

// cut keeps the first n events.
func (l *list) cut(n int) { l.events = l.events[:n] }

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
