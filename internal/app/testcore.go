package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"

	"github.com/loquat-dev/loquat/internal/assistant"
	"github.com/loquat-dev/loquat/internal/conversation"
	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/dialogue"
	"github.com/loquat-dev/loquat/internal/dialogue/trainingtracker"
	"github.com/loquat-dev/loquat/internal/domain"
	"github.com/loquat-dev/loquat/internal/evaluate"
	"github.com/loquat-dev/loquat/internal/evaluate/plot"
	"github.com/loquat-dev/loquat/internal/model"
	"github.com/loquat-dev/loquat/internal/project"
	"github.com/loquat-dev/loquat/internal/story"
	"github.com/loquat-dev/loquat/internal/telemetry"
	"github.com/loquat-dev/loquat/internal/tracing"
	"github.com/loquat-dev/loquat/internal/validate"
)

// TestCoreOptions are the options of test core.
type TestCoreOptions struct {
	// Models are compared if there are several. A folder stands for its newest model,
	// or with WholeFolder for all of them.
	Models      []string
	WholeFolder bool
	Stories     string // file or folder with stories
	URL         string // of a file to be read instead; "" for none
	MaxStories  int    // 0 means all
	EndToEnd    bool   // stories of files named test_*, with what users say
	FailFast    bool   // the first difference is an error
	Endpoints   string // for its tracing entry; may be missing

	Out        string // folder of reports
	Successes  bool   // write what was right, too
	NoErrors   bool
	NoWarnings bool
	NoPlot     bool

	Logger    *slog.Logger
	Telemetry *telemetry.Recorder // may be nil
	Progress  func(evaluate.Step) // may be nil
}

// TestCoreResult is what a test found.
type TestCoreResult struct {
	Model    string
	Tests    *evaluate.StoryTests       // of one model
	Compared []evaluate.ModelComparison // of several models, else nil
	Files    []string                   // that were written
	Warnings []diag.Problem
}

// ErrNoStories says that there is nothing to play.
var ErrNoStories = errors.New("there are no stories to test with")

// IsNothingToPlay reports whether an error of TestCore says that there was nothing
// to do: no stories, a model that does not choose actions, or, where models are
// trained for the test, no model.
func IsNothingToPlay(err error, trains bool) bool {
	return errors.Is(err, ErrNoStories) || errors.Is(err, conversation.ErrNoPolicies) || trains && errors.Is(err, model.ErrNone)
}

// TestCore plays stories with a model and writes the reports. Actions are not
// executed, and nothing is stored.
func TestCore(ctx context.Context, o TestCoreOptions) (result TestCoreResult, err error) {
	t, err := startTracing(o.Endpoints, o.Logger, nil)
	if err != nil {
		return result, err
	}
	defer func() { err = errors.Join(err, t.Shutdown(context.WithoutCancel(ctx))) }()
	ctx, end := t.TestCoreCommand(ctx)
	defer func() { end(err) }()
	var problems diag.List
	defer func() { result.Warnings = problems.Warnings() }()
	models, err := o.models()
	if err != nil {
		return result, err
	}
	body, err := o.download(ctx)
	if err != nil {
		return result, err
	}
	if len(o.Models) > 1 || o.WholeFolder {
		result.Compared, result.Files, err = o.compare(ctx, t, models, body, &problems)
		return result, err
	}
	result.Model = models[0]
	if result.Tests, err = o.test(ctx, t, models[0], body, &problems); err != nil {
		return result, err
	}
	files := evaluate.StoryFiles{Files: evaluate.Files{Dir: o.Out, Successes: o.Successes, NoErrors: o.NoErrors}, NoWarnings: o.NoWarnings}
	if !o.NoPlot {
		files.Plots = plot.Of
	}
	result.Files, err = files.Write(result.Tests)
	return result, err
}

// models are the paths of what is tested.
func (o TestCoreOptions) models() ([]string, error) {
	if o.WholeFolder {
		if len(o.Models) != 1 {
			return nil, errors.New("--evaluate-model-directory takes one folder of models: --model")
		}
		return model.FindAll(o.Models[0])
	}
	var found []string
	for _, name := range o.Models {
		m, err := findModel(name)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(found, m.Path) { // twice the same says nothing more
			found = append(found, m.Path)
		}
	}
	return found, nil
}

// test plays the stories with one model.
func (o TestCoreOptions) test(ctx context.Context, t *tracing.Tracing, path string, body []byte, problems *diag.List) (*evaluate.StoryTests, error) {
	m, err := model.Read(path)
	if err != nil {
		return nil, err
	}
	loaded, err := load(m, t, o.Logger)
	if err != nil {
		return nil, err
	}
	if !loaded.Predicts() {
		return nil, fmt.Errorf("%w: %s was trained without stories; train one with them: loquat train", conversation.ErrNoPolicies, path)
	}
	var g *story.Graph
	if o.URL != "" {
		g = project.ForeignStories(body, o.urlName(), loaded.Domain(), problems)
	} else {
		g = project.LoadStories(o.Stories, loaded.Domain(), o.EndToEnd, problems)
	}
	if err := problems.Err(); err != nil {
		return nil, err
	}
	if len(g.Blocks) == 0 {
		where := cmp.Or(o.URL, o.Stories)
		hint := "name a file or folder with stories: --stories"
		if o.EndToEnd {
			hint = "name files test_*.yml, or a folder of them: --stories"
		}
		reportCoreTested(o.Telemetry, loaded.ProjectFingerprint(), 0, o.EndToEnd) // as Rasa 3.6 does
		return nil, fmt.Errorf("%w at %s; %s", ErrNoStories, where, hint)
	}
	return o.play(ctx, conversation.Settings{Hook: t.Turns(tracing.Classes{})}, loaded, g, problems)
}

func (o TestCoreOptions) progress(total int) func(int) {
	if o.Progress == nil {
		return nil
	}
	return func(done int) { o.Progress(evaluate.Step{Doing: "playing stories", Done: done, Total: total}) }
}

// play plays the stories of a graph with a loaded model.
func (o TestCoreOptions) play(ctx context.Context, s conversation.Settings, loaded *assistant.Assistant, g *story.Graph, problems *diag.List) (*evaluate.StoryTests, error) {
	trackers, err := o.paths(ctx, g, loaded.Domain(), problems)
	if err != nil {
		return nil, err
	}
	s.Domain, s.Interpreter, s.Predictor, s.Logger = loaded.Domain(), loaded, loaded, o.Logger
	p := conversation.New(s)
	defer p.Close()
	for _, p := range validate.Unknown(g, loaded.Domain()) {
		p.Severity = diag.Warning
		problems.Add(p)
	}
	o.warnUnknownTexts(ctx, loaded.Domain(), g)
	tests, err := evaluate.Play(ctx, p, trackers, evaluate.PlayOptions{EndToEnd: o.EndToEnd, FailFast: o.FailFast}, o.progress(len(trackers)))
	if err != nil {
		return nil, err
	}
	reportCoreTested(o.Telemetry, loaded.ProjectFingerprint(), len(g.Blocks), o.EndToEnd)
	return tests, nil
}

// paths are the paths through the stories.
func (o TestCoreOptions) paths(ctx context.Context, g *story.Graph, d *domain.Domain, problems *diag.List) ([]*dialogue.TrainingTracker, error) {
	config := trainingtracker.Config{RemoveDuplicates: true}
	if o.MaxStories > 0 {
		config.TrackerLimit = &o.MaxStories
	}
	return trainingtracker.Generate(ctx, g, d, config, problems)
}

// warnUnknownTexts names texts of the assistant that the model can't say.
func (o TestCoreOptions) warnUnknownTexts(ctx context.Context, d *domain.Domain, g *story.Graph) {
	for _, b := range g.Blocks {
		for _, e := range b.Events {
			if text := story.BotText(e.Event); text != "" && !slices.Contains(d.E2EActions, text) {
				o.Logger.WarnContext(ctx, "the model was trained without a text that a story wants it to say", "story", b.Name, "text", text, "at", e.Pos.String())
			}
		}
	}
}

// compare plays the stories with several models and writes how many each plays
// without a difference.
func (o TestCoreOptions) compare(ctx context.Context, t *tracing.Tracing, models []string, body []byte, problems *diag.List) (found []evaluate.ModelComparison, written []string, err error) {
	for _, m := range models {
		tests, err := o.test(ctx, t, m, body, problems)
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", m, err)
		}
		found = append(found, evaluate.ModelComparison{Model: m, Correct: tests.Correct, Total: tests.Total()})
	}
	results, err := evaluate.ModelResultsJSON(found)
	if err != nil {
		return nil, nil, err
	}
	files := []evaluate.File{{Name: "results.json", Data: results}}
	if groups, ok := evaluate.GroupModels(found); ok && !o.NoPlot {
		pictures, err := plot.Files("core_model_comparison_graph", plot.Curves("Comparison of models", "Training stories in %", "Share of correct conversations", curvesOf(groups)))
		if err != nil {
			return nil, nil, err
		}
		files = append(files, pictures...)
	}
	if err := os.MkdirAll(o.Out, 0o777); err != nil {
		return nil, nil, fmt.Errorf("write reports: %w", err)
	}
	for _, file := range files {
		path := filepath.Join(o.Out, file.Name)
		if err := evaluate.WriteFile(path, file.Data); err != nil {
			return nil, nil, err
		}
		written = append(written, path)
	}
	return found, written, nil
}

// curvesOf shows how each configuration does with more and more stories.
func curvesOf(groups []evaluate.ModelRuns) []plot.Curve {
	var out []plot.Curve
	for _, g := range groups {
		curve := plot.Curve{Name: g.Config}
		for i := len(g.Percentages) - 1; i >= 0; i-- {
			var shares []float64
			for _, run := range g.Runs {
				shares = append(shares, float64(run[i].Correct)/float64(max(1, run[i].Total)))
			}
			curve.X = append(curve.X, float64(100-g.Percentages[i]))
			curve.Y = append(curve.Y, shares)
		}
		out = append(out, curve)
	}
	return out
}
