package rule

import (
	"cmp"
	"maps"
	"slices"

	"github.com/loquat-dev/loquat/internal/dialogue"
	"github.com/loquat-dev/loquat/internal/story"
)

// rule is a list of states, oldest first, and what follows from them.
type rule struct {
	key    string // the states as JSON
	states []dialogue.State
	value  string
}

// ruleSet finds the rules that match a conversation.
type ruleSet struct {
	byKey   map[string]*rule
	buckets map[string]*bucket // by the action before the last state
	longest int                // most states of a rule
	textual bool               // some rule may match a user's text
}

// bucket has the rules whose last state has the same action before.
type bucket struct {
	byIntent map[string][]*rule // that need an intent in the last state
	any      []*rule            // that don't
}

func newRuleSet() *ruleSet {
	return &ruleSet{byKey: map[string]*rule{}, buckets: map[string]*bucket{}}
}

// add adds a rule. The same states keep their last value.
func (s *ruleSet) add(states []dialogue.State, value string) {
	key := string(dialogue.AppendStates(nil, states))
	if r := s.byKey[key]; r != nil {
		r.value = value
		return
	}
	r := &rule{key: key, states: states, value: value}
	s.byKey[key] = r
	s.longest = max(s.longest, len(states))
	last := &states[len(states)-1]
	b := s.buckets[action(last)]
	if b == nil {
		b = &bucket{byIntent: map[string][]*rule{}}
		s.buckets[action(last)] = b
	}
	if last.Intent != "" {
		b.byIntent[last.Intent] = append(b.byIntent[last.Intent], r)
	} else {
		b.any = append(b.any, r)
		s.textual = s.textual || last.Action == listen
	}
}

// sort puts longer keys first; it must be called after the last add.
func (s *ruleSet) sort() {
	longerFirst := func(a, b *rule) int {
		return cmp.Or(cmp.Compare(len(b.key), len(a.key)), cmp.Compare(a.key, b.key))
	}
	for _, b := range s.buckets {
		slices.SortFunc(b.any, longerFirst)
		for _, rules := range b.byIntent {
			slices.SortFunc(rules, longerFirst)
		}
	}
}

// remove takes a rule out.
func (s *ruleSet) remove(r *rule) {
	delete(s.byKey, r.key)
	last := &r.states[len(r.states)-1]
	b := s.buckets[action(last)]
	isR := func(x *rule) bool { return x == r }
	if last.Intent != "" {
		b.byIntent[last.Intent] = slices.DeleteFunc(b.byIntent[last.Intent], isR)
	} else {
		b.any = slices.DeleteFunc(b.any, isR)
	}
}

// table returns the values by key.
func (s *ruleSet) table() map[string]string {
	out := make(map[string]string, len(s.byKey))
	for key, r := range s.byKey {
		out[key] = r.value
	}
	return out
}

// best returns the matching rule with the longest key, or nil.
func (s *ruleSet) best(states []dialogue.State) *rule {
	last := &states[len(states)-1]
	b := s.buckets[action(last)]
	if b == nil {
		return nil
	}
	var found *rule
	if last.Intent != "" {
		found = first(b.byIntent[last.Intent], states, 0)
	}
	limit := 0
	if found != nil {
		limit = len(found.key)
	}
	if r := first(b.any, states, limit); r != nil {
		found = r
	}
	return found
}

// first returns the first rule that matches, if its key is longer than a limit.
func first(rules []*rule, states []dialogue.State, limit int) *rule {
	for _, r := range rules {
		if len(r.key) <= limit {
			return nil
		}
		if r.matches(states) {
			return r
		}
	}
	return nil
}

// has reports whether a matching rule has the value.
func (s *ruleSet) has(states []dialogue.State, value string) bool {
	last := &states[len(states)-1]
	b := s.buckets[action(last)]
	if b == nil {
		return false
	}
	hit := func(r *rule) bool { return r.value == value && r.matches(states) }
	return slices.ContainsFunc(b.any, hit) || last.Intent != "" && slices.ContainsFunc(b.byIntent[last.Intent], hit)
}

// matches reports whether a conversation ends in the states of the rule.
func (r *rule) matches(states []dialogue.State) bool {
	if len(r.states) > len(states) {
		return false
	}
	states = states[len(states)-len(r.states):]
	for i := len(states) - 1; i >= 0; i-- {
		want, have := &r.states[i], &states[i]
		if want.HasAction() != have.HasAction() || !agrees(want, have) {
			return false
		}
	}
	return true
}

// agrees reports whether a state has all that a rule's state asks for.
func agrees(want, have *dialogue.State) bool {
	if want.Action != have.Action || want.ActionText != have.ActionText ||
		want.Intent != "" && want.Intent != have.Intent ||
		want.Text != "" && want.Text != have.Text ||
		len(want.Entities) > 0 && !slices.Equal(want.Entities, have.Entities) {
		return false
	}
	switch want.Loop {
	case "", have.Loop:
	case story.Unset:
		if have.Loop != "" {
			return false
		}
	default:
		return false
	}
	for _, slot := range want.Slots {
		features := have.Slot(slot.Name)
		if features == slot.Features {
			continue
		}
		if slot.Features != dialogue.UnsetFeatures || features != "" {
			return false
		}
	}
	return true
}

// action tells apart action names and texts in one map.
func action(s *dialogue.State) string {
	if s.Action != "" || s.ActionText == "" {
		return s.Action
	}
	return "\x00" + s.ActionText
}

func sortedKeys[V any](m map[string]V) []string {
	keys := slices.AppendSeq(make([]string, 0, len(m)), maps.Keys(m))
	slices.Sort(keys)
	return keys
}
