package app

import (
	"context"
	"errors"
	"log/slog"
	"sync"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/evaluate"
	"github.com/loquat-dev/loquat/internal/nludata"
	"github.com/loquat-dev/loquat/internal/project"
	"github.com/loquat-dev/loquat/internal/telemetry"
	"github.com/loquat-dev/loquat/internal/tracing"
	"github.com/loquat-dev/loquat/internal/training"
)

// crossValidate trains and tests on parts of the examples.
func crossValidate(ctx context.Context, o TestNLUOptions, config string, result *TestNLUResult, problems *diag.List) (err error) {
	t, err := startTracing(o.Endpoints, o.Logger, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, t.Shutdown(context.WithoutCancel(ctx))) }()
	ctx, end := t.TestCommand(ctx)
	defer func() { end(err) }()
	trainer, err := newNLUTrainer("", o.paths(config), t, o.Telemetry, o.Logger, problems)
	if err != nil {
		return err
	}
	cv, err := evaluate.CrossValidate(ctx, trainer.project.NLU, o.Folds, trainer.inMemory, o.Progress)
	if err != nil {
		return err
	}
	result.CV, result.Evaluations = cv, cv.Tests.All()
	result.Files, err = o.files(o.Out).Write(result.Evaluations)
	return err
}

// paths are those of a project with one of the configurations, without its stories.
func (o TestNLUOptions) paths(config string) project.Paths {
	return project.Paths{Config: config, Domain: []string{o.Domain}, Data: []string{o.NLU}, WithoutStories: true}
}

// nluTrainer trains one configuration on different examples.
type nluTrainer struct {
	project   *project.Project
	tracing   *tracing.Tracing
	telemetry *telemetry.Recorder // may be nil
	logger    *slog.Logger
}

// newNLUTrainer reads a project without its stories. What is wrong with it, or
// with its configuration, is found before the first training.
func newNLUTrainer(dir string, paths project.Paths, t *tracing.Tracing, r *telemetry.Recorder, logger *slog.Logger, problems *diag.List) (*nluTrainer, error) {
	n := &nluTrainer{project: project.Load(dir, paths, problems), tracing: t, telemetry: r, logger: slog.New(&onceHandler{Handler: logger.Handler(), said: &sync.Map{}})}
	n.project.NLU = n.project.NLU.With(annotatedIndices(n.project.NLU.Examples))
	run, err := training.Prepare(n.settings(n.project.NLU))
	if run != nil {
		problems.AddAll(run.Problems)
	}
	for _, p := range diag.Of(err) {
		problems.Add(p)
	}
	if wrong := problems.Err(); wrong != nil {
		return nil, wrong
	}
	return n, err
}

func (n *nluTrainer) settings(data *nludata.TrainingData) training.Settings {
	p := *n.project
	p.NLU = data
	return training.Settings{Project: &p, Part: training.NLU, Types: Catalog(), Hook: n.tracing.Nodes(), Logger: n.logger}
}

// inMemory trains a model that is written nowhere.
func (n *nluTrainer) inMemory(ctx context.Context, data *nludata.TrainingData) (evaluate.Parser, error) {
	run, err := training.Prepare(n.settings(data))
	if err != nil {
		return nil, err
	}
	ended := reportTraining(n.telemetry, run.Project, TrainNLU, false)
	m, err := trainInMemory(ctx, n.tracing, run)
	ended(err)
	if err != nil {
		return nil, err
	}
	return load(m, nil, n.logger)
}

// toFile trains a model and writes it into a folder.
func (n *nluTrainer) toFile(ctx context.Context, data *nludata.TrainingData, dir, name string) (evaluate.Parser, error) {
	s := n.settings(data)
	s.Out, s.FixedModelName = dir, name
	run, err := training.Prepare(s)
	if err != nil {
		return nil, err
	}
	ended := reportTraining(n.telemetry, run.Project, TrainNLU, false)
	m, err := trainAndPack(ctx, n.tracing, run, false)
	ended(err)
	if err != nil {
		return nil, err
	}
	return load(m, nil, n.logger)
}

// onceHandler drops records that were logged already: every training of a test has
// the same to say.
type onceHandler struct {
	slog.Handler
	said *sync.Map
}

// Handle logs a record unless the same was logged before.
func (h *onceHandler) Handle(ctx context.Context, r slog.Record) error {
	key := r.Level.String() + r.Message
	r.Attrs(func(a slog.Attr) bool {
		key += " " + a.String()
		return true
	})
	if _, again := h.said.LoadOrStore(key, true); again {
		return nil
	}
	return h.Handler.Handle(ctx, r)
}

// WithAttrs returns a handler with the same memory.
func (h *onceHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &onceHandler{h.Handler.WithAttrs(attrs), h.said}
}

// WithGroup returns a handler with the same memory.
func (h *onceHandler) WithGroup(name string) slog.Handler {
	return &onceHandler{h.Handler.WithGroup(name), h.said}
}
