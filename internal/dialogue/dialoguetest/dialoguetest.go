// Package dialoguetest makes training data and conversations for tests of
// policies from a few lines of YAML.
package dialoguetest

import (
	"context"
	"testing"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/dialogue"
	"github.com/loquat-dev/loquat/internal/dialogue/trainingtracker"
	"github.com/loquat-dev/loquat/internal/domain"
	"github.com/loquat-dev/loquat/internal/story"
	"github.com/loquat-dev/loquat/internal/tracker"
	"github.com/loquat-dev/loquat/internal/yamlfile"
)

// Data reads a domain, stories and rules that stand together in one text, whose
// positions are in "project.yml".
func Data(t testing.TB, project string) dialogue.TrainingData {
	t.Helper()
	var problems diag.List
	root := yamlfile.Parse([]byte(project), "project.yml", &problems)
	d := domain.Read(root, &problems)
	reader := story.Reader{Domain: d, Problems: &problems}
	settings := trainingtracker.Defaults()
	settings.AugmentationFactor = 0
	trackers, err := trainingtracker.Generate(context.Background(), reader.Read(root), d, settings, &problems)
	if err != nil {
		t.Fatal(err)
	}
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	return dialogue.TrainingData{Trackers: trackers, Domain: d}
}

// Conversation plays events into a new conversation. A text is a user's turn with
// that intent if it begins with a slash, and else an action.
func Conversation(d *domain.Domain, events ...any) *tracker.Tracker {
	t := tracker.New("test", d)
	t.Update(&tracker.SessionStarted{})
	t.Update(&tracker.ActionExecuted{Name: tracker.ListenAction})
	Play(t, events...)
	return t
}

// Play continues a conversation as Conversation does.
func Play(t *tracker.Tracker, events ...any) {
	for _, e := range events {
		switch e := e.(type) {
		case tracker.Event:
			t.Update(e)
		case string:
			if e[0] == '/' {
				t.Update(&tracker.UserUttered{Text: e, HasText: true, Intent: e[1:], Confidence: 1})
			} else {
				t.Update(&tracker.ActionExecuted{Name: e, Confidence: 1, HasConfidence: true})
			}
		}
	}
}

// Predict returns the action that a policy predicts for a conversation, and its
// confidence.
func Predict(tb testing.TB, p dialogue.Policy, t *tracker.Tracker) (action string, confidence float64) {
	tb.Helper()
	out, err := p.Predict(context.Background(), dialogue.Situation{Tracker: t, Domain: t.Domain()})
	if err != nil {
		tb.Fatal(err)
	}
	i, confidence := out.Best()
	return t.Domain().ActionNames()[i], confidence
}
