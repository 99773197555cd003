package marker

import (
	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/domain"
)

// Check reports the actions, intents and slots of markers that the domain has not.
func Check(markers []Marker, d *domain.Domain, problems *diag.List) {
	for _, m := range markers {
		m.condition.check(d, problems)
	}
}

func (c *condition) check(d *domain.Domain, problems *diag.List) {
	for _, p := range c.parts {
		p.check(d, problems)
	}
	if c.kind.isOperator() || c.isKnown(d) {
		return
	}
	switch c.kind {
	case action:
		problems.Errorf(c.pos, "unknown-action", diag.DidYouMean(c.name, d.ActionNames()), "the domain has no action %q", c.name)
	case intent:
		problems.Errorf(c.pos, "unknown-intent", diag.DidYouMean(c.name, names(d.Intents, func(i domain.Intent) string { return i.Name })), "the domain has no intent %q", c.name)
	case slot:
		problems.Errorf(c.pos, "unknown-slot", diag.DidYouMean(c.name, names(d.Slots, func(s *domain.Slot) string { return s.Name })), "the domain has no slot %q", c.name)
	}
}

func (c *condition) isKnown(d *domain.Domain) bool {
	switch c.kind {
	case action:
		_, ok := d.ActionIndex(c.name)
		return ok
	case intent:
		return d.HasIntent(c.name)
	default:
		return d.Slot(c.name) != nil
	}
}

func names[T any](of []T, name func(T) string) []string {
	out := make([]string, len(of))
	for i, v := range of {
		out[i] = name(v)
	}
	return out
}
