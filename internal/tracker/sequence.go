package tracker

// longTail is how many events follow the common beginning of a sequence before
// they become part of it.
const longTail = 512

// sequence is a list of events for long conversations, of which copies go different
// ways, and which may be cut at its end. Then the room behind the common beginning
// is in use already; but to move all of a long conversation to new room, in every
// turn, would take long. So what comes behind has room of its own, the tail.
type sequence struct {
	base list // events[:n]
	tail list // events[n:]; empty as long as the base can grow
}

func (s *sequence) len() int { return len(s.base.events) + len(s.tail.events) }

func (s *sequence) at(i int) Event {
	if n := len(s.base.events); i >= n {
		return s.tail.events[i-n]
	}
	return s.base.events[i]
}

// backward yields all events with their places, the last one first.
func (s *sequence) backward(yield func(int, Event) bool) {
	for i := s.len() - 1; i >= 0; i-- {
		if !yield(i, s.at(i)) {
			return
		}
	}
}

// from returns the events from the i-th on. They belong to the sequence. It takes
// no longer for a long beginning.
func (s *sequence) from(i int) []Event {
	n := len(s.base.events)
	switch {
	case i >= n:
		return s.tail.events[i-n:]
	case len(s.tail.events) == 0:
		return s.base.events[i:]
	default:
		return append(s.base.events[i:n:n], s.tail.events...)
	}
}

func (s *sequence) add(e Event) {
	if len(s.tail.events) == 0 && (len(s.base.events) < longTail || s.base.hasRoom()) {
		s.base.add(e)
		return
	}
	s.tail.add(e)
	if len(s.tail.events) == longTail {
		s.base.grow(len(s.base.events)/8 + longTail)
		for _, e := range s.tail.events {
			s.base.add(e)
		}
		s.tail = list{}
	}
}

// cut keeps the first n events.
func (s *sequence) cut(n int) {
	if in := n - len(s.base.events); in >= 0 {
		s.tail.cut(in)
		return
	}
	s.base.cut(n)
	s.tail = list{}
}
