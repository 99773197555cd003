package dialogue

import (
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
	h := history{Encoder: e, view: view, followup: true}
	h.features = make([]string, len(e.slots))
	if view.OmitUnset {
		h.set = make([]bool, len(e.slots))
	} else {
		for i, s := range e.slots {
			h.features[i] = s.initial
		}
	}
	h.slotsChanged = true
	first := 0
	if view.Last > 0 && view.RuleOnly == nil {
		first = indexOfLast(applied, view.Last)
	}
	h.states = make([]State, 0, actions(applied[first:])+1)
	for i, event := range applied {
		if a, ok := event.(*tracker.ActionExecuted); ok && i >= first {
			h.emit(a.HideRuleTurn)
		}
		h.apply(event)
	}
	if h.emit(false) && view.Predict {
		h.chooseLastInput()
	}
	states := h.states
	if view.RuleOnly != nil {
		states = WithoutUnlikelyIntents(states)
	}
	if view.Last > 0 && len(states) > view.Last {
		states = states[len(states)-view.Last:]
	}
	return states
}

// indexOfLast gives the index of the first event whose state can be among the
// last n; the very last state is the one behind all events.
func indexOfLast(applied []tracker.Event, n int) int {
	i := len(applied)
	for n--; n > 0 && i > 0; {
		i--
		if _, ok := applied[i].(*tracker.ActionExecuted); ok {
			n--
		}
	}
	return i
}

func actions(events []tracker.Event) int {
	n := 0
	for _, e := range events {
		if _, ok := e.(*tracker.ActionExecuted); ok {
			n++
		}
	}
	return n
}

// history is the replay of one conversation.
type history struct {
	*Encoder
	view   View
	states []State

	user     *tracker.UserUttered
	added    []tracker.Entity // entities found after the message arrived
	useText  *bool            // what user_featurization decided about user
	action   *tracker.ActionExecuted
	loop     string
	followup bool

	features     []string // by slot
	set          []bool   // by slot, with OmitUnset
	slotsChanged bool
	slots        []SlotState // from features

	intent, text string
	entities     []string
	userChanged  bool

	hidden         bool // the turn that is going on is caused by rules alone
	visibleAction  State
	visibleActions bool
}

func (h *history) apply(event tracker.Event) {
	switch e := event.(type) {
	case *tracker.ActionExecuted:
		h.action, h.followup = e, false
	case *tracker.UserUttered:
		h.user, h.added, h.useText, h.followup, h.userChanged = e, nil, nil, false, true
	case *tracker.SlotSet:
		if i, ok := h.slot[e.Name]; ok {
			h.setSlot(i, featureText(h.Encoder.slots[i].Slot, e.Value), true)
		}
	case *tracker.AllSlotsReset:
		for i, s := range h.Encoder.slots {
			h.setSlot(i, s.initial, false)
		}
	case *tracker.ActiveLoop:
		h.loop = e.Name
	case *tracker.UserFeaturization:
		if h.listened() {
			h.useText, h.userChanged = &e.UseText, true
		}
	case *tracker.EntitiesAdded:
		if h.listened() {
			h.added, h.userChanged = slices.Concat(h.added, e.Entities), true
		}
	case *tracker.FollowupAction:
		h.followup = true
	}
}

func (h *history) setSlot(i int, features string, set bool) {
	if h.set != nil {
		if h.set[i] = set; !set {
			features = ""
		}
	}
	if h.features[i] != features {
		h.features[i] = features
		h.slotsChanged = true
	}
}

// listened reports whether the user was the last to do something.
func (h *history) listened() bool { return h.action != nil && h.action.Name == tracker.ListenAction }

// emit appends the state of this moment, before an action that may be hidden. It
// reports whether there is one.
func (h *history) emit(hide bool) bool {
	ml := h.view.RuleOnly != nil
	if ml {
		if !h.hidden {
			h.visibleAction = State{}
			h.visibleActions = h.putAction(&h.visibleAction)
		}
		// A forced action, and a loop that goes on, belong to the turn before.
		if !h.followup && !(h.action != nil && h.loop != "" && h.actionName() == h.loop) {
			h.hidden = hide
		}
		if h.hidden {
			return false
		}
	}
	h.refresh()
	s := State{Intent: h.intent, Text: h.text, Entities: h.entities, Loop: h.loop, Slots: h.slots}
	h.putAction(&s)
	if ml {
		h.cleanRuleOnly(&s)
	}
	h.states = append(h.states, s)
	return true
}

func (h *history) actionName() string {
	if h.action.Name != "" {
		return h.action.Name
	}
	return h.action.ActionText
}

func (h *history) putAction(s *State) bool {
	if h.action == nil {
		return false
	}
	if h.action.Name != "" {
		s.Action = h.action.Name
	} else {
		s.ActionText = h.action.ActionText
	}
	return true
}

// cleanRuleOnly makes a state what it would be had no rule interfered: without
// slots and loops of rules, with the user's message and the action of the last
// visible turn.
func (h *history) cleanRuleOnly(s *State) {
	if len(h.view.RuleOnly.Slots) > 0 {
		kept := make([]SlotState, 0, len(s.Slots))
		for _, slot := range s.Slots {
			if !slices.Contains(h.view.RuleOnly.Slots, slot.Name) {
				kept = append(kept, slot)
			}
		}
		s.Slots = kept
	}
	if s.Loop != "" && slices.Contains(h.view.RuleOnly.Loops, s.Loop) {
		s.Loop = ""
	}
	if n := len(h.states); n > 0 && s.HasAction() && s.Action != tracker.ListenAction {
		before := &h.states[n-1]
		s.Intent, s.Text, s.Entities = before.Intent, before.Text, before.Entities
	}
	if h.visibleActions {
		s.Action, s.ActionText = h.visibleAction.Action, h.visibleAction.ActionText
	}
}

// refresh brings what states share up to date.
func (h *history) refresh() {
	if h.slotsChanged {
		h.slotsChanged = false
		n := 0
		for _, f := range h.features {
			if f != "" {
				n++
			}
		}
		h.slots = nil
		if n > 0 {
			h.slots = make([]SlotState, 0, n)
			for i, f := range h.features {
				if f != "" {
					h.slots = append(h.slots, SlotState{h.Encoder.slots[i].Name, f})
				}
			}
		}
	}
	if h.userChanged {
		h.userChanged = false
		u := h.user
		h.intent, h.text, h.entities = "", "", nil
		if u == nil {
			return
		}
		if h.useText == nil || !*h.useText {
			h.intent = u.Intent
			h.entities = h.Encoder.entities(u, h.added)
		}
		if h.useText == nil && (u.Intent == "" || h.view.WithTexts) || h.useText != nil && *h.useText {
			h.text = u.Text
		}
	}
}

// chooseLastInput decides between the text and the intent of a message that no
// action has answered yet.
func (h *history) chooseLastInput() {
	if h.user == nil || !h.listened() {
		return
	}
	last := &h.states[len(h.states)-1]
	switch {
	case last.Action != tracker.ListenAction: // a rule caused the listening
		if h.useText == nil {
			last.Text = h.user.Text
		}
	case h.view.UseText:
		last.Intent, last.Entities, last.Text = "", nil, h.user.Text
	default:
		last.Text = ""
	}
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
