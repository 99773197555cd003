package dialoguebench

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/loquat-dev/loquat/internal/assistant"
	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/dialogue"
	"github.com/loquat-dev/loquat/internal/dialogue/trainingtracker"
	"github.com/loquat-dev/loquat/internal/story"
	"github.com/loquat-dev/loquat/internal/tracker"
	"github.com/loquat-dev/loquat/internal/yamlfile"
)

// features are what decides alone in the projects of testdata/decides, which have
// TEDPolicy and no memoization.
var features = []string{"slots", "entities", "loop", "text"}

// benchDecides tells how many actions TEDPolicy predicts where one thing alone
// tells which is right.
func benchDecides(ctx context.Context, w io.Writer, root string) error {
	const columns = "%-10s %18s %15s\n"
	fmt.Fprintf(w, "\nTEDPolicy where one thing alone decides (bench/dialoguebench/testdata/decides)\n")
	fmt.Fprintf(w, columns, "decides", "right actions", "most frequent")
	for _, feature := range features {
		r, err := decide(ctx, filepath.Join(root, "bench", "dialoguebench", "testdata", "decides", feature))
		if err != nil {
			return fmt.Errorf("%s: %w", feature, err)
		}
		fmt.Fprintf(w, columns, feature, fmt.Sprintf("%d of %d", r.right, r.actions), fmt.Sprintf("%d of %d", r.frequent, r.actions))
	}
	return nil
}

// decision counts the actions after messages, but for those of forms, in the tests
// of a project.
type decision struct {
	actions, right int
	frequent       int // that always the same action would have got right
	wrong          []string
}

// decide trains a project and predicts the stories in its folder tests.
func decide(ctx context.Context, dir string) (decision, error) {
	var r decision
	a, err := train(ctx, dir, "config.yml")
	if err != nil {
		return r, err
	}
	stories, err := testStories(ctx, a, filepath.Join(dir, "tests", "stories.yml"))
	if err != nil {
		return r, err
	}
	count := map[string]int{}
	for _, s := range stories {
		t := tracker.New(s.Name, a.Domain())
		for _, e := range s.Events() {
			if action, ok := e.(*tracker.ActionExecuted); ok && decides(action) {
				name, policy, err := predictNext(ctx, a, t)
				if err != nil {
					return r, err
				}
				r.actions++
				count[action.Name]++
				if name == action.Name && policy == "TEDPolicy" {
					r.right++
				} else {
					r.wrong = append(r.wrong, fmt.Sprintf("%s: %s by %s instead of %s", s.Name, name, policy, action.Name))
				}
			}
			t.Update(e)
		}
	}
	for _, n := range count {
		r.frequent = max(r.frequent, n)
	}
	return r, nil
}

// decides reports whether an action is one of those that are counted.
func decides(a *tracker.ActionExecuted) bool { return strings.HasPrefix(a.Name, "utter_") }

// predictNext chooses the next action. A form that has nothing to do with the
// message rejects it, and is asked about no more.
func predictNext(ctx context.Context, a *assistant.Assistant, t *tracker.Tracker) (name, policy string, err error) {
	for {
		p, err := a.Predict(ctx, dialogue.Situation{Tracker: t, Domain: a.Domain()})
		if err != nil {
			return "", "", err
		}
		i, _ := p.Best()
		if name = a.Domain().ActionNames()[i]; name != t.ActiveLoop().Name || t.ActiveLoop().Rejected {
			return name, p.Policy, nil
		}
		t.Update(&tracker.ActionExecutionRejected{Name: name})
	}
}

// testStories reads stories that a model was not trained on.
func testStories(ctx context.Context, a *assistant.Assistant, file string) ([]*dialogue.TrainingTracker, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var problems diag.List
	reader := story.Reader{Domain: a.Domain(), Problems: &problems}
	graph := reader.Read(yamlfile.Parse(data, file, &problems))
	once := trainingtracker.Defaults()
	once.AugmentationFactor, once.RemoveDuplicates = 0, false
	trackers, err := trainingtracker.Generate(ctx, graph, a.Domain(), once, &problems)
	if err != nil {
		return nil, err
	}
	return trackers, problems.Err()
}
