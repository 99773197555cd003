package golden

import (
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/loquat-dev/loquat/internal/app"
	"github.com/loquat-dev/loquat/internal/assistant"
	"github.com/loquat-dev/loquat/internal/model"
	"github.com/loquat-dev/loquat/internal/project"
	"github.com/loquat-dev/loquat/internal/training"
)

// train trains the assistant of a file of conversations, as the command would,
// and loads the model.
func (f *conversationFile) train(dialogueDir string) (mind, error) {
	work, err := os.MkdirTemp("", "loquat-golden-")
	if err != nil {
		return mind{}, err
	}
	defer os.RemoveAll(work)
	config, err := json.Marshal(map[string]any{ // JSON is YAML
		"recipe": "default.v1", "assistant_id": "golden", "language": f.Language, "pipeline": f.Pipeline, "policies": f.Policies,
	})
	if err != nil {
		return mind{}, err
	}
	configFile := filepath.Join(work, "config.yml")
	if err := os.WriteFile(configFile, config, 0o600); err != nil {
		return mind{}, err
	}
	logger := slog.New(slog.DiscardHandler)
	dir := filepath.Join(dialogueDir, f.Assistant)
	run, err := training.Prepare(training.Settings{
		Dir: dir, Paths: project.Paths{Config: configFile, Domain: existing(dir, "domain.yml", "domain"), Data: existing(dir, "data", ".")},
		Out: work, FixedModelName: "golden", Types: app.Catalog(), Logger: logger,
	})
	if err != nil {
		return mind{}, err
	}
	ctx := context.Background()
	trained, err := run.Train(ctx)
	if err != nil {
		return mind{}, err
	}
	if _, err := run.Package(trained); err != nil {
		return mind{}, err
	}
	m, err := model.Read(run.Output)
	if err != nil {
		return mind{}, err
	}
	a, err := assistant.Load(m, app.Catalog(), nil, logger)
	if err != nil {
		return mind{}, err
	}
	return mind{domain: a.Domain(), interpreter: a, predictor: a}, nil
}

// existing returns the first of the names that is in a folder.
func existing(dir string, names ...string) []string {
	for _, name := range names {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			return []string{name}
		}
	}
	return nil
}
