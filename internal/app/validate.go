package app

import (
	"context"
	"os"
	"runtime/debug"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/project"
	"github.com/loquat-dev/loquat/internal/telemetry"
	"github.com/loquat-dev/loquat/internal/validate"
)

// Validate checks a project without training.
func Validate(ctx context.Context, o ValidateOptions) (ValidateResult, error) {
	if os.Getenv("GOMEMLIMIT") == "" {
		// Collect garbage early enough to judge the largest projects within 1 GB.
		defer debug.SetMemoryLimit(debug.SetMemoryLimit(900 << 20))
	}
	var problems diag.List
	p := project.Load("", o.Paths.project(), &problems)
	found, err := validate.Check(ctx, p, validate.Options{StoriesOnly: o.StoriesOnly, MaxHistory: o.MaxHistory, Types: Catalog()})
	if err != nil {
		return ValidateResult{}, err
	}
	problems.AddAll(found)
	result := ValidateResult{Problems: problems.All(), OK: !validate.Failed(problems.All(), o.FailOnWarnings)}
	o.Telemetry.Record(telemetry.TrainingDataValidated{Success: result.OK})
	return result, nil
}
