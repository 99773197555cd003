package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/graph"
	"github.com/loquat-dev/loquat/internal/graph/dircache"
	"github.com/loquat-dev/loquat/internal/model"
	"github.com/loquat-dev/loquat/internal/project"
	"github.com/loquat-dev/loquat/internal/tracing"
	"github.com/loquat-dev/loquat/internal/tracing/viewer"
	"github.com/loquat-dev/loquat/internal/training"
	"github.com/loquat-dev/loquat/internal/validate"
)

// Train trains a project and writes the model. Problems of the project come back
// as an error that holds all of them.
func Train(ctx context.Context, o TrainOptions) (result TrainResult, err error) {
	t, err := startTracing(o.Endpoints, o.Logger, nil)
	if err != nil {
		return result, err
	}
	defer func() { err = errors.Join(err, t.Shutdown(context.WithoutCancel(ctx))) }()

	fingerprint := ""
	if p := training.Fingerprint("."); p != nil {
		fingerprint = *p
	}
	ctx, end := t.TrainCommand(ctx, fingerprint)
	outcome := "trained"
	defer func() { end(outcome, err) }()

	cache, err := openCache(o)
	if err != nil {
		return result, err
	}
	run, err := training.Prepare(trainingSettings(ctx, o, cache, t.Nodes()))
	o.reportValidation(err)
	if err != nil {
		return result, err
	}
	defer func() { result.Warnings = run.Problems.Warnings() }()
	if o.DryRun {
		outcome = "dry run"
		result.Nodes, err = run.Stale(ctx)
		result.Stale = len(result.Nodes) > 0
		return result, err
	}
	ended := reportTraining(o.Telemetry, run.Project, o.Part, o.Finetune != "")
	m, err := trainAndPack(ctx, t, run, o.Finetune != "")
	if err == nil {
		result.ModelPath = m.Path
	}
	ended(err)
	return result, err
}

// trainAndPack trains and writes the model.
func trainAndPack(ctx context.Context, t *tracing.Tracing, run *training.Run, finetuning bool) (*model.Model, error) {
	defer spareTrainingMemory()()
	span := trainingSpan(run, run.Output)
	span.Finetuning = finetuning
	return trainTraced(ctx, t, run, span, func(ctx context.Context, trained *graph.Trained) (*model.Model, error) {
		_, end := t.Package(ctx, span)
		m, err := run.Package(trained)
		if info, statErr := os.Stat(run.Output); err == nil && statErr == nil {
			span.Size = info.Size()
		}
		end(err)
		return m, err
	})
}

// trainInMemory trains a model that is written nowhere.
func trainInMemory(ctx context.Context, t *tracing.Tracing, run *training.Run) (*model.Model, error) {
	return trainTraced(ctx, t, run, trainingSpan(run, ""), func(_ context.Context, trained *graph.Trained) (*model.Model, error) {
		return run.Model(trained)
	})
}

func trainTraced(ctx context.Context, t *tracing.Tracing, run *training.Run, span *tracing.Training, pack func(context.Context, *graph.Trained) (*model.Model, error)) (m *model.Model, err error) {
	ctx, end := t.GraphTrainer(ctx, span)
	defer func() { end(err) }()
	trained, err := run.Train(ctx)
	if err != nil {
		return nil, err
	}
	if m, err = pack(ctx, trained); err == nil {
		span.ModelID = m.ModelID
	}
	return m, err
}

// trainingSpan describes a training for its spans; output is where the model goes.
func trainingSpan(run *training.Run, output string) *tracing.Training {
	return &tracing.Training{Type: run.Type.String(), Language: run.Graphs.Language, Recipe: run.Graphs.Recipe, Output: output}
}

func trainingSettings(ctx context.Context, o TrainOptions, cache graph.Cache, hook graph.Hook) training.Settings {
	s := training.Settings{
		Paths: o.Paths.project(), Part: training.Part(o.Part), Out: o.Out, FixedModelName: o.FixedModelName, Force: o.Force,
		PersistNLUData: o.PersistNLUData, Augmentation: o.Augmentation, Threads: o.Threads, Finetune: o.Finetune,
		EpochFraction: o.EpochFraction, FailOnWarnings: o.FailOnWarnings, Types: Catalog(), Cache: cache, Hook: hook, Logger: o.Logger,
	}
	if !o.SkipValidation {
		s.Validate = func(p *project.Project) (*diag.List, error) {
			return validate.Check(ctx, p, validate.Options{
				MaxHistory: o.ValidationMaxHistory, WithoutDomain: o.Part == TrainNLU, Types: s.Types,
			})
		}
	}
	if o.Progress != nil {
		s.Progress = func(p graph.Progress) {
			o.Progress(NodeDone{Name: p.Node, Cached: p.Cached, Done: p.Done, Total: p.Total, Took: p.Took, Err: p.Err})
		}
	}
	return s
}

func (p ProjectPaths) project() project.Paths {
	return project.Paths{Config: p.Config, Domain: []string{p.Domain}, Data: p.Data}
}

// openCache opens the cache of training results that the environment names.
func openCache(o TrainOptions) (graph.Cache, error) {
	dir := o.CacheDir
	if env := os.Getenv("RASA_CACHE_DIRECTORY"); env != "" {
		dir = env
	}
	if dir == "" {
		dir = ".rasa/cache"
	}
	dir = filepath.Join(dir, os.Getenv("RASA_CACHE_NAME"))
	megabytes := int64(dircache.DefaultMaxMegabytes)
	if env := os.Getenv("RASA_MAX_CACHE_SIZE"); env != "" {
		n, err := strconv.ParseInt(env, 10, 64)
		if err != nil || n < 0 {
			return nil, fmt.Errorf("RASA_MAX_CACHE_SIZE: %q is not a number of megabytes", env)
		}
		megabytes = n
	}
	if megabytes == 0 {
		return nil, nil
	}
	return dircache.New(dir, megabytes<<20), nil
}

// startTracing reads the tracing section of an endpoints file and starts what it
// asks for; the result is nil if it asks for nothing.
func startTracing(endpoints string, logger *slog.Logger, v *viewer.Viewer) (*tracing.Tracing, error) {
	var problems, others diag.List
	e := project.ReadEndpoints(endpoints, endpoints, &others)
	if e.Root == nil {
		problems.AddAll(&others) // the file can't be read; its other sections are judged by those who need them
	}
	config := tracing.ReadConfig(e.Root, os.Getenv, &problems)
	if err := problems.Err(); err != nil {
		return nil, err
	}
	for _, p := range problems.Warnings() {
		logger.Warn(p.Error())
	}
	t, err := tracing.Start(config, tracing.Settings{Logger: logger, Viewer: v})
	if err != nil {
		return nil, fmt.Errorf("start tracing: %w", err)
	}
	return t, nil
}

// findModel reads the model that --model names.
func findModel(name string) (*model.Model, error) {
	file, err := model.Find(name)
	if errors.Is(err, model.ErrNone) {
		return nil, fmt.Errorf("%w; train one with: loquat train", err)
	}
	if err != nil {
		return nil, err
	}
	return model.Read(file)
}
