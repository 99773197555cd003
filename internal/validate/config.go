package validate

import (
	"context"
	"slices"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/dialogue"
	"github.com/loquat-dev/loquat/internal/dialogue/rule"
	"github.com/loquat-dev/loquat/internal/graph"
	"github.com/loquat-dev/loquat/internal/project"
	"github.com/loquat-dev/loquat/internal/recipe"
)

// configuration checks what training would refuse before, or without, learning:
// the order and settings of components, and rules that contradict each other or
// the stories.
func (c *checker) configuration(ctx context.Context) error {
	kind, ok := recipe.Decide(c.Project)
	if !ok {
		return nil
	}
	completed := c.Config
	if c.AutoConfigure {
		completed, _ = recipe.Complete(c.Config, kind, c.problems)
	}
	recipe.Build(completed, c.options.Types, recipe.Options{Type: kind}, c.problems)
	recipe.Validate(completed, c.options.Types, c.problems)
	if slices.ContainsFunc(completed.Pipeline.Items, func(i project.Item) bool { return i.Name == "WhitespaceTokenizer" }) {
		c.offsets()
	}
	c.regexes(completed.Pipeline.Items)
	if completed.Recipe == recipe.GraphV1 || kind == recipe.NLU {
		return nil
	}
	policy := slices.IndexFunc(completed.Policies.Items, func(i project.Item) bool {
		name, _ := recipe.ClassName(i, c.options.Types, &diag.List{})
		return name == rule.Name
	})
	if policy < 0 {
		c.withoutRulePolicy(completed)
		return nil
	}
	if !c.Sound.Domain || !c.Sound.Data || c.endless {
		return nil
	}
	return c.rules(ctx, completed.Policies.Items[policy])
}

// withoutRulePolicy complains about what only RulePolicy can do.
func (c *checker) withoutRulePolicy(config *project.Config) {
	if len(c.Domain.Forms) > 0 {
		c.problems.Errorf(config.Policies.Pos, "no-rule-policy", "add - name: RulePolicy to the policies",
			"the domain has the form %q, and forms need RulePolicy", c.Domain.Forms[0].Name)
	}
	for _, b := range c.Stories.Blocks {
		if b.Rule {
			c.problems.Warnf(config.Policies.Pos, "no-rule-policy", "add - name: RulePolicy to the policies",
				"there are rules, and no RulePolicy that follows them")
			return
		}
	}
}

// rules asks RulePolicy what it would refuse to learn.
func (c *checker) rules(ctx context.Context, item project.Item) error {
	config := rule.Defaults()
	if graph.Config(item.Values()).Decode(&config) != nil {
		return nil //nolint:nilerr // settings of a wrong type were reported with the configuration
	}
	trackers, err := c.trackers(ctx, c.problems)
	if err != nil {
		return err
	}
	found, err := rule.Check(ctx, dialogue.TrainingData{Trackers: trackers, Domain: c.Domain}, config)
	for _, p := range found {
		if p.Pos.IsZero() {
			p.Pos = item.Pos
		}
		c.problems.Add(p)
	}
	return err
}
