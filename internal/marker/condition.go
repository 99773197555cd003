package marker

import (
	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/tracker"
)

// kind is what a condition looks at, or how an operator joins its conditions.
type kind uint8

const (
	action kind = iota
	intent
	slot
	and
	or
	not
	seq
	occurrence
)

// tag is a key of markers.yml.
type tag struct {
	kind    kind
	negated bool // true where the kind is false
}

var tags = map[string]tag{
	"action": {action, false}, "not_action": {action, true},
	"intent": {intent, false}, "not_intent": {intent, true},
	"slot_was_set": {slot, false}, "slot_was_not_set": {slot, true},
	"and": {and, false}, "at_least_one_not": {and, true},
	"or":            {or, false},
	"not":           {not, false},
	"seq":           {seq, false},
	"at_least_once": {occurrence, false}, "never": {occurrence, true},
}

// isOperator tells those with a list of conditions from those with a name.
func (k kind) isOperator() bool { return k >= and }

// takesOne is whether an operator has exactly one condition.
func (k kind) takesOne() bool { return k == not || k == occurrence }

// condition is true or false at each event of a session.
type condition struct {
	tag
	pos   diag.Position // of the name
	name  string        // of the action, intent or slot
	parts []*condition  // of an operator
}

// state is what a condition remembers of a session.
type state struct {
	parts []state
	is    bool // slot: it is set; occurrence: there was one
	next  int  // seq: the part that is waited for
}

func (c *condition) newState() state {
	s := state{parts: make([]state, len(c.parts))}
	for i, p := range c.parts {
		s.parts[i] = p.newState()
	}
	return s
}

// holds reports whether the condition holds at the next event.
func (c *condition) holds(e tracker.Event, s *state) bool { return c.applies(e, s) != c.negated }

func (c *condition) applies(e tracker.Event, s *state) bool {
	if !c.kind.isOperator() {
		return c.observes(e, s)
	}
	some, all, next := false, true, false
	for i, p := range c.parts { // every one sees every event
		holds := p.holds(e, &s.parts[i])
		some, all, next = some || holds, all && holds, next || holds && i == s.next
	}
	switch c.kind {
	case and:
		return all
	case not:
		return !all
	case occurrence:
		s.is = s.is || all
		return s.is
	case seq:
		if !next {
			return false
		}
		s.next = (s.next + 1) % len(c.parts)
		return s.next == 0
	default:
		return some
	}
}

// observes is applies of a condition on a single thing. A slot counts as set from
// the event that gives it a value to the one that takes it away.
func (c *condition) observes(e tracker.Event, s *state) bool {
	switch e := e.(type) {
	case *tracker.ActionExecuted:
		if c.kind == action {
			return e.Name == c.name
		}
	case *tracker.UserUttered:
		if c.kind == intent {
			return e.Intent == c.name || fullIntent(e) == c.name
		}
	case *tracker.SlotSet:
		if c.kind == slot && e.Name == c.name {
			s.is = e.Value != nil
		}
	}
	return c.kind == slot && s.is
}

// fullIntent is the intent with the part behind the slash that a response selector
// chose: faq/hours.
func fullIntent(e *tracker.UserUttered) string {
	parsed, _ := e.ParseData["intent"].(map[string]any)
	name, _ := parsed["full_retrieval_intent_name"].(string)
	return name
}

// depth is the number of levels, and width the most parts of an operator.
func (c *condition) measure() (depth, width int) {
	width = len(c.parts)
	for _, p := range c.parts {
		d, w := p.measure()
		depth, width = max(depth, d), max(width, w)
	}
	return depth + 1, width
}
