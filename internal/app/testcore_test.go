package app_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/loquat-dev/loquat/internal/app"
)

// trainBot trains an assistant that greets, and works in a folder of its own.
func trainBot(t *testing.T) {
	t.Helper()
	t.Chdir(t.TempDir())
	for name, text := range map[string]string{
		"config.yml":       "assistant_id: x\nlanguage: en\npipeline: [{name: KeywordIntentClassifier}]\npolicies: [{name: RulePolicy}]\n",
		"domain.yml":       "intents: [greet]\nresponses: {utter_greet: [{text: Hello}]}\n",
		"data/nlu.yml":     "nlu:\n- intent: greet\n  examples: |\n    - hi\n",
		"data/rules.yml":   "rules:\n- rule: greet\n  steps: [{intent: greet}, {action: utter_greet}]\n",
		"data/stories.yml": "stories: []\n",
	} {
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := app.Train(t.Context(), app.TrainOptions{
		Out: "models", CacheDir: t.TempDir(), Logger: slog.New(slog.DiscardHandler), SkipValidation: true,
		Paths: app.ProjectPaths{Config: "config.yml", Domain: "domain.yml", Data: []string{"data"}},
	}); err != nil {
		t.Fatal(err)
	}
}

func TestStoriesAreDownloaded(t *testing.T) {
	trainBot(t)
	const stories = "stories:\n- story: s\n  steps:\n  - user: hi\n    intent: greet\n  - action: utter_greet\n- story: e\n  steps:\n  - user: ${HOME}\n    intent: greet\n"
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/stories.yml":
			_, _ = io.WriteString(w, stories)
		case "/endless.yml":
			block := strings.Repeat("# nothing\n", 1<<16)
			for r.Context().Err() == nil {
				if _, err := io.WriteString(w, block); err != nil {
					return
				}
			}
		default:
			http.NotFound(w, r)
		}
	}))
	defer server.Close()
	test := func(path string) (app.TestCoreResult, error) {
		return app.TestCore(context.Background(), app.TestCoreOptions{
			Models: []string{"models"}, URL: server.URL + path, EndToEnd: true, NoPlot: true, Out: "results", Logger: slog.New(slog.DiscardHandler),
		})
	}
	found, err := test("/stories.yml?v=1")
	if err != nil || found.Tests.Total() != 2 || found.Tests.Correct != 1 {
		t.Errorf("%+v, %v", found.Tests, err)
	}
	failed, err := os.ReadFile(filepath.Join("results", "failed_test_stories.yml"))
	if err != nil || !strings.Contains(string(failed), "predicted: None: ${HOME}") {
		t.Errorf("%s, %v: what is downloaded reads no variables", failed, err)
	}
	for path, want := range map[string]string{"/gone.yml": "404 Not Found", "/endless.yml": "larger than 32 MiB"} {
		if _, err := test(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", path, err, want)
		}
	}
}
