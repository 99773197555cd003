package app

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/dialogue"
	"github.com/loquat-dev/loquat/internal/dialogue/trainingtracker"
	"github.com/loquat-dev/loquat/internal/evaluate"
	"github.com/loquat-dev/loquat/internal/nludata"
	"github.com/loquat-dev/loquat/internal/project"
	"github.com/loquat-dev/loquat/internal/storygraph"
	"github.com/loquat-dev/loquat/internal/telemetry"
	"github.com/loquat-dev/loquat/internal/tracker"
)

// VisualizeOptions are the options of visualize.
type VisualizeOptions struct {
	Domain     string   // file or folder
	Stories    []string // files and folders
	NLU        string   // file or folder with examples; "" takes those beside the stories
	Out        string   // the page
	MaxHistory int

	Logger    *slog.Logger
	Telemetry *telemetry.Recorder // may be nil
}

// VisualizeResult is what visualize drew.
type VisualizeResult struct {
	Nodes, Edges int
	Warnings     []diag.Problem
}

// Visualize draws the stories and rules of a project on an HTML page.
func Visualize(ctx context.Context, o VisualizeOptions) (result VisualizeResult, err error) {
	o.Telemetry.Record(telemetry.StoryVisualizationStarted{})
	if err := checkPage(o.Out); err != nil {
		return result, err
	}
	var problems diag.List
	defer func() { result.Warnings = problems.Warnings() }()
	paths, err := readPaths(ctx, o, &problems)
	if err != nil {
		return result, err
	}
	g, err := paths.graph(ctx, nil)
	if err != nil {
		return result, err
	}
	result.Nodes, result.Edges = len(g.Nodes), len(g.Edges)
	var page bytes.Buffer
	if err := storygraph.WritePage(ctx, &page, g, "Stories and rules"); err != nil {
		return result, err
	}
	return result, evaluate.WriteFile(o.Out, page.Bytes())
}

// checkPage refuses a file that is there and is no page: it may be part of the
// project.
func checkPage(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return nil // most likely it is not there; if it can't be written, that is said later
	}
	defer func() { _ = f.Close() }() // it was read
	start := make([]byte, 512)
	n, err := io.ReadFull(f, start)
	if errors.Is(err, io.EOF) || bytes.Contains(bytes.ToLower(start[:n]), []byte("<html")) {
		return nil
	}
	return fmt.Errorf("%s is there already and is no HTML page; name another file: --out", path)
}

// mostDrawn bounds the events of paths that are drawn: a page with more is of no
// use to anybody.
const mostDrawn = 500_000

// paths are the ways that the stories and rules of a project take.
type paths struct {
	trackers   []*dialogue.TrainingTracker
	examples   *nludata.TrainingData
	maxHistory int
}

func readPaths(ctx context.Context, o VisualizeOptions, problems *diag.List) (*paths, error) {
	p := project.Load("", project.Paths{Domain: []string{o.Domain}, Data: o.Stories}, problems)
	examples := p.NLU
	if o.NLU != "" {
		examples = project.LoadNLU("", []string{o.NLU}, problems)
	}
	if err := problems.Err(); err != nil {
		return nil, err
	}
	c := trainingtracker.Defaults()
	c.AugmentationFactor, c.Concatenate, c.MostEvents = 0, false, mostDrawn
	trackers, err := trainingtracker.Generate(ctx, p.Stories, p.Domain, c, problems)
	if err != nil {
		return nil, fmt.Errorf("read stories: %w", err)
	}
	slices.SortStableFunc(trackers, func(a, b *dialogue.TrainingTracker) int { return cmp.Compare(rank(a), rank(b)) })
	return &paths{trackers, examples, o.MaxHistory}, nil
}

// rank puts stories before rules.
func rank(t *dialogue.TrainingTracker) int {
	if t.Rule {
		return 1
	}
	return 0
}

// graph merges the paths, and those of more conversations.
func (p *paths) graph(ctx context.Context, more [][]tracker.Event) (*storygraph.Graph, error) {
	trackers := slices.Clone(p.trackers)
	for _, events := range more {
		trackers = append(trackers, &dialogue.TrainingTracker{Tracker: tracker.FromEvents("", nil, events)})
	}
	return storygraph.Build(ctx, trackers, p.maxHistory, p.examples)
}
