package golden

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/project"

	"github.com/loquat-dev/loquat/internal/sharedtest"
)

// TestRecordedPredictionsLeadToRecordedTurns replays conversations with the
// recorded intents and predictions: everything but what is learned.
func TestRecordedPredictionsLeadToRecordedTurns(t *testing.T) {
	dir := sharedtest.Dir(t, "data", "golden", "dialogue")
	files, err := filepath.Glob(filepath.Join(dir, "conversations", "*.jsonl"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no recordings in %s: %v", dir, err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			f, err := readConversations(file)
			if err != nil {
				t.Fatal(err)
			}
			var problems diag.List
			d := project.LoadDomain(filepath.Join(dir, f.Assistant), domainPaths(filepath.Join(dir, f.Assistant)), &problems)
			if d == nil {
				t.Fatal(problems.All())
			}
			if f.Bot == "rasa-test-multi-domain" || f.Bot == "rasa-responseselectorbot" {
				t.Skip("parts of this domain come with training data and imported projects")
			}
			recorded := &recordedMind{}
			report := Report{File: recordedName(file)}
			if err := f.play(&report, mind{domain: d, interpreter: recorded, predictor: recorded, before: recorded.load}); err != nil {
				t.Fatal(err)
			}
			if report.OK() {
				t.Log(report)
			} else {
				t.Error(report)
			}
		})
	}
}

func domainPaths(dir string) []string {
	if _, err := os.Stat(filepath.Join(dir, "domain.yml")); err == nil {
		return []string{"domain.yml"}
	}
	return []string{"domain"}
}
