package validate

import (
	"maps"
	"slices"
	"strings"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/domain"
	"github.com/loquat-dev/loquat/internal/story"
	"github.com/loquat-dev/loquat/internal/tracker"
)

func (c *checker) emptyDomain() {
	file := ""
	if len(c.Paths.Domain) > 0 {
		file = c.Paths.Domain[0]
	}
	c.problems.Errorf(diag.Position{File: file}, "empty-domain", "declare at least the intents and the responses", "the domain is empty")
}

// domain checks that the parts of the domain know each other.
func (c *checker) domain() {
	for _, f := range c.Domain.Forms {
		for _, slot := range f.RequiredSlots {
			switch s := c.Domain.Slot(slot); {
			case s == nil:
				c.problems.Errorf(f.Pos, "unknown-slot", c.slotHint(slot), "form %q requires slot %q, which is not declared", f.Name, slot)
			case len(s.Mappings) == 0 && !c.fillsSlots(f.Name):
				c.problems.Warnf(s.Pos, "slot-never-filled", "add a mapping, or an action validate_"+f.Name+" that sets it",
					"slot %q, which form %q asks for, has no mapping: the form can't end", s.Name, f.Name)
			}
		}
	}
	for _, s := range c.Domain.Slots {
		for _, m := range s.Mappings {
			for _, condition := range m.Conditions {
				c.mappingCondition(s, m, condition)
			}
		}
	}
}

// fillsSlots reports whether actions may fill slots of a form.
func (c *checker) fillsSlots(form string) bool {
	return slices.ContainsFunc([]string{form, "validate_" + form, "action_validate_slot_mappings"}, c.Domain.IsListedAction)
}

func (c *checker) mappingCondition(s *domain.Slot, m domain.Mapping, condition domain.MappingCondition) {
	if condition.ActiveLoop == "" {
		return
	}
	form := c.Domain.Form(condition.ActiveLoop)
	switch {
	case form == nil:
		c.problems.Errorf(m.Pos, "unknown-form", c.formHint(condition.ActiveLoop), "a mapping of slot %q has form %q as a condition, which is not declared", s.Name, condition.ActiveLoop)
	case condition.RequestedSlot != "" && len(form.RequiredSlots) > 0 && !slices.Contains(form.RequiredSlots, condition.RequestedSlot):
		c.problems.Warnf(m.Pos, "slot-not-in-form", "add the slot to the form's required_slots, or remove the condition",
			"a mapping of slot %q waits for form %q to ask for slot %q, which the form does not require", s.Name, form.Name, condition.RequestedSlot)
	}
}

// storyParts checks that what stories and rules name is declared.
func (c *checker) storyParts() {
	for _, b := range c.Stories.Blocks {
		for _, e := range b.Events {
			switch event := e.Event.(type) {
			case *tracker.ActionExecuted:
				c.action(event.Name, e.Pos)
			case *tracker.ActiveLoop:
				c.loop(event.Name, e.Pos)
			case *tracker.SlotSet:
				if c.Domain.Slot(event.Name) == nil {
					c.problems.Errorf(e.Pos, "unknown-slot", c.slotHint(event.Name), "slot %q is not declared", event.Name)
				}
			}
		}
	}
}

func (c *checker) action(name string, pos diag.Position) {
	if _, known := c.Domain.ActionIndex(name); name == "" || known {
		return
	}
	hint := diag.DidYouMean(name, c.Domain.ActionNames())
	if strings.HasPrefix(name, "utter_") {
		if hint == "" {
			hint = "add it below responses: of the domain"
		}
		c.problems.Errorf(pos, "unknown-response", hint, "response %q is not defined", name)
		return
	}
	if hint == "" {
		hint = "add it below actions: of the domain"
	}
	c.problems.Errorf(pos, "unknown-action", hint, "action %q is not declared", name)
}

func (c *checker) loop(name string, pos diag.Position) {
	if name == "" || name == story.Unset {
		return
	}
	if _, known := c.Domain.ActionIndex(name); !known {
		c.problems.Errorf(pos, "unknown-form", c.formHint(name), "form %q is not declared", name)
	}
}

func (c *checker) slotHint(name string) string {
	var names []string
	for _, s := range c.Domain.Slots {
		names = append(names, s.Name)
	}
	if near, ok := diag.Nearest(name, names); ok {
		return place(`did you mean "`+near+`"`, c.Domain.Slot(near).Pos)
	}
	return "add it below slots: of the domain"
}

func (c *checker) formHint(name string) string {
	var names []string
	for _, f := range c.Domain.Forms {
		names = append(names, f.Name)
	}
	if near, ok := diag.Nearest(name, names); ok {
		return place(`did you mean "`+near+`"`, c.Domain.Form(near).Pos)
	}
	return "add it below forms: of the domain"
}

// place adds where a suggestion is declared.
func place(question string, pos diag.Position) string {
	if pos.IsZero() {
		return question + "?"
	}
	return question + " (" + pos.String() + ")?"
}

// responses mentions those that nothing uses, and variations that no channel says.
func (c *checker) responses() {
	for _, name := range slices.Sorted(maps.Keys(c.Domain.Responses)) {
		for _, v := range c.Domain.Responses[name] {
			if v.Channel == "rest" {
				c.problems.Warnf(v.Pos, "rest-channel", "write channel: collector, which is the name of what answers a REST request",
					"a variation of %q is for the channel rest, and no answer goes to a channel of that name", name)
			}
		}
	}
	used := map[string]bool{}
	for _, b := range c.Stories.Blocks {
		for _, e := range b.Events {
			if a, ok := e.Event.(*tracker.ActionExecuted); ok {
				used[a.Name] = true
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Domain.Responses)) {
		base, _, _ := strings.Cut(name, "/") // the action that selects one of several
		variations := c.Domain.Responses[name]
		if used[name] || used[base] || !strings.HasPrefix(name, "utter_") || len(variations) == 0 {
			continue
		}
		c.problems.Warnf(variations[0].Pos, "unused-response", "", "response %q is not used in any story or rule", name)
	}
}
