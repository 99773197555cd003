package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/domain"
	"github.com/loquat-dev/loquat/internal/evaluate"
	"github.com/loquat-dev/loquat/internal/httpapi"
	"github.com/loquat-dev/loquat/internal/project"
	"github.com/loquat-dev/loquat/internal/training"
	"github.com/loquat-dev/loquat/internal/yamlfile"
)

// defaultModels is the folder that models are kept in.
const defaultModels = "models"

// trainRequest trains the project of a request. The document is configuration,
// domain and training data at once; it reads neither the environment nor files.
func (p *parts) trainRequest(ctx context.Context, r httpapi.TrainRequest) (trained *httpapi.Trained, err error) {
	dir, remove, err := p.writeRequest(ctx, r.Project)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			remove()
		}
	}()
	out := filepath.Join(dir, defaultModels)
	if r.Save {
		if out, err = filepath.Abs(defaultModels); err != nil {
			return nil, err
		}
	}
	ctx, end := p.tracing.TrainCommand(ctx, "")
	defer func() { end("trained", err) }()
	o := TrainOptions{Out: out, Force: r.Force, Augmentation: r.Augmentation, Threads: r.Threads, Logger: p.logger, Telemetry: p.options.Telemetry}
	cache, err := openCache(o)
	if err != nil {
		return nil, err
	}
	settings := trainingSettings(ctx, o, cache, p.tracing.Nodes())
	settings.Dir = dir
	settings.Paths = requestPaths
	run, err := training.Prepare(settings)
	if err != nil {
		return nil, projectError(ctx, err)
	}
	ended := reportTraining(o.Telemetry, run.Project, o.Part, false)
	m, err := trainAndPack(ctx, p.tracing, run, false)
	ended(err)
	if err != nil {
		return nil, projectError(ctx, err)
	}
	return &httpapi.Trained{Path: m.Path, Name: filepath.Base(m.Path), Remove: remove}, nil
}

// requestFile is where the document of a request is for a while.
const requestFile = "body.yml"

// requestPaths are those of a project that is one document.
var requestPaths = project.Paths{Config: requestFile, Domain: []string{requestFile}, Data: []string{requestFile}, Foreign: true}

// writeRequest checks the document of a request and writes it into a folder of its
// own, which the caller removes.
func (p *parts) writeRequest(ctx context.Context, document []byte) (dir string, remove func(), err error) {
	if err := checkRequest(document); err != nil {
		return "", nil, err
	}
	if dir, err = os.MkdirTemp("", "loquat-train-"); err != nil {
		return "", nil, err
	}
	remove = func() {
		if err := os.RemoveAll(dir); err != nil {
			p.logger.WarnContext(ctx, "the files of a training are left over", "err", err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, requestFile), document, 0o600); err != nil {
		remove()
		return "", nil, err
	}
	return dir, remove, nil
}

// crossValidateRequest trains and tests the project of a request on parts of its
// examples in turn. Its work is not traced.
func (p *parts) crossValidateRequest(ctx context.Context, document []byte, folds int) (*evaluate.CrossValidation, error) {
	dir, remove, err := p.writeRequest(ctx, document)
	if err != nil {
		return nil, err
	}
	defer remove()
	paths := requestPaths
	paths.WithoutStories = true
	var problems diag.List
	trainer, err := newNLUTrainer(dir, paths, nil, p.options.Telemetry, p.logger, &problems)
	if err != nil {
		return nil, projectError(ctx, err)
	}
	found, err := evaluate.CrossValidate(ctx, trainer.project.NLU, folds, trainer.inMemory, nil)
	if err != nil {
		if errors.Is(err, evaluate.ErrTooManyFolds) {
			return nil, &httpapi.TrainingError{Message: err.Error()}
		}
		return nil, projectError(ctx, err)
	}
	return found, nil
}

// checkRequest tells apart what Rasa 3.6 tells apart: no YAML, and a domain that
// is none.
func checkRequest(body []byte) error {
	var problems diag.List
	root := yamlfile.ParseForeign(body, "body", &problems)
	for _, section := range []string{"nlu", "stories", "rules"} {
		if n := root.Get(section); !n.IsNull() && n.Kind != yamlfile.List {
			problems.Errorf(n.Pos, "wrong-type", "", "%s: must be a list, not %s", section, n.Kind)
		}
	}
	if err := problems.Err(); err != nil {
		return &httpapi.TrainingError{Kind: httpapi.BadYAML, Message: "The request body does not contain valid YAML. Error: " + describe(err)}
	}
	domain.Read(root, &problems)
	if err := problems.Err(); err != nil {
		return &httpapi.TrainingError{Kind: httpapi.BadDomain, Message: "The domain is not valid. Error: " + describe(err)}
	}
	return nil
}

// projectError is an error that the client can do something about, if it is one.
func projectError(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, training.ErrNothing):
		return &httpapi.TrainingError{Message: "Ran training, but it finished without a trained model."}
	case slices.ContainsFunc(diag.Of(err), func(p diag.Problem) bool { return p.Code == "too-many-paths" }):
		return &httpapi.TrainingError{Kind: httpapi.TooLarge, Message: "The stories are too large to be trained. Error: " + describe(err)}
	case diag.Of(err) != nil:
		return &httpapi.TrainingError{Message: "An unexpected error occurred during training. Error: " + describe(err)}
	}
	return fmt.Errorf("train the project of a request: %w", err)
}

// describe lists the problems of a project, a line each.
func describe(err error) string {
	var lines []string
	for _, problem := range diag.Of(err) {
		lines = append(lines, problem.Error())
	}
	if lines == nil {
		return err.Error()
	}
	return strings.Join(lines, "\n")
}
