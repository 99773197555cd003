// Package training is the procedure of "loquat train": read, check, decide what
// to train, run the train graph, and pack the model.
package training

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/graph"
	"github.com/loquat-dev/loquat/internal/model"
	"github.com/loquat-dev/loquat/internal/project"
	"github.com/loquat-dev/loquat/internal/provider"
	"github.com/loquat-dev/loquat/internal/recipe"
	"github.com/loquat-dev/loquat/internal/validate"
	"github.com/loquat-dev/loquat/internal/version"
)

// Part says which half of a project is trained.
type Part int

// The parts.
const (
	All Part = iota
	NLU
	Core
)

// Settings say what to train and how.
type Settings struct {
	Dir            string // folder that relative paths begin at; "" is the working directory
	Paths          project.Paths
	Project        *project.Project // read already; nil reads what Paths name
	Part           Part
	Out            string // folder of models
	FixedModelName string
	Force          bool
	PersistNLUData bool
	Augmentation   int
	Threads        int
	Finetune       string // a model or a folder of models; "" trains afresh
	EpochFraction  float64

	// Validate checks the project before it is trained; nil skips that.
	Validate func(*project.Project) (*diag.List, error)
	// FailOnWarnings refuses a project with warnings of Validate too.
	FailOnWarnings bool

	Types    graph.Types
	Cache    graph.Cache
	Hook     graph.Hook
	Logger   *slog.Logger
	Progress func(graph.Progress)
	Now      func() time.Time // time.Now if nil
}

// Run is one training of one project.
type Run struct {
	Project  *project.Project
	Type     recipe.TrainingType
	Graphs   *recipe.Graphs
	Output   string     // path of the model as it will be written
	Problems *diag.List // what was noticed on the way

	settings Settings
	training graph.Training
	importer *provider.Importer
}

// ErrNothing says that a project has nothing to train.
var ErrNothing = errors.New("there is nothing to train: the project has neither NLU examples nor stories or rules; put them into the folder data")

// Prepare reads the project, decides what there is to train, and checks it. Every
// problem that can be found without learning comes back at once.
func Prepare(s Settings) (*Run, error) {
	if s.Now == nil {
		s.Now = time.Now
	}
	r := &Run{settings: s, Problems: &diag.List{}}
	if r.Project = s.Project; r.Project == nil {
		r.Project = project.Load(s.Dir, s.Paths, r.Problems)
	}
	var err error
	if r.Type, err = r.decide(); err != nil {
		return nil, errors.Join(r.Problems.Err(), err)
	}
	if r.Project.Sound.Config {
		r.buildGraphs()
	}
	if s.Validate != nil {
		found, err := s.Validate(r.Project)
		if err != nil {
			return nil, err
		}
		r.Problems.AddAll(found)
		if s.FailOnWarnings && validate.Failed(r.Problems.All(), true) {
			r.Problems.Errorf(diag.Position{}, "warnings", "leave out --fail-on-validation-warnings to train all the same", "the project has warnings")
		}
	}
	if err := r.Problems.Err(); err != nil {
		return nil, diag.Problems(r.Problems.All())
	}
	r.Output = filepath.Join(s.Out, r.fileName())
	return r, r.prepareGraph()
}

// buildGraphs completes the configuration, which was read without errors, and
// makes the graphs that it asks for.
func (r *Run) buildGraphs() {
	s := &r.settings
	completed, filled := recipe.Complete(r.Project.Config, r.Type, r.Problems)
	for _, key := range filled {
		section := completed.Pipeline
		if key == "policies" {
			section = completed.Policies
		}
		s.Logger.Info("the configuration leaves a section out; the default is used", "section", key, "components", recipe.Describe(section))
	}
	r.Project.Config = completed
	r.Graphs = recipe.Build(completed, s.Types, recipe.Options{
		Type: r.Type, PersistNLUData: s.PersistNLUData, Augmentation: s.Augmentation,
		Finetuning: s.Finetune != "", EpochFraction: s.EpochFraction,
	}, r.Problems)
	recipe.Validate(completed, s.Types, r.Problems)
	recipe.CheckBuilt(r.Graphs, s.Types, r.Problems)
}

// decide finds out what the project has to train (nlu.md §3.1, Rasa 3.6.21).
func (r *Run) decide() (recipe.TrainingType, error) {
	examples := recipe.HasExamples(r.Project)
	stories := len(r.Project.Stories.Blocks) > 0
	endToEnd := r.Project.Stories.EndToEnd()
	switch {
	case r.settings.Part == NLU && !examples:
		return 0, errors.New("there are no NLU examples to train with; put them into the folder data")
	case r.settings.Part == NLU:
		return recipe.NLU, nil
	case r.settings.Part == Core && !stories:
		return 0, errors.New("there are no stories or rules to train with; put them into the folder data")
	case r.settings.Part == Core && !endToEnd:
		return recipe.Core, nil
	}
	decided, ok := recipe.Decide(r.Project)
	if !ok {
		return 0, ErrNothing
	}
	return decided, nil
}

func (r *Run) fileName() string {
	if name := r.settings.FixedModelName; name != "" {
		return strings.TrimSuffix(name, model.Suffix) + model.Suffix
	}
	prefix := ""
	switch r.Type {
	case recipe.NLU:
		prefix = "nlu-"
	case recipe.Core:
		prefix = "core-"
	}
	return model.NewName(prefix, r.settings.Now()) + model.Suffix
}

func (r *Run) prepareGraph() error {
	s := r.settings
	r.importer = &provider.Importer{Project: r.Project, Types: s.Types, Problems: r.Problems}
	r.training = graph.Training{
		Types: s.Types, Cache: s.Cache, Hook: s.Hook, Logger: s.Logger, Threads: s.Threads, Progress: s.Progress,
		Force: s.Force, Finetuning: s.Finetune != "",
	}
	if s.Finetune == "" {
		return nil
	}
	file, err := model.Find(s.Finetune)
	if err != nil {
		return fmt.Errorf("fine-tune: %w", err)
	}
	earlier, err := model.Read(file)
	if err != nil {
		return fmt.Errorf("fine-tune: %w", err)
	}
	r.training.Earlier = earlier.Resources
	return nil
}

// Stale returns the nodes that Train would run to learn something new.
func (r *Run) Stale(ctx context.Context) ([]string, error) {
	return r.training.Stale(ctx, &r.Graphs.Train, r.importer)
}

// Train runs the train graph.
func (r *Run) Train(ctx context.Context) (*graph.Trained, error) {
	return r.training.Train(ctx, &r.Graphs.Train, r.importer)
}

// Package packs what was learned into the model at Output.
func (r *Run) Package(trained *graph.Trained) (*model.Model, error) {
	m, err := r.Model(trained)
	if err != nil {
		return nil, err
	}
	m.Path = r.Output
	return m, model.Write(r.Output, m)
}

// Model makes a model of what was learned, in memory.
func (r *Run) Model(trained *graph.Trained) (*model.Model, error) {
	domain, err := json.Marshal(r.Project.Domain)
	if err != nil {
		return nil, fmt.Errorf("encode domain: %w", err)
	}
	m := &model.Model{Resources: trained.Resources, Metadata: model.Metadata{
		Loquat: version.Loquat, Rasa: version.Rasa, AssistantID: r.Project.Config.AssistantID, TrainingType: int(r.Type),
		NLUTarget: r.Graphs.NLUTarget, TrainSchema: r.Graphs.Train, PredictSchema: r.Graphs.Predict, Domain: domain,
		ProjectFingerprint: Fingerprint(r.settings.Dir),
	}}
	if r.Graphs.Language != "" {
		m.Language = &r.Graphs.Language
	}
	if r.Graphs.CoreTarget != "" {
		m.CoreTarget = &r.Graphs.CoreTarget
	}
	for _, item := range r.Project.Config.Spaces.Items {
		space := item.Values()
		space["name"] = item.Name
		m.Spaces = append(m.Spaces, space)
	}
	return m, m.Seal()
}

// Fingerprint identifies a project by the SHA-256 of the URL of its git remote
// "origin", as Rasa does; nil if it has none.
func Fingerprint(dir string) *string {
	remote := Remote(dir)
	if remote == "" {
		return nil
	}
	sum := sha256.Sum256([]byte(remote))
	print := hex.EncodeToString(sum[:])
	return &print
}

// Remote is the URL of a folder's git remote "origin", or "".
func Remote(dir string) string {
	data, err := os.ReadFile(filepath.Join(dir, ".git", "config"))
	if err != nil {
		return ""
	}
	inOrigin := false
	for line := range strings.Lines(string(data)) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "[") {
			inOrigin = line == `[remote "origin"]`
			continue
		}
		if key, value, ok := strings.Cut(line, "="); ok && inOrigin && strings.TrimSpace(key) == "url" {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
