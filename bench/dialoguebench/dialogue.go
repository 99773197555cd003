// Package dialoguebench measures how well policies choose actions, and what a turn
// costs, each figure beside its bound or beside what Rasa 3.6.21 reaches.
package dialoguebench

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/dialogue"
	"github.com/loquat-dev/loquat/internal/dialogue/ensemble"
	"github.com/loquat-dev/loquat/internal/dialogue/rule"
	"github.com/loquat-dev/loquat/internal/dialogue/ted"
	"github.com/loquat-dev/loquat/internal/dialogue/trainingtracker"
	"github.com/loquat-dev/loquat/internal/domain"
	"github.com/loquat-dev/loquat/internal/graph"
	"github.com/loquat-dev/loquat/internal/project"
	"github.com/loquat-dev/loquat/internal/sharedtest"
	"github.com/loquat-dev/loquat/internal/story"
	"github.com/loquat-dev/loquat/internal/tracker"
)

// recordedFolds is ted.json: how well Rasa 3.6.21 learned two thirds of an
// assistant's stories.
type recordedFolds struct {
	Assistants []struct {
		Bot     string `json:"bot"`
		Stories int    `json:"stories"`
		Folds   []struct {
			Fold     int     `json:"fold"`
			Accuracy float64 `json:"accuracy"`
			Seconds  float64 `json:"seconds"`
		} `json:"folds"`
	} `json:"assistants"`
}

const foldColumns = "%-24s %5s %9s %9s %15s %15s %7s %9s %9s %9s\n"

// Measure prints all of it; root is the folder of the repository.
func Measure(ctx context.Context, w io.Writer, root string) error {
	for _, part := range []func(context.Context, io.Writer, string) error{benchFolds, benchDecides, benchUnexpected, benchLearn, benchTurns} {
		if err := part(ctx, w, root); err != nil {
			return err
		}
	}
	return nil
}

// benchFolds measures TEDPolicy on stories that it has not seen.
func benchFolds(ctx context.Context, w io.Writer, _ string) error {
	dir, ok := sharedtest.Find("data")
	if !ok {
		fmt.Fprintf(w, "TEDPolicy: the recordings are not here (looked for %s)\n", dir)
		return nil
	}
	data, err := os.ReadFile(filepath.Join(dir, "golden", "dialogue", "ted.json"))
	if err != nil {
		return err
	}
	var recorded recordedFolds
	if err := json.Unmarshal(data, &recorded); err != nil {
		return err
	}
	fmt.Fprintln(w, "TEDPolicy learns two thirds of the stories and predicts the actions of the rest (no memoization; RulePolicy for forms)")
	fmt.Fprintf(w, foldColumns, "assistant", "fold", "actions", "TED", "nearest state", "most frequent", "Rasa", "training", "Rasa", "predict")
	for _, assistant := range recorded.Assistants {
		var problems diag.List
		p := project.Load(filepath.Join(dir, "bots", assistant.Bot), project.DefaultPaths(), &problems)
		var mean, nearest, frequent, rasa float64
		for _, fold := range assistant.Folds {
			train, test := splitStories(p.Stories, fold.Fold)
			result, err := measureFold(ctx, p.Domain, train, test)
			if err != nil {
				return err
			}
			fmt.Fprintf(w, foldColumns, assistant.Bot, fmt.Sprint(fold.Fold), fmt.Sprint(result.actions), share(result.ted), share(result.nearest),
				share(result.frequent), share(fold.Accuracy), fmt.Sprintf("%.2f s", result.training.Seconds()), fmt.Sprintf("%.0f s", fold.Seconds),
				fmt.Sprintf("%.0f µs", float64(result.prediction.Nanoseconds())/1e3))
			n := float64(len(assistant.Folds))
			mean, nearest, frequent, rasa = mean+result.ted/n, nearest+result.nearest/n, frequent+result.frequent/n, rasa+fold.Accuracy/n
		}
		fmt.Fprintf(w, foldColumns, assistant.Bot, "mean", "", share(mean), share(nearest), share(frequent), share(rasa), "", "", "")
	}
	return nil
}

func share(v float64) string { return fmt.Sprintf("%.1f %%", 100*v) }

// splitStories takes every third story for testing, and leaves out the rules; with
// a fold of -1 all stories are both. The blocks of a story, of which checkpoints and or steps make several, stay together.
func splitStories(g *story.Graph, fold int) (train, test *story.Graph) {
	train, test = &story.Graph{}, &story.Graph{}
	number := map[diag.Position]int{}
	for _, b := range g.Blocks {
		if b.Rule {
			continue
		}
		if _, ok := number[b.Pos]; !ok {
			number[b.Pos] = len(number)
		}
		if fold < 0 || number[b.Pos]%3 == fold {
			test.Blocks = append(test.Blocks, b)
		}
		if fold < 0 || number[b.Pos]%3 != fold {
			train.Blocks = append(train.Blocks, b)
		}
	}
	return train, test
}

type foldResult struct {
	actions                int
	ted, nearest, frequent float64 // share of right actions
	training, prediction   time.Duration
}

func measureFold(ctx context.Context, d *domain.Domain, train, test *story.Graph) (foldResult, error) {
	var r foldResult
	var problems diag.List
	trackers, err := trainingtracker.Generate(ctx, train, d, trainingtracker.Defaults(), &problems)
	if err != nil {
		return r, err
	}
	once := trainingtracker.Defaults()
	once.AugmentationFactor, once.RemoveDuplicates = 0, false
	tests, err := trainingtracker.Generate(ctx, test, d, once, &problems)
	if err != nil {
		return r, err
	}
	env := graph.Env{Logger: slog.New(slog.DiscardHandler), Threads: 2}
	learned, err := ted.Type().Build(env, graph.Config{"max_history": int64(5)}, nil)
	if err != nil {
		return r, err
	}
	rules, err := rule.Type().Build(env, graph.Config{"enable_fallback_prediction": false}, nil)
	if err != nil {
		return r, err
	}
	data := dialogue.TrainingData{Trackers: trackers, Domain: d}
	if err := rules.(dialogue.Policy).Train(ctx, data); err != nil {
		return r, err
	}
	began := time.Now()
	policy := learned.(dialogue.Policy)
	if err := policy.Train(ctx, data); err != nil {
		return r, err
	}
	r.training = time.Since(began)
	for _, p := range []struct {
		policy dialogue.Policy
		into   *float64
	}{{policy, &r.ted}, {newNearest(data), &r.nearest}, {newFrequent(data), &r.frequent}} {
		began := time.Now()
		right, all, err := storyAccuracy(ctx, d, tests, rules.(dialogue.Policy), p.policy)
		if err != nil {
			return r, err
		}
		*p.into, r.actions = float64(right)/float64(all), all
		if p.policy == policy {
			r.prediction = time.Since(began) / time.Duration(all)
		}
	}
	return r, nil
}

// storyAccuracy counts the actions of stories that the policies predict, as Rasa's
// "test core" does: what was predicted wrongly is put right before the story goes
// on, and a form that should have been left is rejected and asked about again.
func storyAccuracy(ctx context.Context, d *domain.Domain, stories []*dialogue.TrainingTracker, policies ...dialogue.Policy) (right, all int, err error) {
	for _, s := range stories {
		t := tracker.New("test", d)
		for i, event := range s.Events() {
			action, ok := event.(*tracker.ActionExecuted)
			if !ok || i == 0 || s.Unpredictable[action] {
				t.Update(event)
				continue
			}
			want := action.Name
			got, err := predictWith(ctx, d, t, policies)
			if err != nil {
				return 0, 0, err
			}
			if got != want && got == t.ActiveLoop().Name && t.LatestActionName() == tracker.ListenAction {
				t.Update(&tracker.ActionExecutionRejected{Name: got})
				if got, err = predictWith(ctx, d, t, policies); err != nil {
					return 0, 0, err
				}
			}
			if all++; got == want {
				right++
			}
			t.Update(event)
		}
	}
	return right, all, nil
}

func predictWith(ctx context.Context, d *domain.Domain, t *tracker.Tracker, policies []dialogue.Policy) (string, error) {
	var predictions []*dialogue.Prediction
	for _, p := range policies {
		out, err := p.Predict(ctx, dialogue.Situation{Tracker: t, Domain: d})
		if err != nil {
			return "", err
		}
		predictions = append(predictions, out)
	}
	winner, err := ensemble.Ensemble{}.Combine(predictions, d, t)
	if err != nil {
		return "", err
	}
	i, _ := winner.Best()
	return d.ActionNames()[i], nil
}

// baseline is a policy that TEDPolicy has to beat.
type baseline struct {
	predict func([]dialogue.State) string
}

func (b *baseline) Train(context.Context, dialogue.TrainingData) error { return nil }

func (b *baseline) Predict(_ context.Context, in dialogue.Situation) (*dialogue.Prediction, error) {
	out := &dialogue.Prediction{Probabilities: make([]float64, len(in.Domain.ActionNames()))}
	states := dialogue.NewEncoder(in.Domain).States(in.Tracker.AppliedEvents(), dialogue.View{Last: 5, Predict: true})
	if i, ok := in.Domain.ActionIndex(b.predict(states)); ok {
		out.Probabilities[i] = 0.9
	}
	return out, nil
}

// newFrequent always predicts the most frequent action of the stories.
func newFrequent(data dialogue.TrainingData) dialogue.Policy {
	count, best := map[string]int{}, ""
	eachLabel(data, func(action string, _ []dialogue.State) {
		if count[action]++; count[action] > count[best] {
			best = action
		}
	})
	return &baseline{func([]dialogue.State) string { return best }}
}

// newNearest predicts what followed the situation of the stories that has the most
// states in common.
func newNearest(data dialogue.TrainingData) dialogue.Policy {
	type memory struct {
		action string
		states []dialogue.State
	}
	var memories []memory
	eachLabel(data, func(action string, states []dialogue.State) { memories = append(memories, memory{action, states}) })
	return &baseline{func(now []dialogue.State) string {
		best, most := "", -1
		for _, m := range memories {
			same := 0
			for back := 1; back <= min(len(now), len(m.states)); back++ {
				if now[len(now)-back].Equal(&m.states[len(m.states)-back]) {
					same++
				}
			}
			if same > most {
				best, most = m.action, same
			}
		}
		return best
	}}
}

func eachLabel(data dialogue.TrainingData, visit func(action string, states []dialogue.State)) {
	encoder := dialogue.NewEncoder(data.Domain)
	for _, t := range data.Trackers {
		for _, label := range encoder.Labels(t, dialogue.View{}) {
			visit(label.Action, label.States[max(0, len(label.States)-5):])
		}
	}
}
