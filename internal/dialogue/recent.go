package dialogue

import (
	"github.com/loquat-dev/loquat/internal/tracker"
)

// short is the number of events up to which a conversation is replayed as a
// whole.
const short = 64

// Recent is States for the conversation of a tracker. With view.Last it looks
// only at the end of a long conversation and takes what was before from the
// tracker's state, so that its cost does not grow with the conversation.
func (e *Encoder) Recent(t *tracker.Tracker, view View) []State {
	applied := t.AppliedEvents()
	if view.Last <= 0 || view.OmitUnset || len(applied) <= short {
		return e.States(applied, view)
	}
	first := indexOfLast(applied, view.Last)
	if view.RuleOnly != nil {
		first = e.indexOfVisible(applied, view.Last)
	}
	if first <= short {
		return e.States(applied, view)
	}
	h := history{Encoder: e, view: view}
	h.begin()
	h.startAt(t, first)
	states := h.finish(applied[first:])
	if len(states) < view.Last || h.incomplete {
		return e.States(applied, view) // more turns were hidden than it seemed
	}
	return states
}

// indexOfVisible gives an index from which at least n states are likely to be
// visible to policies that learn from stories, and behind which a turn of the
// user begins that is not part of a hidden one.
func (e *Encoder) indexOfVisible(applied []tracker.Event, n int) int {
	for i := len(applied) - 1; i > 0; i-- {
		a, ok := applied[i].(*tracker.ActionExecuted)
		if !ok || a.HideRuleTurn {
			continue
		}
		if n--; n < 0 && a.Name == tracker.ListenAction && e.endsTurn(applied[:i]) {
			return i + 1
		}
	}
	return 0
}

// endsTurn reports whether an action that follows decides by itself whether its
// turn is hidden: it was not forced, and does not continue a loop.
func (e *Encoder) endsTurn(before []tracker.Event) bool {
	for i := len(before) - 1; i >= 0; i-- {
		switch event := before[i].(type) {
		case *tracker.FollowupAction:
			return false
		case *tracker.ActionExecuted:
			return !e.loops[event.Name]
		}
	}
	return false
}

// startAt brings the replay to the point before event first, without the events
// of long ago.
func (h *history) startAt(t *tracker.Tracker, first int) {
	applied := t.AppliedEvents()
	before, window := applied[:first], applied[first:]
	h.startWithUser(before)

	h.loop = t.ActiveLoop().Name
	if find(window, isLoop) >= 0 {
		h.loop = ""
		if i := findLast(before, isLoop); i >= 0 {
			h.loop = before[i].(*tracker.ActiveLoop).Name
		}
	}
	reset := find(window, isReset) >= 0
	for i, s := range h.Encoder.slots {
		sets := func(event tracker.Event) bool {
			set, ok := event.(*tracker.SlotSet)
			return ok && set.Name == s.Name || isReset(event)
		}
		if !reset && find(window, sets) < 0 {
			h.features[i] = featureText(s.Slot, t.Slot(s.Name))
			continue
		}
		h.features[i] = s.initial
		if at := findLast(before, sets); at >= 0 {
			if set, ok := before[at].(*tracker.SlotSet); ok {
				h.features[i] = featureText(s.Slot, set.Value)
			}
		}
	}
	h.slotsChanged = true
}

// startWithUser finds the last message and the last action.
func (h *history) startWithUser(before []tracker.Event) {
	from := findLast(before, func(e tracker.Event) bool { _, ok := e.(*tracker.UserUttered); return ok })
	if from < 0 {
		from = len(before)
	}
	if i := findLast(before[:from], isAction); i >= 0 {
		from = i
	}
	h.followup = false
	for _, event := range before[from:] {
		h.apply(event)
	}
}

func isAction(e tracker.Event) bool { _, ok := e.(*tracker.ActionExecuted); return ok }
func isLoop(e tracker.Event) bool   { _, ok := e.(*tracker.ActiveLoop); return ok }
func isReset(e tracker.Event) bool  { _, ok := e.(*tracker.AllSlotsReset); return ok }

func find(events []tracker.Event, match func(tracker.Event) bool) int {
	for i, e := range events {
		if match(e) {
			return i
		}
	}
	return -1
}

func findLast(events []tracker.Event, match func(tracker.Event) bool) int {
	for i := len(events) - 1; i >= 0; i-- {
		if match(events[i]) {
			return i
		}
	}
	return -1
}
