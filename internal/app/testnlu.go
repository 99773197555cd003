package app

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/loquat-dev/loquat/internal/assistant"
	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/evaluate"
	"github.com/loquat-dev/loquat/internal/evaluate/plot"
	"github.com/loquat-dev/loquat/internal/httpapi"
	"github.com/loquat-dev/loquat/internal/nludata"
	"github.com/loquat-dev/loquat/internal/project"
)

// TestNLU judges a model's understanding of annotated examples and writes the
// reports.
func TestNLU(ctx context.Context, o TestNLUOptions) (result TestNLUResult, err error) {
	var problems diag.List
	defer func() { result.Warnings = problems.Warnings() }()
	configs, several, err := namedConfigs(o.Configs)
	switch {
	case err != nil:
		return result, err
	case o.CrossValidation && several:
		return result, errors.New("--cross-validation takes one --config; leave it out to compare several")
	case o.CrossValidation:
		config := "config.yml"
		if len(configs) == 1 {
			config = configs[0].path
		}
		err = crossValidate(ctx, o, config, &result, &problems)
		return result, err
	case several:
		err = compare(ctx, o, configs, &result, &problems)
		return result, err
	case len(configs) == 1:
		o.Logger.Warn("a model has its own configuration: one --config is for --cross-validation, several are compared", "config", configs[0].path)
	}
	data, err := testData(o.NLU, &problems)
	if err != nil {
		return result, err
	}
	m, err := findModel(o.Model)
	if err != nil {
		return result, err
	}
	parser, err := load(m, nil, o.Logger)
	if err != nil {
		return result, err
	}
	if !parser.Understands() {
		return result, fmt.Errorf("the model %s understands no messages: it was trained without NLU; train one that does with: loquat train nlu", m.Path)
	}
	result.Model = m.Path
	reportUnknown(parser, data, &problems)
	outcomes, err := evaluate.Parse(ctx, parser, data.Examples, o.progress("parsing examples", len(data.Examples)))
	if err != nil {
		return result, err
	}
	result.Examples = len(outcomes)
	result.Evaluations = evaluate.Evaluate(outcomes).All()
	result.Files, err = o.files(o.Out).Write(result.Evaluations)
	if err == nil {
		o.Telemetry.Record(modelTested(data))
	}
	return result, err
}

func (o TestNLUOptions) files(dir string) evaluate.Files {
	files := evaluate.Files{Dir: dir, Successes: o.Successes, NoErrors: o.NoErrors}
	if !o.NoPlot {
		files.Plots = plot.Of
	}
	return files
}

func (o TestNLUOptions) progress(doing string, total int) func(int) {
	if o.Progress == nil {
		return nil
	}
	return func(done int) { o.Progress(evaluate.Step{Doing: doing, Done: done, Total: total}) }
}

// testData reads annotated examples.
func testData(path string, problems *diag.List) (*nludata.TrainingData, error) {
	data := project.LoadNLU("", []string{path}, problems)
	if err := problems.Err(); err != nil {
		return nil, err
	}
	data = data.With(annotatedIndices(data.Examples))
	if len(data.Examples) == 0 {
		return nil, fmt.Errorf("there are no annotated examples at %s; name a file or folder with NLU data: --nlu", path)
	}
	return data, nil
}

// annotatedIndices are the indices of examples that something can be compared
// with.
func annotatedIndices(examples []nludata.Example) []int {
	var out []int
	for i, e := range examples {
		if e.Text != "" && (e.Intent != "" || len(e.Entities) > 0) {
			out = append(out, i)
		}
	}
	return out
}

// reportUnknown warns about intents of the test data that the model's domain does
// not have: they can only be wrong.
func reportUnknown(a *assistant.Assistant, data *nludata.TrainingData, problems *diag.List) {
	if len(a.Domain().Intents) == 0 {
		return // a model of NLU alone, without a domain
	}
	known := a.Domain().IntentNames()
	seen := map[string]bool{}
	for _, e := range data.Examples {
		if e.Intent != "" && !seen[e.Intent] && !slices.Contains(known, e.Intent) {
			problems.Warnf(e.Pos, "unknown-intent", diag.DidYouMean(e.Intent, known), "the model was trained without the intent %q, so its examples can't be understood", e.Intent)
		}
		seen[e.Intent] = true
	}
}

// errNoModel says that there is nothing to judge.
var errNoModel = errors.New("no model is loaded")

// examiner judges the running model, of which there may be none, or the one at a path. Its
// work is not traced: a test parses thousands of texts.
func examiner(running func() *assistant.Assistant, o ServeOptions) httpapi.Examiner {
	return func(ctx context.Context, path string, data *nludata.TrainingData) (*evaluate.Evaluations, error) {
		parser := running()
		if parser != nil {
			parser = parser.Unwatched()
		}
		if path != "" {
			m, err := findModel(path)
			if err != nil {
				return nil, err
			}
			if parser, err = load(m, nil, o.Logger); err != nil {
				return nil, err
			}
		}
		if parser == nil {
			return nil, errNoModel
		}
		outcomes, err := evaluate.Parse(ctx, parser, data.With(annotatedIndices(data.Examples)).Examples, nil)
		if err != nil {
			return nil, err
		}
		o.Telemetry.Record(modelTested(data))
		return evaluate.Evaluate(outcomes), nil
	}
}
