package dialogue

import (
	"slices"

	"github.com/loquat-dev/loquat/internal/tracker"
)

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

	last    State // that was made, though it may not be kept
	hasLast bool

	hidden  bool  // the turn that is going on is caused by rules alone
	visible State // its action is the one before the turn that is going on
}

// begin puts the replay at the beginning of a conversation, for the first time or
// again. It reuses the memory of earlier states.
func (h *history) begin() {
	features, set := h.features, h.set
	if features == nil {
		features = make([]string, len(h.Encoder.slots))
		if h.view.OmitUnset {
			set = make([]bool, len(h.Encoder.slots))
		}
	}
	*h = history{Encoder: h.Encoder, view: h.view, followup: true, slotsChanged: true, features: features, set: set, states: h.states[:0]}
	clear(h.set)
	for i, s := range h.Encoder.slots {
		if h.features[i] = s.initial; h.set != nil {
			h.features[i] = ""
		}
	}
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
			h.visible = State{}
			h.putAction(&h.visible)
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
	h.last, h.hasLast = s, true
	if len(h.states) == cap(h.states) {
		h.forget()
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

// putAction gives a state the action before it.
func (h *history) putAction(s *State) {
	switch {
	case h.action == nil:
	case h.action.Name != "":
		s.Action = h.action.Name
	default:
		s.ActionText = h.action.ActionText
	}
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
	if s.HasAction() && s.Action != tracker.ListenAction {
		if h.hasLast {
			s.Intent, s.Text, s.Entities = h.last.Intent, h.last.Text, h.last.Entities
		}
	}
	if h.visible.HasAction() {
		s.Action, s.ActionText = h.visible.Action, h.visible.ActionText
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
