package tracker

// How far behind its end a trail remembers a conversation. What is nearer is read
// again each time, which takes a microsecond; what is taken back, by action_back
// for example, is seldom farther away.
const (
	nearby  = 16
	distant = 64
)

// Trail is what a reader of a conversation has made of its beginning, so that a
// long conversation need not be read from its first event again. It holds for the
// applied events of one tracker and of its copies. The zero value is ready.
//
// S is what the reader makes of events. It is never changed once it is in a trail,
// so trails may be copied, and copies used by several goroutines.
type Trail[S any] struct{ near, far waypoint[S] }

// waypoint is what was made of the first n events. An event has one place in a
// conversation, so if the n-th is still there, then so are all before it.
type waypoint[S any] struct {
	n     int
	last  Event // the n-th
	state S
}

func (w *waypoint[S]) holds(applied *sequence) bool {
	return w.n > 0 && w.n <= applied.len() && applied.at(w.n-1) == w.last
}

// newest returns the latest waypoint that holds, or nil.
func (t *Trail[S]) newest(c *Tracker) *waypoint[S] {
	switch {
	case t.near.holds(&c.applied):
		return &t.near
	case t.far.holds(&c.applied):
		return &t.far
	default:
		return nil
	}
}

// Resume returns what the reader has made of the first n applied events; n is 0 if
// nothing is known about any.
func (t *Trail[S]) Resume(c *Tracker) (state S, n int) {
	if w := t.newest(c); w != nil {
		return w.state, w.n
	}
	return state, 0
}

// Due reports whether it is time to remember what the reader makes of the first n
// applied events.
func (t *Trail[S]) Due(c *Tracker) (n int, due bool) {
	n = c.applied.len() - nearby
	if n < nearby {
		return n, false
	}
	w := t.newest(c)
	return n, w == nil || n-w.n >= nearby
}

// Remember takes over what the reader has made of the first n applied events.
func (t *Trail[S]) Remember(c *Tracker, n int, state S) {
	if !t.far.holds(&c.applied) {
		t.far = waypoint[S]{}
	}
	if t.near.holds(&c.applied) && t.near.n-t.far.n >= distant {
		t.far = t.near
	}
	t.near = waypoint[S]{n: n, last: c.applied.at(n - 1), state: state}
}
