package trainingtracker

import (
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

// Conflict is a point at which stories that look the same go on differently.
type Conflict struct {
	After   string // what came last: intent "x", text "x" or action "x"
	Actions []ConflictingAction
}

// ConflictingAction is one way in which stories go on.
type ConflictingAction struct {
	Action  string
	Stories []string        // names, one for each path
	Pos     []diag.Position // where the action stands in each of them
}

// Conflicts finds the places where the last maxHistory states (0 means all) of
// different stories are equal and the next action is not. A policy that learns
// from stories can't do both.
func Conflicts(ctx context.Context, g *story.Graph, d *domain.Domain, maxHistory int) ([]Conflict, error) {
	stories := &story.Graph{}
	for _, b := range g.Blocks {
		if !b.Rule {
			stories.Blocks = append(stories.Blocks, b)
		}
	}
	trackers, err := Generate(ctx, stories, d, Config{}, &diag.List{})
	if err != nil {
		return nil, err
	}
	type point struct {
		after   string
		actions []ConflictingAction
	}
	points := map[string]*point{}
	var inOrder []*point
	encoder := dialogue.NewEncoder(d)
	for _, t := range trackers {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		for _, label := range encoder.Labels(t, dialogue.View{}) {
			states := label.States
			if maxHistory > 0 && len(states) > maxHistory {
				states = states[len(states)-maxHistory:]
			}
			key := string(dialogue.AppendStates(nil, states))
			p := points[key]
			if p == nil {
				p = &point{after: lastThing(&states[len(states)-1])}
				points[key] = p
				inOrder = append(inOrder, p)
			}
			i := slices.IndexFunc(p.actions, func(a ConflictingAction) bool { return a.Action == label.Action })
			if i < 0 {
				i = len(p.actions)
				p.actions = append(p.actions, ConflictingAction{Action: label.Action})
			}
			a := &p.actions[i]
			a.Stories = append(a.Stories, t.Name)
			a.Pos = append(a.Pos, t.Position(label.Event))
		}
	}
	var out []Conflict
	for _, p := range inOrder {
		if len(p.actions) > 1 {
			out = append(out, Conflict{p.after, p.actions})
		}
	}
	return out, nil
}

func lastThing(s *dialogue.State) string {
	switch {
	case s.Action != tracker.ListenAction && s.HasAction():
		return fmt.Sprintf("action %q", s.Action+s.ActionText)
	case s.Intent != "":
		return fmt.Sprintf("intent %q", s.Intent)
	default:
		return fmt.Sprintf("text %q", s.Text)
	}
}

// Problem describes the conflict as a warning at the first story's action.
func (c Conflict) Problem() diag.Problem {
	var ways []string
	var hint string
	for i, a := range c.Actions {
		at := fmt.Sprintf("story %q", a.Stories[0])
		if more := len(a.Stories) - 1; more > 0 {
			at += fmt.Sprintf(" (and %d more)", more)
		}
		ways = append(ways, fmt.Sprintf("%q in %s", a.Action, at))
		if i > 0 {
			hint += " and " + a.Pos[0].String()
		}
	}
	return diag.Problem{
		Pos:      c.Actions[0].Pos[0],
		Severity: diag.Warning,
		Code:     "story-conflict",
		Message:  fmt.Sprintf("stories that look the same go on differently after %s: %s", c.After, strings.Join(ways, ", ")),
		Hint:     "compare with" + strings.TrimPrefix(hint, " and") + "; make them differ earlier, or look at more history",
	}
}
