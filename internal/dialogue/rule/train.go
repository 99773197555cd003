package rule

import (
	"context"
	"slices"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/dialogue"
	"github.com/loquat-dev/loquat/internal/domain"
	"github.com/loquat-dev/loquat/internal/story"
)

// Train learns the rules and checks them against each other and the stories. The
// error holds all that is wrong as diag.Problems.
func (p *Policy) Train(ctx context.Context, data dialogue.TrainingData) error {
	var problems diag.List
	if err := p.train(ctx, data, &problems); err != nil {
		return err
	}
	return problems.Err()
}

// Check returns what training would refuse.
func Check(ctx context.Context, data dialogue.TrainingData, c Config) ([]diag.Problem, error) {
	p, err := New(c, nil)
	if err != nil {
		return nil, err
	}
	var problems diag.List
	if err := p.train(ctx, data, &problems); err != nil {
		return nil, err
	}
	return problems.All(), nil
}

func (p *Policy) train(ctx context.Context, data dialogue.TrainingData, problems *diag.List) error {
	p.rules, p.unhappy, p.notInStories = newRuleSet(), newRuleSet(), map[string]bool{}
	if _, known := data.Domain.ActionIndex(p.config.FallbackAction); p.config.EnableFallback && !known {
		problems.Errorf(diag.Position{}, "unknown-fallback-action", "list it under actions: or add a response of that name",
			"the fallback action %q of RulePolicy is not in the domain", p.config.FallbackAction)
	}
	var rules, stories []*dialogue.TrainingTracker
	for _, t := range data.Trackers {
		switch {
		case t.Rule:
			rules = append(rules, t)
		case !t.Augmented:
			stories = append(stories, t)
		}
	}
	if p.config.RestrictRules {
		checkUserTurns(rules, problems)
	}
	encoder := p.encoders.For(data.Domain)
	checkComplete(rules, encoder, data.Domain, problems)

	ruleSeen, storySeen := newSeen(), newSeen()
	for _, t := range rules {
		labels := encoder.Labels(t, dialogue.View{OmitUnset: true})
		for _, label := range labels {
			p.learn(label)
			p.learnBesideLoop(label)
		}
		ruleSeen.add(labels)
	}
	for _, t := range stories {
		if err := ctx.Err(); err != nil {
			return err
		}
		labels := encoder.Labels(t, dialogue.View{OmitUnset: true})
		for _, label := range labels {
			p.learnBesideLoop(label)
		}
		storySeen.add(labels)
	}
	if len(stories) > 0 {
		storySeen.addInitial(data.Domain)
	}
	p.rules.sort()
	p.unhappy.sort()
	p.ruleOnly = dialogue.RuleOnlyData{
		Slots: ruleSeen.slots.without(storySeen.slots),
		Loops: ruleSeen.loops.without(storySeen.loops),
	}
	if !p.config.CheckForContradictions {
		return nil
	}
	return p.checkContradictions(ctx, data, rules, stories, problems)
}

// learn adds what a rule shows: the states since the latest "..." and the action
// that follows.
func (p *Policy) learn(label dialogue.Label) {
	if states := sinceMarker(label.States); len(states) > 0 && label.Action != story.Marker {
		p.rules.add(states, label.Action)
	}
}

// learnBesideLoop notes what happens while a loop is active besides the loop
// itself: that it comes back, or that it doesn't.
func (p *Policy) learnBesideLoop(label dialogue.Label) {
	n := len(label.States)
	last := label.States[n-1]
	if last.Loop == "" || n < 2 || !label.States[n-2].HasAction() {
		return
	}
	before := dialogue.State{Action: label.States[n-2].Action, ActionText: label.States[n-2].ActionText}
	states := sinceMarker([]dialogue.State{before, last})
	if len(states) == 0 {
		return
	}
	switch afterListen := last.Action == listen; {
	case afterListen && label.Action == last.Loop:
		p.unhappy.add(states, interrupted)
	case !afterListen && label.Action != last.Loop:
		p.unhappy.add(states, notTheLoop)
	}
}

// sinceMarker returns the states after the latest one that follows "...".
func sinceMarker(states []dialogue.State) []dialogue.State {
	for i := len(states) - 1; i >= 0; i-- {
		if states[i].Action == story.Marker {
			return states[i+1:]
		}
	}
	return states
}

type names map[string]bool

func (n names) without(other names) []string {
	return slices.DeleteFunc(sortedKeys(n), func(name string) bool { return other[name] })
}

// seen collects the slots and loops that states mention.
type seen struct{ slots, loops names }

func newSeen() seen { return seen{names{}, names{}} }

// add looks at the states of a tracker's labels; those of the last label are all.
func (s seen) add(labels []dialogue.Label) {
	if len(labels) == 0 {
		return
	}
	states := labels[len(labels)-1].States
	for i := range states {
		for _, slot := range states[i].Slots {
			s.slots[slot.Name] = true
		}
		if loop := states[i].Loop; loop != "" && loop != story.Unset {
			s.loops[loop] = true
		}
	}
}

// addInitial adds the slots that have a value before anything happens.
func (s seen) addInitial(d *domain.Domain) {
	for _, slot := range d.Slots {
		for _, feature := range dialogue.SlotFeatures(slot, slot.InitialValue) {
			if feature != 0 {
				s.slots[slot.Name] = true
			}
		}
	}
}
