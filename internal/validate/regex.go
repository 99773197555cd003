package validate

import (
	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/nlu"
	"github.com/loquat-dev/loquat/internal/project"
)

// regexes complains about regular expressions that components of the pipeline
// could not compile.
func (c *checker) regexes(pipeline []project.Item) {
	for _, item := range pipeline {
		source := nlu.PatternSource{Regexes: true}
		switch item.Name {
		case "RegexFeaturizer":
		case "RegexEntityExtractor": // has no use for others than those of annotated entities
			source.Names = map[string]bool{}
			for _, example := range c.NLU.Examples {
				for _, entity := range example.Entities {
					source.Names[entity.Entity] = true
				}
			}
		default:
			continue
		}
		if used, ok := item.Values()["use_regexes"].(bool); ok && !used {
			continue
		}
		_, err := nlu.CompilePatterns(source.Patterns(c.NLU), true)
		for _, p := range diag.Of(err) {
			c.problems.Add(p)
		}
	}
}
