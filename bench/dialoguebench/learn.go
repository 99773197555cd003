package dialoguebench

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/dialogue"
	"github.com/loquat-dev/loquat/internal/dialogue/ted"
	"github.com/loquat-dev/loquat/internal/dialogue/trainingtracker"
	"github.com/loquat-dev/loquat/internal/domain"
	"github.com/loquat-dev/loquat/internal/graph"
	"github.com/loquat-dev/loquat/internal/story"
	"github.com/loquat-dev/loquat/internal/tracker"
	"github.com/loquat-dev/loquat/internal/yamlfile"
)

// A project that no designer has written: stories of ten messages, each of one of
// forty intents and sometimes with an entity, which one or two of sixty actions
// answer.
const (
	storiesToLearn = 300
	turnsOfStory   = 10
	intents        = 40
	answers        = 60
)

// benchLearn measures the CPU time of TEDPolicy: learning many stories, and
// predicting from all they have in common, a conversation of that length.
func benchLearn(ctx context.Context, w io.Writer, _ string) error {
	var problems diag.List
	root := yamlfile.Parse([]byte(syntheticProject()), "synthetic.yml", &problems)
	d := domain.Read(root, &problems)
	reader := story.Reader{Domain: d, Problems: &problems}
	stories := reader.Read(root)
	if err := problems.Err(); err != nil {
		return err
	}
	built, err := ted.Type().Build(graph.Env{Logger: slog.New(slog.DiscardHandler), Threads: 2}, nil, nil)
	if err != nil {
		return err
	}
	policy := built.(dialogue.Policy)
	var trackers []*dialogue.TrainingTracker
	began := time.Now()
	learned, err := cpu(func() error {
		if trackers, err = trainingtracker.Generate(ctx, stories, d, trainingtracker.Defaults(), &problems); err != nil {
			return err
		}
		return policy.Train(ctx, dialogue.TrainingData{Trackers: trackers, Domain: d})
	})
	if err != nil {
		return err
	}
	took := time.Since(began)

	t := tracker.New("long enough", d)
	t.UpdateAll(trackers[0].Events()[:len(trackers[0].Events())-1])
	const predictions = 20_000
	predicted, err := cpu(func() error {
		for range predictions {
			if _, err := policy.Predict(ctx, dialogue.Situation{Tracker: t, Domain: d}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "\nTEDPolicy, %d synthetic stories of %d messages, %d intents, %d actions, every state counts (max_history: null)\n", storiesToLearn, turnsOfStory, intents, answers)
	fmt.Fprintf(w, "training, CPU time (all in all)  %6.1f s (%.1f s)   (at most 20 s)\n", learned.Seconds(), took.Seconds())
	fmt.Fprintf(w, "a prediction, CPU time           %6.1f µs          (at most 1,000 µs)\n", float64(predicted.Nanoseconds())/predictions/1e3)
	return nil
}

func syntheticProject() string {
	random := rand.New(rand.NewPCG(1, 2))
	var b strings.Builder
	b.WriteString("entities: [e0, e1, e2]\nintents: [i0")
	for i := range intents - 1 {
		fmt.Fprintf(&b, ", i%d", i+1)
	}
	b.WriteString("]\nactions: [a0")
	for i := range answers - 1 {
		fmt.Fprintf(&b, ", a%d", i+1)
	}
	b.WriteString("]\nstories:\n")
	for i := range storiesToLearn {
		fmt.Fprintf(&b, "- story: s%d\n  steps:\n", i)
		for range turnsOfStory {
			intent := random.IntN(intents)
			entity := ""
			if random.IntN(4) == 0 {
				entity = fmt.Sprintf(", entities: [{e%d: x}]", random.IntN(3))
			}
			fmt.Fprintf(&b, "  - {intent: i%d%s}\n  - action: a%d\n", intent, entity, (intent*7+len(entity))%answers)
			if random.IntN(3) == 0 {
				fmt.Fprintf(&b, "  - action: a%d\n", (intent*11+1)%answers)
			}
		}
	}
	return b.String()
}
