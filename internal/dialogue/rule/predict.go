package rule

import (
	"context"

	"github.com/loquat-dev/loquat/internal/dialogue"
	"github.com/loquat-dev/loquat/internal/domain"
	"github.com/loquat-dev/loquat/internal/story"
	"github.com/loquat-dev/loquat/internal/tracker"
)

const listen = tracker.ListenAction

// defaultActions answer the intents that every assistant knows.
var defaultActions = map[string]string{
	"restart":       "action_restart",
	"back":          "action_back",
	"session_start": "action_session_start",
}

// decision is what the policy wants to happen next; an empty action means that
// no rule applies.
type decision struct {
	action      string
	source      string // the key of the rule, or one of the other sources
	rule        *rule  // nil for other sources
	noUser      bool
	endToEnd    bool
	interrupted bool // the loop must not take the user's message for an answer
}

// Predict gives the action of the rule that applies a probability of 1, or the
// fallback action its threshold.
func (p *Policy) Predict(_ context.Context, in dialogue.Situation) (*dialogue.Prediction, error) {
	d := p.decide(in.Tracker, in.Domain)
	out := &dialogue.Prediction{
		Policy:        Name,
		Priority:      p.config.Priority,
		Probabilities: make([]float64, len(in.Domain.ActionNames())),
		NoUser:        d.noUser,
		EndToEnd:      d.endToEnd,
		HideRuleTurn:  d.source != "" && p.notInStories[d.source],
	}
	if d.interrupted {
		out.Events = []tracker.Event{&tracker.LoopInterrupted{Interrupted: true}}
	}
	// The fallback is there behind a rule too: the rule's action may be rejected.
	if i, known := in.Domain.ActionIndex(p.config.FallbackAction); known && p.config.EnableFallback {
		out.Probabilities[i] = p.config.FallbackThreshold
	}
	if i, known := in.Domain.ActionIndex(d.action); known && d.action != "" {
		out.Probabilities[i] = 1
		if p.config.UseNLUConfidence {
			out.Probabilities[i] = dialogue.Confidence(in.Tracker)
		}
	}
	return out, nil
}

// decide goes through everything that can determine the next action, the
// strongest first (core.md §8.2, Rasa 3.6.21).
func (p *Policy) decide(t *tracker.Tracker, d *domain.Domain) decision {
	encoder := p.encoders.For(d)
	listened := t.LatestActionName() == listen
	var byText decision
	if listened && p.rules.textual && t.LatestMessage() != nil && t.LatestMessage().Text != "" {
		byText = p.applyRules(t, encoder, true)
	}
	if byText.action == "" && listened {
		if a := defaultActions[t.LatestIntent()]; a != "" {
			return decision{action: a, source: defaultSource + t.LatestIntent()}
		}
	}
	if loop := t.ActiveLoop(); activeLoop(t) != "" && !loop.Rejected {
		if t.LatestActionName() != loop.Name && t.LatestAction() != nil {
			return decision{action: loop.Name, source: fromLoop(loop.Name, loop.Name), noUser: true}
		}
		if t.LatestActionName() == loop.Name {
			return decision{action: listen, source: fromLoop(loop.Name, listen), noUser: true}
		}
	}
	if byText.action != "" {
		byText.endToEnd = true
		return byText
	}
	return p.applyRules(t, encoder, false)
}

// activeLoop returns the name of the active loop, or "".
func activeLoop(t *tracker.Tracker) string {
	if name := t.ActiveLoop().Name; name != story.Unset {
		return name
	}
	return ""
}

// applyRules looks for a matching rule. Within a loop that was rejected it also
// minds what rules and stories show beside the loop.
func (p *Policy) applyRules(t *tracker.Tracker, encoder *dialogue.Encoder, useText bool) decision {
	view := dialogue.View{Last: max(p.rules.longest, p.unhappy.longest, 1), Predict: true, UseText: useText}
	states := encoder.Recent(t, view)
	var out decision
	if r := p.rules.best(states); r != nil {
		out = decision{action: r.value, source: r.key, rule: r}
	}
	loop := activeLoop(t)
	if loop == "" {
		return out
	}
	if out.action == listen && out.rule.states[len(out.rule.states)-1].Loop == "" {
		// A rule that knows nothing of the loop would wait for the user; the loop
		// goes on instead, unless rules or stories say that it doesn't. The turn is
		// hidden from stories if the rule is.
		if !p.unhappy.has(states, notTheLoop) {
			return decision{action: loop, source: out.source}
		}
		out = decision{}
	}
	out.interrupted = p.unhappy.has(states, interrupted)
	return out
}
