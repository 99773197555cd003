package recipe

import (
	"slices"
	"strings"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/project"
	"github.com/loquat-dev/loquat/internal/yamlfile"
)

// The recipes of Rasa 3.6.
const (
	DefaultV1 = "default.v1"
	GraphV1   = "graph.v1"
)

// What stands in for a pipeline and policies that a configuration leaves out
// (nlu.md §3, Rasa 3.6.21).
const automatic = `
pipeline:
- name: WhitespaceTokenizer
- name: RegexFeaturizer
- name: LexicalSyntacticFeaturizer
- name: CountVectorsFeaturizer
- name: CountVectorsFeaturizer
  analyzer: char_wb
  min_ngram: 1
  max_ngram: 4
- name: DIETClassifier
  epochs: 100
  constrain_similarities: true
- name: EntitySynonymMapper
- name: ResponseSelector
  epochs: 100
  constrain_similarities: true
- name: FallbackClassifier
  threshold: 0.3
  ambiguity_threshold: 0.1
policies:
- name: MemoizationPolicy
- name: RulePolicy
- name: UnexpecTEDIntentPolicy
  max_history: 5
  epochs: 100
- name: TEDPolicy
  max_history: 5
  epochs: 100
  constrain_similarities: true
`

// Complete fills in what a configuration leaves out: the recipe, and for the
// parts that are trained the pipeline and the policies. It returns the completed
// configuration, the argument unchanged, and the keys that were filled in. The
// file is left alone.
func Complete(c *project.Config, t TrainingType, problems *diag.List) (completed *project.Config, filled []string) {
	out := *c
	switch out.Recipe {
	case "":
		out.Recipe = DefaultV1
		problems.Warnf(diag.Position{File: c.File}, "no-recipe", `write "recipe: default.v1" at the top`, "the configuration names no recipe; default.v1 is assumed")
	case DefaultV1, GraphV1:
	default:
		problems.Errorf(c.RecipePos, "unknown-recipe", "known are: default.v1, graph.v1", "there is no recipe %q", c.Recipe)
		out.Recipe = DefaultV1
	}
	if out.Recipe == GraphV1 {
		return &out, nil
	}
	standIn := project.ParseConfig(yamlfile.Parse([]byte(automatic), c.File, problems), c.File, problems)
	fill := func(key string, wanted bool, section *project.Section, by project.Section) {
		if !wanted || section.Present {
			return
		}
		by = project.Section{Present: true, Items: slices.Clone(by.Items), Pos: section.Pos}
		for i := range by.Items {
			by.Items[i].Pos = diag.Position{File: c.File} // the file has no such line
		}
		*section = by
		filled = append(filled, key)
	}
	fill("pipeline", t.hasNLU(), &out.Pipeline, standIn.Pipeline)
	fill("policies", t.hasCore(), &out.Policies, standIn.Policies)
	return &out, filled
}

// MissingKeys lists the keys that a configuration should have for a training and
// hasn't, sorted.
func MissingKeys(c *project.Config, t TrainingType) []string {
	if c.Recipe == GraphV1 {
		return nil // Rasa asks for nothing
	}
	wanted := []string{"assistant_id"}
	if t.hasNLU() {
		wanted = append(wanted, "language", "pipeline")
	}
	if t.hasCore() {
		wanted = append(wanted, "policies")
	}
	return slices.DeleteFunc(wanted, func(key string) bool { return c.Root.Has(key) })
}

// Describe lists the names of a section, for a message.
func Describe(s project.Section) string {
	names := make([]string, len(s.Items))
	for i, item := range s.Items {
		names[i] = item.Name
	}
	return strings.Join(names, ", ")
}
