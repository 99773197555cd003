package provider

import (
	"slices"

	"github.com/loquat-dev/loquat/internal/domain"
	"github.com/loquat-dev/loquat/internal/nlu"
	"github.com/loquat-dev/loquat/internal/project"
	"github.com/loquat-dev/loquat/internal/story"
	"github.com/loquat-dev/loquat/internal/tracker"
)

// LabelsOf lists what stories add to the NLU data, each once and in order: the
// default actions, and the actions and user turns of all stories and rules.
func LabelsOf(p *project.Project) nlu.Labels {
	l := nlu.Labels{ActionNames: slices.Clone(domain.DefaultActions)}
	add := func(list *[]string, s string) {
		if s != "" && !slices.Contains(*list, s) {
			*list = append(*list, s)
		}
	}
	eachEvent(p.Stories, func(e tracker.Event) {
		switch e := e.(type) {
		case *tracker.ActionExecuted:
			add(&l.ActionNames, e.Name)
			add(&l.ActionTexts, e.ActionText)
		case *tracker.UserUttered:
			if e.Intent != "" {
				add(&l.Intents, e.Intent)
			} else {
				add(&l.UserTexts, e.Text)
			}
		}
	})
	return l
}

func eachEvent(g *story.Graph, f func(tracker.Event)) {
	for _, b := range g.Blocks {
		for _, e := range b.Events {
			f(e.Event)
		}
	}
}

// describeStories gives all of a story graph that policies can learn from, for
// its fingerprint.
func describeStories(g *story.Graph) []any {
	var out []any
	for _, b := range g.Blocks {
		out = append(out, b.Name, b.Rule)
		for _, checkpoints := range [][]story.Checkpoint{b.Start, b.End} {
			for _, c := range checkpoints {
				out = append(out, c.Name, c.Conditions)
			}
			out = append(out, nil)
		}
		for _, e := range b.Events {
			out = append(out, string(tracker.MarshalEvent(e.Event)))
		}
	}
	return out
}
