package evaluate_test

import (
	"cmp"
	"encoding/json"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	diff "github.com/google/go-cmp/cmp"

	"github.com/loquat-dev/loquat/internal/app"
	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/evaluate"
	"github.com/loquat-dev/loquat/internal/yamlfile"
)

// trainTable trains the assistant in testdata/table and returns the folder of the
// model.
func trainTable(t *testing.T) (project, models string) {
	t.Helper()
	table, err := filepath.Abs(filepath.Join("testdata", "table"))
	if err != nil {
		t.Fatal(err)
	}
	models = t.TempDir()
	if _, err := app.Train(t.Context(), app.TrainOptions{
		Out: models, CacheDir: t.TempDir(), Logger: slog.New(slog.DiscardHandler), SkipValidation: true,
		Paths: app.ProjectPaths{Config: filepath.Join(table, "config.yml"), Domain: filepath.Join(table, "domain.yml"), Data: []string{filepath.Join(table, "data")}},
	}); err != nil {
		t.Fatal(err)
	}
	return table, models
}

// TestConversationTestsAreThoseOfRasa compares every file with the ones that "rasa
// test core --successes" of Rasa 3.6.21 wrote for the same stories. It plays them
// in an order of its own, and has places of entities among those it writes.
func TestConversationTestsAreThoseOfRasa(t *testing.T) {
	table, models := trainTable(t)
	for _, c := range []struct {
		recorded string
		stories  []string
		endToEnd bool
	}{
		{"conversations", []string{"test_stories.yml", "test_wrong.yml"}, true},
		{"stories", []string{"test_stories.yml", "test_wrong.yml"}, false},
		{"entities", []string{"test_entities.yml"}, true},
		{"forms", []string{"test_forms.yml"}, true},
	} {
		t.Run(c.recorded, func(t *testing.T) {
			tests, out := t.TempDir(), t.TempDir()
			for _, name := range c.stories {
				data, err := os.ReadFile(filepath.Join(table, "tests", name))
				if err == nil {
					err = os.WriteFile(filepath.Join(tests, name), data, 0o600)
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			if _, err := app.TestCore(t.Context(), app.TestCoreOptions{
				Models: []string{models}, Stories: tests, EndToEnd: c.endToEnd, Out: out, Successes: true, NoPlot: true, Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
			}); err != nil {
				t.Fatal(err)
			}
			recorded := filepath.Join(table, "recorded", c.recorded)
			for _, name := range names(t, recorded) {
				want, got := filepath.Join(recorded, name), filepath.Join(out, name)
				switch {
				case filepath.Ext(name) == ".yml":
					if d := diff.Diff(playedStories(t, want), playedStories(t, got)); d != "" {
						t.Errorf("%s (-rasa +loquat):\n%s", name, d)
					}
				case strings.HasSuffix(name, "_errors.json"):
					if d := diff.Diff(entityErrors(t, want), entityErrors(t, got)); d != "" {
						t.Errorf("%s (-rasa +loquat):\n%s", name, d)
					}
				default:
					compare(t, name, read(t, want), read(t, got))
				}
			}
		})
	}
}

// playedStory is a story of a file, with the comments at the ends of its lines.
type playedStory struct {
	Name     string
	Steps    any
	Comments []string
}

var (
	fileInBrackets = regexp.MustCompile(` \([^)]*\)$`)
	lineComment    = regexp.MustCompile(`(?m)^ *- (?:intent|action|bot|\w+): .*?  # (.*)$`)
)

// playedStories reads the stories of a file, sorted; none for one that says so.
func playedStories(t *testing.T, path string) []playedStory {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var out []playedStory
	for i, part := range strings.Split(string(data), "\n- story:") {
		if i == 0 {
			continue // what stands before the first
		}
		part = "- story:" + part
		var problems diag.List
		item := yamlfile.Parse([]byte(part), path, &problems).Items[0]
		if err := problems.Err(); err != nil {
			t.Fatal(err)
		}
		s := playedStory{Name: fileInBrackets.ReplaceAllString(item.Get("story").Text, ""), Steps: item.Get("steps").Any()}
		for _, m := range lineComment.FindAllStringSubmatch(part, -1) {
			if !strings.Contains(m[0], "- user:") { // Rasa says nothing there
				s.Comments = append(s.Comments, m[1])
			}
		}
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b playedStory) int {
		x, _ := json.Marshal(a)
		y, _ := json.Marshal(b)
		return cmp.Compare(string(x), string(y))
	})
	return out
}

// entityErrors are the records of a file, sorted. Rasa repeats the text in some
// entities.
func entityErrors(t *testing.T, path string) []string {
	t.Helper()
	var out []string
	for _, record := range read(t, path).([]any) {
		for _, e := range record.(map[string]any)["entities"].([]any) {
			delete(e.(map[string]any), "text")
		}
		data, err := json.Marshal(record)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, string(data))
	}
	slices.Sort(out)
	return out
}

func TestTheFirstDifferenceMayEndATest(t *testing.T) {
	table, models := trainTable(t)
	_, err := app.TestCore(t.Context(), app.TestCoreOptions{
		Models: []string{models}, Stories: filepath.Join(table, "tests", "test_wrong.yml"), EndToEnd: true, FailFast: true, Out: t.TempDir(), Logger: slog.New(slog.DiscardHandler),
	})
	if err == nil || !strings.Contains(err.Error(), "a message was understood differently") || !strings.Contains(err.Error(), "- intent: bye  # predicted: greet: hello") || strings.Contains(err.Error(), "utter_bye") {
		t.Errorf("the error is %v", err)
	}
}

func TestStoriesThatAreGoneFromTheReportsAreRemoved(t *testing.T) {
	out := t.TempDir()
	earlier := filepath.Join(out, "successful_test_stories.yml")
	if err := os.WriteFile(earlier, []byte("stories: []\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := &evaluate.StoryTests{Texts: &evaluate.Evaluation{Name: "TEDPolicy", Report: &evaluate.Report{}}}
	if _, err := (evaluate.StoryFiles{Files: evaluate.Files{Dir: out}}).Write(tests); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(earlier); err == nil {
		t.Error("the stories of an earlier run are still there")
	}
	data, err := os.ReadFile(filepath.Join(out, "failed_test_stories.yml"))
	if err != nil || !strings.HasPrefix(string(data), "# None") {
		t.Errorf("failed stories: %q, %v", data, err)
	}
}
