package app

import (
	"context"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/project"
)

// Validate checks a project without training.
func Validate(_ context.Context, o ValidateOptions) (ValidateResult, error) {
	var problems diag.List
	p := project.Load("", o.Paths.project(), &problems)
	problems.AddAll(checkProject(p, o.MaxHistory))
	return ValidateResult{Problems: problems.All(), OK: !problems.HasErrors() && (!o.FailOnWarnings || len(problems.Warnings()) == 0)}, nil
}

func checkProject(p *project.Project, maxHistory int) *diag.List {
	return &diag.List{}
}
