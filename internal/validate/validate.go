// Package validate judges a project before anything is learned from it: whether
// its parts know each other, whether stories contradict each other, and whether
// training would refuse its configuration or its rules.
//
// The command "data validate" prints what it finds, and "train" asks it first.
// What files say wrongly by themselves is found earlier, by package project.
package validate

import (
	"context"
	"errors"
	"slices"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/dialogue"
	"github.com/loquat-dev/loquat/internal/dialogue/trainingtracker"
	"github.com/loquat-dev/loquat/internal/domain"
	"github.com/loquat-dev/loquat/internal/graph"
	"github.com/loquat-dev/loquat/internal/project"
	"github.com/loquat-dev/loquat/internal/story"
)

// Options say what to look at.
type Options struct {
	// StoriesOnly leaves out everything but contradictions between stories.
	StoriesOnly bool
	// MaxHistory is the number of states that tell stories apart; 0 means all.
	MaxHistory int
	// WithoutDomain accepts a project without a domain, as training of NLU alone
	// does.
	WithoutDomain bool
	// Types are the known components. Nil leaves the configuration unchecked.
	Types graph.Types
}

// Check returns what is wrong with a project beyond its single files. Errors are
// what Rasa 3.6 refuses, in validation or in training; warnings are what it only
// mentions.
func Check(ctx context.Context, p *project.Project, o Options) (*diag.List, error) {
	c := checker{Project: p, options: o, problems: &diag.List{}}
	if p.Sound.Config {
		c.missingKeys()
	}
	if !o.StoriesOnly && !p.HasDomain && p.Sound.Domain && !o.WithoutDomain {
		c.emptyDomain()
	}
	known := p.Sound.Domain && p.HasDomain
	if !o.StoriesOnly && p.Sound.Domain {
		c.examples()
	}
	if !o.StoriesOnly && known {
		c.domain()
		c.storyParts()
	}
	if !o.StoriesOnly && known && p.Sound.Data {
		c.intents()
		c.responses()
	}
	if p.Sound.Domain && p.Sound.Data {
		if err := c.conflicts(ctx); err != nil {
			return nil, err
		}
	}
	if o.Types != nil && !o.StoriesOnly && p.Sound.Data {
		c.fewExamples()
	}
	if o.Types != nil && !o.StoriesOnly && p.Sound.Config {
		if err := c.configuration(ctx); err != nil {
			return nil, err
		}
	}
	return c.problems, nil
}

// Unknown gives what stories name and a domain does not know: actions, responses,
// forms and slots. In a project it is an error; to play such stories is no use, but
// does no harm.
func Unknown(g *story.Graph, d *domain.Domain) []diag.Problem {
	c := checker{Project: &project.Project{Stories: g, Domain: d}, problems: &diag.List{}}
	c.storyParts()
	return c.problems.All()
}

// failing are the warnings that count with --fail-on-warnings. Unused intents and
// responses, for one, never fail a validation (Rasa 3.6.21).
var failing = []diag.Code{"unknown-intent", "unlisted-intent", "ambiguous-example", "story-conflict"}

// Failed reports whether problems, those of reading included, make a validation
// fail.
func Failed(problems []diag.Problem, failOnWarnings bool) bool {
	return slices.ContainsFunc(problems, func(p diag.Problem) bool {
		return p.Severity == diag.Error || failOnWarnings && p.Severity == diag.Warning && slices.Contains(failing, p.Code)
	})
}

type checker struct {
	*project.Project
	options  Options
	problems *diag.List
	endless  bool // there are more paths through the stories than can be walked
}

// missingKeys mentions keys that config.yml should have.
func (c *checker) missingKeys() {
	hints := map[string]string{
		"assistant_id": "write assistant_id: and a name of its own for the assistant",
		"language":     "write language: and the code of a language, such as en",
	}
	for _, key := range []string{"assistant_id", "language"} {
		if c.Config.File != "" && !c.Config.Root.Has(key) {
			c.problems.Warnf(diag.Position{File: c.Config.File}, "missing-key", hints[key], "the configuration has no key %q", key)
		}
	}
}

// conflicts looks for stories that contradict each other.
func (c *checker) conflicts(ctx context.Context) error {
	conflicts, err := trainingtracker.Conflicts(ctx, c.Stories, c.Domain, c.options.MaxHistory)
	for _, conflict := range conflicts {
		c.problems.Add(conflict.Problem())
	}
	if tooMany, ok := errors.AsType[diag.Problem](err); ok {
		if _, err = c.trackers(ctx, &diag.List{}); err == nil { // paths that look the same count once in training
			tooMany.Severity = diag.Warning
			tooMany.Message = "contradictions were not looked for: " + tooMany.Message
			c.problems.Add(tooMany)
		}
	}
	if tooMany, ok := errors.AsType[diag.Problem](err); ok {
		c.problems.Add(tooMany)
		c.endless = true
		return nil
	}
	return err
}

// trackers are the paths through stories and rules that are learned from.
func (c *checker) trackers(ctx context.Context, problems *diag.List) ([]*dialogue.TrainingTracker, error) {
	return trainingtracker.Generate(ctx, c.Stories, c.Domain, trainingtracker.Config{RemoveDuplicates: true}, problems)
}
