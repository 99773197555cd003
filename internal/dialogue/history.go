package dialogue

import (
	"iter"
	"slices"

	"github.com/loquat-dev/loquat/internal/tracker"
)

// UnlikelyIntent is the action that UnexpecTEDIntentPolicy predicts.
const UnlikelyIntent = "action_unlikely_intent"

// View says how policies want to see a conversation.
type View struct {
	// Last keeps only that many of the newest states; 0 keeps all.
	Last int
	// RuleOnly is set by policies that learn from stories alone: turns that only
	// rules cause are left out, and so are the slots and loops it names. What
	// action_unlikely_intent caused is left out too.
	RuleOnly *RuleOnlyData
	// OmitUnset leaves out slots that no event has set, whatever their initial
	// value. Rules are learned like that.
	OmitUnset bool
	// WithTexts keeps the text of user messages that have an intent too.
	WithTexts bool
	// Predict is set to see the user's last message as a prediction does: by its
	// intent alone, or with UseText by its text alone. In training a message
	// without an intent counts by its text.
	Predict bool
	UseText bool
}

// States gives one state for the point before each action among the applied
// events of a conversation, and one for its end.
func (e *Encoder) States(applied []tracker.Event, view View) []State {
	h := history{Encoder: e, view: view}
	h.begin()
	first := 0
	if view.Last > 0 && view.RuleOnly == nil {
		first = indexOfLast(applied, view.Last)
	}
	for _, event := range applied[:first] {
		h.apply(event)
	}
	return h.finish(applied[first:])
}

// Suffixes gives the states of what remains of a conversation when the events
// before an action are forgotten: first those before the reach-th action from the
// end, then those before the next, and so on. The states are valid until the next
// ones.
func (e *Encoder) Suffixes(t *tracker.Tracker, reach int, view View) iter.Seq[[]State] {
	return func(yield func([]State) bool) {
		events := t.AppliedFrom(lastActions(t, reach))
		h := history{Encoder: e, view: view}
		for from := range events {
			if !isAction(events[from]) {
				continue
			}
			h.begin()
			if !yield(h.finish(events[from:])) {
				return
			}
		}
	}
}

// lastActions gives the place of the n-th action from the end, or 0.
func lastActions(t *tracker.Tracker, n int) int {
	for i, e := range t.AppliedBackward() {
		if isAction(e) {
			if n--; n == 0 {
				return i
			}
		}
	}
	return 0
}

func isAction(e tracker.Event) bool { _, ok := e.(*tracker.ActionExecuted); return ok }

// indexOfLast gives the index of the first event whose state can be among the
// last n; the very last state is the one behind all events.
func indexOfLast(applied []tracker.Event, n int) int {
	i := len(applied)
	for n--; n > 0 && i > 0; {
		i--
		if isAction(applied[i]) {
			n--
		}
	}
	return i
}

// read goes on with events and keeps the states before their actions.
func (h *history) read(events []tracker.Event) {
	for _, event := range events {
		if a, ok := event.(*tracker.ActionExecuted); ok {
			h.emit(a.HideRuleTurn)
		}
		h.apply(event)
	}
}

// finish gives the states of the remaining events, and of what was read before.
func (h *history) finish(events []tracker.Event) []State {
	if h.states == nil {
		h.states = make([]State, 0, actions(events)+1)
	}
	h.read(events)
	if h.emit(false) && h.view.Predict {
		h.chooseLastInput()
	}
	states := h.states
	if h.view.RuleOnly != nil {
		states = WithoutUnlikelyIntents(states)
	}
	if n := h.view.Last; n > 0 && len(states) > n {
		states = states[len(states)-n:]
	}
	return states
}

func actions(events []tracker.Event) int {
	n := 0
	for _, e := range events {
		if isAction(e) {
			n++
		}
	}
	return n
}

// WithoutUnlikelyIntents returns the states that do not come right after
// action_unlikely_intent.
func WithoutUnlikelyIntents(states []State) []State {
	if !slices.ContainsFunc(states, afterUnlikelyIntent) {
		return states
	}
	return slices.DeleteFunc(slices.Clone(states), afterUnlikelyIntent)
}

func afterUnlikelyIntent(s State) bool { return s.Action == UnlikelyIntent }
