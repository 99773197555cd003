package rule

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/dialogue"
	"github.com/loquat-dev/loquat/internal/domain"
	"github.com/loquat-dev/loquat/internal/story"
	"github.com/loquat-dev/loquat/internal/tracker"
)

// checkUserTurns refuses rules in which the user speaks more than once.
func checkUserTurns(rules []*dialogue.TrainingTracker, problems *diag.List) {
	for _, t := range rules {
		turns := 0
		for _, e := range t.AppliedEvents() {
			if _, ok := e.(*tracker.UserUttered); ok {
				if turns++; turns == 2 {
					problems.Errorf(t.Position(e), "rule-with-several-turns", "make it a story, or set restrict_rules: false for RulePolicy",
						"rule %q has more than one user turn; a rule is meant for one", t.Name)
				}
			}
		}
	}
}

// after is what rules show to follow an action.
type after struct {
	slots, loops names
	by           *dialogue.TrainingTracker // the first rule that shows it
}

// checkComplete refuses rules that leave out what other rules show to follow an
// action: the slots it sets and the loop it starts or ends.
func checkComplete(rules []*dialogue.TrainingTracker, encoder *dialogue.Encoder, d *domain.Domain, problems *diag.List) {
	effects := effectsOfActions(rules, d)
	for _, t := range rules {
		states := encoder.States(t.AppliedEvents(), dialogue.View{})
		executed := actionsOf(t)
		for i := 1; i < len(states); i++ {
			effect := effects[states[i].Action]
			if effect == nil || states[i].Action == "" || i < len(executed) && executed[i].Name == story.Marker {
				continue
			}
			var missing []string
			for _, slot := range sortedKeys(effect.slots) {
				if states[i].Slot(slot) == "" {
					missing = append(missing, slot)
				}
			}
			pos := t.Position(executed[i-1])
			where := fmt.Sprintf("rule %q at %s shows it", effect.by.Name, effect.by.Blocks[0].Pos)
			if len(missing) > 0 {
				problems.Errorf(pos, "incomplete-rule", where+"; add slot_was_set below the action",
					"rule %q leaves open which value %s %s after action %q, which sets it in other rules", t.Name, slotList(missing), have(missing), states[i].Action)
			}
			if len(effect.loops) > 0 && !effect.loops[states[i].Loop] {
				problems.Errorf(pos, "incomplete-rule", where+"; add active_loop below the action",
					"rule %q leaves open which loop is active after action %q; in other rules %s", t.Name, states[i].Action, loopText(effect.loops))
			}
		}
	}
}

// effectsOfActions collects the slot and loop events that follow each action.
func effectsOfActions(rules []*dialogue.TrainingTracker, d *domain.Domain) map[string]*after {
	effects := map[string]*after{}
	for _, t := range rules {
		current := ""
		effect := func() *after {
			if effects[current] == nil {
				effects[current] = &after{names{}, names{}, t}
			}
			return effects[current]
		}
		for _, e := range t.AppliedEvents() {
			switch e := e.(type) {
			case *tracker.ActionExecuted:
				if current = cmp.Or(e.Name, e.ActionText); current == listen || current == story.Marker {
					current = "" // what follows are the user's turn and conditions
				}
			case *tracker.SlotSet:
				if s := d.Slot(e.Name); current != "" && s != nil && s.Influences && s.Type != domain.Any {
					effect().slots[e.Name] = true
				}
			case *tracker.ActiveLoop:
				if current != "" {
					effect().loops[e.Name] = true
				}
			}
		}
	}
	return effects
}

func actionsOf(t *dialogue.TrainingTracker) []*tracker.ActionExecuted {
	var out []*tracker.ActionExecuted
	for _, e := range t.AppliedEvents() {
		if a, ok := e.(*tracker.ActionExecuted); ok {
			out = append(out, a)
		}
	}
	return out
}

func slotList(slots []string) string {
	quoted := make([]string, len(slots))
	for i, s := range slots {
		quoted[i] = fmt.Sprintf("%q", s)
	}
	if len(quoted) == 1 {
		return "slot " + quoted[0]
	}
	return "slots " + strings.Join(quoted, ", ")
}

func have(slots []string) string {
	if len(slots) == 1 {
		return "has"
	}
	return "have"
}

func loopText(loops names) string {
	var out []string
	for _, l := range sortedKeys(loops) {
		switch l {
		case story.Unset, "":
			out = append(out, "no loop is active")
		default:
			out = append(out, fmt.Sprintf("loop %q is active", l))
		}
	}
	return strings.Join(out, " or ")
}
