package rule

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/dialogue"
	"github.com/loquat-dev/loquat/internal/domain"
	"github.com/loquat-dev/loquat/internal/story"
	"github.com/loquat-dev/loquat/internal/tracker"
)

// origin is a place in a rule where some source of predictions applies, and the
// action that stands there.
type origin struct {
	by     *dialogue.TrainingTracker // nil for sources that are no rules
	source string
	action string
}

// checkContradictions replays rules and stories and compares each of their
// actions with what the rules predict there. It also finds out which rules no
// story follows.
func (p *Policy) checkContradictions(ctx context.Context, data dialogue.TrainingData, rules, stories []*dialogue.TrainingTracker, problems *diag.List) error {
	origins := map[string][]origin{}
	for _, t := range rules {
		p.replay(t, data.Domain, func(step replayed) {
			if step.decision.action == "" {
				return
			}
			o := origin{by: t, action: step.action}
			if source := step.decision.source; step.decision.rule == nil {
				o = origin{source: source, action: step.decision.action}
			}
			if !slices.Contains(origins[step.decision.source], o) {
				origins[step.decision.source] = append(origins[step.decision.source], o)
			}
		})
	}
	followed := map[string]bool{}
	for _, t := range slices.Concat(rules, stories) {
		if err := ctx.Err(); err != nil {
			return err
		}
		p.replay(t, data.Domain, func(step replayed) {
			d := step.decision
			switch {
			case d.action == "":
			case d.action == step.action:
				if !t.Rule {
					followed[d.source] = true
				}
			case p.givesWay(t, d):
				p.rules.remove(d.rule)
			default:
				contradiction(t, step, origins[d.source], problems)
			}
		})
	}
	sources := sortedKeys(origins)
	for key, r := range p.rules.byKey {
		// That a conversation begins with listening is learned with a rule, but is
		// nothing of the rule's (as Rasa 3.6.21 has it, with and without stories).
		if len(r.states) > 1 || r.states[0].HasAction() {
			sources = append(sources, key)
		}
	}
	for intent := range defaultActions {
		sources = append(sources, defaultSource+intent)
	}
	for _, f := range data.Domain.Forms {
		sources = append(sources, fromLoop(f.Name, f.Name), fromLoop(f.Name, listen))
	}
	for _, source := range sources {
		if !followed[source] {
			p.notInStories[source] = true
		}
	}
	return nil
}

// replayed is an action of a training tracker and what the rules say to it.
type replayed struct {
	action   string
	event    *tracker.ActionExecuted
	decision decision
}

// replay steps through a training tracker. What comes right after "...", or at
// the beginning, can't be predicted. Where the rules insist on the active loop
// and the story does something else, the loop counts as rejected.
func (p *Policy) replay(t *dialogue.TrainingTracker, d *domain.Domain, each func(replayed)) {
	running := tracker.New(t.Name, d)
	predictable := false
	for _, e := range t.AppliedEvents() {
		a, ok := e.(*tracker.ActionExecuted)
		switch {
		case !ok:
		case a.Name == story.Marker:
			predictable = false
		case !predictable || t.Unpredictable[e]:
			predictable = true
		default:
			step := replayed{action: cmp.Or(a.Name, a.ActionText), event: a}
			step.decision = p.decide(running, d)
			if loop := activeLoop(running); loop != "" && step.decision.action == loop && step.action != loop {
				running.Update(&tracker.ActionExecutionRejected{Name: loop})
				step.decision = p.decide(running, d)
			}
			each(step)
		}
		running.Update(e)
	}
}

// givesWay reports whether a rule that waits for the user after one action must
// yield to a story, because a longer rule begins the same way.
func (p *Policy) givesWay(t *dialogue.TrainingTracker, d decision) bool {
	if t.Rule || d.action != listen || d.rule == nil || strings.Count(d.source, `"prev_action"`) > 1 {
		return false
	}
	prefix := strings.TrimSuffix(d.source, "}]")
	for key := range p.rules.byKey {
		if key != d.source && strings.HasPrefix(key, prefix) {
			return true
		}
	}
	return false
}

// contradiction adds a problem if other rules than t itself predict something
// else at a step.
func contradiction(t *dialogue.TrainingTracker, step replayed, origins []origin, problems *diag.List) {
	var by, places []string
	for _, o := range origins {
		switch {
		case o.action == step.action:
		case o.by == nil:
			by = append(by, o.source)
		default:
			if name := fmt.Sprintf("rule %q", o.by.Name); !slices.Contains(by, name) {
				by = append(by, name)
				places = append(places, o.by.Blocks[0].Pos.String())
			}
		}
	}
	if len(by) == 0 {
		return
	}
	kind := "story"
	if t.Rule {
		kind = "rule"
	}
	hint := "change one of them, so that both go on in the same way"
	if len(places) > 0 {
		hint = "the rule is at " + strings.Join(places, ", ") + "; " + hint
	}
	problems.Errorf(t.Position(step.event), "rule-contradiction", hint, "%s %q goes on with %q, but %s predicts %q here",
		kind, t.Name, step.action, strings.Join(by, " and "), step.decision.action)
}
