package recipe

import (
	"slices"

	"github.com/loquat-dev/loquat/internal/nludata"
	"github.com/loquat-dev/loquat/internal/project"
)

// Decide tells what a project has to train (nlu.md §3.1, Rasa 3.6.21). It reports
// false when there is nothing.
func Decide(p *project.Project) (TrainingType, bool) {
	examples, stories, endToEnd := HasExamples(p), len(p.Stories.Blocks) > 0, p.Stories.EndToEnd()
	switch {
	case !examples && !stories:
		return 0, false
	case !p.HasDomain, !stories:
		return NLU, true
	case !examples && !endToEnd:
		return Core, true
	case endToEnd:
		return EndToEnd, true
	default:
		return Both, true
	}
}

// HasExamples reports whether there are texts with an intent or a response.
func HasExamples(p *project.Project) bool {
	return slices.ContainsFunc(p.NLU.Examples, func(e nludata.Example) bool { return e.Text != "" && (e.Intent != "" || e.Response != "") })
}
