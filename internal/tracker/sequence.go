package tracker

import "slices"

// sequence is a list of events for long conversations, of which copies go different
// ways, and which may be cut at its end: none of that takes time for the common
// beginning. Events are in chunks; only the last one is not full.
type sequence struct {
	full list[*[chunk]Event]
	last list[Event]
}

const chunk = 64

func (s *sequence) len() int { return chunk*len(s.full.items) + len(s.last.items) }

func (s *sequence) at(i int) Event {
	if c := i / chunk; c < len(s.full.items) {
		return s.full.items[c][i%chunk]
	}
	return s.last.items[i-chunk*len(s.full.items)]
}

// backward yields all events with their places, the last one first.
func (s *sequence) backward(yield func(int, Event) bool) {
	for i := s.len() - 1; i >= 0; i-- {
		if !yield(i, s.at(i)) {
			return
		}
	}
}

// from returns the events from the i-th on, which belong to the sequence. The time
// it takes depends on their number alone.
func (s *sequence) from(i int) []Event {
	c := i / chunk
	if c >= len(s.full.items) {
		return slices.Clip(s.last.items[i-chunk*len(s.full.items):])
	}
	events := append(make([]Event, 0, s.len()-i), s.full.items[c][i%chunk:]...)
	for _, full := range s.full.items[c+1:] {
		events = append(events, full[:]...)
	}
	return append(events, s.last.items...)
}

func (s *sequence) add(e Event) {
	if s.last.add(e, chunk); len(s.last.items) == chunk {
		s.full.add((*[chunk]Event)(s.last.items), 0)
		s.last = list[Event]{}
	}
}

// cut keeps the first n events.
func (s *sequence) cut(n int) {
	c := n / chunk
	if c >= len(s.full.items) {
		s.last.cut(n - chunk*len(s.full.items))
		return
	}
	s.last = list[Event]{items: s.full.items[c][: n%chunk : n%chunk]}
	s.full.cut(c)
}
