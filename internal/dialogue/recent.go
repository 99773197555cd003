package dialogue

import (
	"slices"

	"github.com/loquat-dev/loquat/internal/tracker"
)

// Recent is States for the conversation of a tracker. With view.Last its cost does
// not grow with the conversation: what was read the last time is remembered with
// the tracker.
func (e *Encoder) Recent(t *tracker.Tracker, view View) []State {
	if view.Last <= 0 {
		return e.States(t.AppliedEvents(), view)
	}
	key := trailKey{e, view}
	key.view.Predict, key.view.UseText = false, false // which only matter to the last state
	trail, _ := t.Recall(key).(tracker.Trail[*history])
	if n, due := trail.Due(t); due {
		h, from := e.resume(t, &trail, key.view)
		h.read(t.AppliedFrom(from)[:n-from])
		h.forget()
		h.states = slices.Clone(h.states)
		known := h
		trail.Remember(t, n, &known)
		t.Note(key, trail)
	}
	if _, known := trail.Resume(t); known == 0 {
		return e.States(t.AppliedEvents(), view)
	}
	h, from := e.resume(t, &trail, view)
	return h.finish(t.AppliedFrom(from))
}

// trailKey is what decides about the states of a conversation but the last.
type trailKey struct {
	encoder *Encoder
	view    View
}

// resume goes on where the trail ends, with a replay of its own. It is returned by
// value to live on the stack.
func (e *Encoder) resume(t *tracker.Tracker, trail *tracker.Trail[*history], view View) (h history, from int) {
	known, from := trail.Resume(t)
	if from == 0 {
		h = history{Encoder: e, view: view}
		h.begin()
		return h, 0
	}
	h = *known
	h.view = view
	h.features, h.set = slices.Clone(h.features), slices.Clone(h.set)
	h.states = append(make([]State, 0, 2*view.Last), h.states...)
	return h, from
}

// forget drops the states before the last ones that are asked for.
func (h *history) forget() {
	if h.view.Last <= 0 {
		return
	}
	visible := 0
	for i := len(h.states) - 1; i >= 0; i-- {
		if h.view.RuleOnly == nil || !afterUnlikelyIntent(h.states[i]) {
			visible++
		}
		if visible == h.view.Last {
			h.states = append(h.states[:0], h.states[i:]...)
			return
		}
	}
}
