package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/evaluate"
	"github.com/loquat-dev/loquat/internal/project"
	"github.com/loquat-dev/loquat/internal/story"
	"github.com/loquat-dev/loquat/internal/training"
)

// CompareCoreOptions are the options of train core with several configurations.
type CompareCoreOptions struct {
	TrainOptions          // Paths.Config is not used
	Configs      []string // files, and folders of them
	Runs         int
	Percentages  []int // of stories and rules that are left out
	// Doing is told which training begins; may be nil.
	Doing func(what string)
}

// CompareCoreResult says what a comparison has trained.
type CompareCoreResult struct {
	Models   []string
	Warnings []diag.Problem
}

// CompareCore trains each configuration several times, with fewer and fewer of the
// stories and rules, the same for all configurations. The models are called
// run_1/CONFIG__percentage__25.tar.gz, where test core --evaluate-model-directory
// looks for them, and num_stories.json has how many stories each percentage leaves
// (Rasa 3.6).
func CompareCore(ctx context.Context, o CompareCoreOptions) (result CompareCoreResult, err error) {
	configs, _, err := namedConfigs(o.Configs)
	if err != nil {
		return result, err
	}
	t, err := startTracing(o.Endpoints, o.Logger, nil)
	if err != nil {
		return result, err
	}
	defer func() { err = errors.Join(err, t.Shutdown(context.WithoutCancel(ctx))) }()
	ctx, end := t.TrainCommand(ctx, "")
	defer func() { end("trained", err) }()
	cache, err := openCache(o.TrainOptions)
	if err != nil {
		return result, err
	}
	o.Part, o.Logger = TrainCore, slog.New(&onceHandler{Handler: o.Logger.Handler(), said: &sync.Map{}})

	var problems diag.List
	defer func() { result.Warnings = problems.Warnings() }()
	projects := make([]*project.Project, len(configs))
	for i, config := range configs { // what is wrong with any of them comes before the first training
		o.Paths.Config = config.path
		run, err := training.Prepare(trainingSettings(ctx, o.TrainOptions, cache, t.Nodes()))
		if err != nil && diag.Of(err) == nil {
			return result, fmt.Errorf("%s: %w", config.path, err)
		}
		for _, p := range diag.Of(err) {
			problems.Add(p)
		}
		if err == nil {
			projects[i] = run.Project
			problems.AddAll(run.Problems)
		}
	}
	if err := problems.Err(); err != nil {
		return result, err
	}
	o.SkipValidation = true // it was done
	stories := storiesOf(projects[0].Stories)
	var left []int
	for _, percentage := range o.Percentages {
		n := len(stories) - int(math.RoundToEven(float64(len(stories)*percentage)/100))
		if n == 0 {
			return result, fmt.Errorf("--percentages: without %d %% of %d stories and rules nothing is left", percentage, len(stories))
		}
		left = append(left, n)
	}
	for run := range o.Runs {
		order := rand.New(rand.NewPCG(uint64(run), 0)).Perm(len(stories))
		for i, percentage := range o.Percentages {
			kept := map[diag.Position]bool{}
			for _, k := range order[:left[i]] {
				kept[stories[k]] = true
			}
			for j, config := range configs {
				name := fmt.Sprintf("%s__percentage__%d", config.name, percentage)
				if o.Doing != nil {
					o.Doing(fmt.Sprintf("run %d of %d, %d %% left out: %s", run+1, o.Runs, percentage, config.name))
				}
				s := trainingSettings(ctx, o.TrainOptions, cache, t.Nodes())
				s.Project, s.Out, s.FixedModelName = withStoriesOf(projects[j], kept), filepath.Join(o.Out, fmt.Sprintf("run_%d", run+1)), name
				prepared, err := training.Prepare(s)
				if err != nil {
					return result, fmt.Errorf("%s: %w", name, err)
				}
				ended := reportTraining(o.Telemetry, prepared.Project, TrainCore, false)
				m, err := trainAndPack(ctx, t, prepared, false)
				ended(err)
				if err != nil {
					return result, fmt.Errorf("%s: %w", name, err)
				}
				result.Models = append(result.Models, m.Path)
			}
		}
	}
	numbers, err := json.MarshalIndent(left, "", "  ")
	if err != nil {
		return result, err
	}
	if err := os.MkdirAll(o.Out, 0o755); err != nil {
		return result, err
	}
	return result, evaluate.WriteFile(filepath.Join(o.Out, "num_stories.json"), numbers)
}

// storiesOf are the stories and rules of a project, by where they stand: the blocks
// of one, between checkpoints, belong together.
func storiesOf(g *story.Graph) []diag.Position {
	var out []diag.Position
	seen := map[diag.Position]bool{}
	for _, b := range g.Blocks {
		if !seen[b.Pos] {
			seen[b.Pos] = true
			out = append(out, b.Pos)
		}
	}
	return out
}

// withStoriesOf is a project with some of its stories and rules, and all else.
func withStoriesOf(p *project.Project, kept map[diag.Position]bool) *project.Project {
	out := *p
	out.Stories = &story.Graph{Foreign: p.Stories.Foreign}
	for _, b := range p.Stories.Blocks {
		if kept[b.Pos] {
			out.Stories.Blocks = append(out.Stories.Blocks, b)
		}
	}
	return &out
}
