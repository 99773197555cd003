package walk

import (
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/loquat-dev/loquat/internal/app"
	"github.com/loquat-dev/loquat/internal/assistant"
	"github.com/loquat-dev/loquat/internal/model"
	"github.com/loquat-dev/loquat/internal/project"
	"github.com/loquat-dev/loquat/internal/sharedtest"
	"github.com/loquat-dev/loquat/internal/training"
)

// bot is an assistant to talk to.
type bot struct {
	*assistant.Assistant
	name string
}

// bots trains the assistant of this package, and those of the shared material
// where that is at hand.
func bots(t *testing.T) []bot {
	all := []bot{train(t, "bookings", filepath.Join("testdata", "bookings"))}
	for _, name := range []string{"rasa-formbot", "financial-demo"} {
		if dir, ok := sharedtest.Find("data", "bots", name); ok {
			all = append(all, train(t, name, dir))
		} else {
			t.Logf("%s is not here and is left out", name)
		}
	}
	return all
}

// configuration leaves understanding to /intent messages; other texts have no
// intent. Every kind of policy has its say.
const configuration = `
recipe: default.v1
assistant_id: walk
language: en
pipeline:
- name: WhitespaceTokenizer
policies:
- name: AugmentedMemoizationPolicy
  max_history: 4
- name: TEDPolicy
  max_history: 4
  epochs: 5
- name: UnexpecTEDIntentPolicy
  max_history: 4
  epochs: 5
- name: RulePolicy
  core_fallback_threshold: 0.3
`

func train(t *testing.T, name, dir string) bot {
	t.Helper()
	out := t.TempDir()
	config := filepath.Join(out, "config.yml")
	if err := os.WriteFile(config, []byte(configuration), 0o600); err != nil {
		t.Fatal(err)
	}
	quiet := slog.New(slog.DiscardHandler)
	run, err := training.Prepare(training.Settings{
		Dir: dir, Paths: project.Paths{Config: config, Domain: []string{"domain.yml"}, Data: []string{"data"}},
		Out: out, FixedModelName: "walk", Types: app.Catalog(), Logger: quiet,
	})
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	trained, err := run.Train(t.Context())
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if _, err := run.Package(trained); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	m, err := model.Read(run.Output)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	a, err := assistant.Load(m, app.Catalog(), nil, quiet)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return bot{a, name}
}
