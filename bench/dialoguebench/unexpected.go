package dialoguebench

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/dialogue"
	"github.com/loquat-dev/loquat/internal/dialogue/trainingtracker"
	"github.com/loquat-dev/loquat/internal/dialogue/unexpected"
	"github.com/loquat-dev/loquat/internal/domain"
	"github.com/loquat-dev/loquat/internal/graph"
	"github.com/loquat-dev/loquat/internal/project"
	"github.com/loquat-dev/loquat/internal/sharedtest"
	"github.com/loquat-dev/loquat/internal/story"
	"github.com/loquat-dev/loquat/internal/tracker"
)

// recordedQuestions is testdata/unexpected.json: what Rasa's policy found unlikely.
type recordedQuestions struct {
	Runs []struct {
		Bot     string                `json:"bot"`
		Fold    int                   `json:"fold"`
		Seconds float64               `json:"seconds"`
		Asked   map[string][]question `json:"asked"` // by name of the story
	} `json:"runs"`
}

// question is about a message of a story: the story's own, or one that comes later
// in the list of all messages.
type question struct {
	message, moved int
	intent         string
	unlikely       bool // what Rasa's policy said
}

// UnmarshalJSON reads the list of the fields.
func (q *question) UnmarshalJSON(data []byte) error {
	return json.Unmarshal(data, &[]any{&q.message, &q.moved, &q.intent, &q.unlikely})
}

// detection counts what a policy finds unlikely.
type detection struct{ told, alarms, moved, found int }

func (d *detection) add(moved, unlikely bool) {
	n := 0
	if unlikely {
		n = 1
	}
	if moved {
		d.moved, d.found = d.moved+1, d.found+n
	} else {
		d.told, d.alarms = d.told+1, d.alarms+n
	}
}

func (d detection) recall() string      { return share(float64(d.found) / float64(max(1, d.moved))) }
func (d detection) falseAlarms() string { return share(float64(d.alarms) / float64(max(1, d.told))) }

// benchUnexpected asks UnexpecTEDIntentPolicy what Rasa's was asked: messages as
// stories tell them, and messages that were moved to where they do not belong.
func benchUnexpected(ctx context.Context, w io.Writer, root string) error {
	data, err := os.ReadFile(filepath.Join(root, "bench", "dialoguebench", "testdata", "unexpected.json"))
	if err != nil {
		return err
	}
	var recorded recordedQuestions
	if err := json.Unmarshal(data, &recorded); err != nil {
		return err
	}
	dir, ok := sharedtest.Find("data")
	if !ok {
		fmt.Fprintf(w, "UnexpecTEDIntentPolicy: the assistants are not here (looked for %s)\n", dir)
		return nil
	}
	const columns = "%-24s %-13s %7s %9s %9s %7s %13s %9s\n"
	fmt.Fprintf(w, "\nUnexpecTEDIntentPolicy: messages at places where no story has them (recall), and where stories have them (false alarms)\n")
	fmt.Fprintf(w, columns, "assistant", "asked about", "moved", "recall", "Rasa", "told", "false alarms", "Rasa")
	var sum, sumRasa detection
	for _, run := range recorded.Runs {
		bot := filepath.Join(dir, "bots", run.Bot)
		if _, err := os.Stat(bot); err != nil {
			bot = filepath.Join(dir, "golden", "dialogue", "bots", run.Bot)
		}
		var problems diag.List
		p := project.Load(bot, project.DefaultPaths(), &problems)
		train, test := splitStories(p.Stories, run.Fold)
		asked := "other stories"
		if run.Fold < 0 {
			asked = "its stories"
		}
		policy, err := trainUnexpected(ctx, p.Domain, train)
		if err != nil {
			return err
		}
		messages, err := messagesOf(ctx, p.Domain, test)
		if err != nil {
			return err
		}
		var ours, rasa detection
		for at, m := range messages {
			for _, q := range run.Asked[m.story.Name] {
				if q.message != m.number {
					continue
				}
				other := messages[(at+q.moved)%len(messages)]
				if other.intent != q.intent {
					return fmt.Errorf("%s, fold %d: the question is about %q, not %q", run.Bot, run.Fold, q.intent, other.intent)
				}
				unlikely, err := isUnlikely(ctx, policy, m, other)
				if err != nil {
					return err
				}
				for _, d := range []*detection{&ours, &sum} {
					d.add(q.moved > 0, unlikely)
				}
				for _, d := range []*detection{&rasa, &sumRasa} {
					d.add(q.moved > 0, q.unlikely)
				}
			}
		}
		fmt.Fprintf(w, columns, run.Bot, asked, fmt.Sprint(ours.moved), ours.recall(), rasa.recall(), fmt.Sprint(ours.told), ours.falseAlarms(), rasa.falseAlarms())
	}
	fmt.Fprintf(w, columns, "all", "", fmt.Sprint(sum.moved), sum.recall(), sumRasa.recall(), fmt.Sprint(sum.told), sum.falseAlarms(), sumRasa.falseAlarms())
	return nil
}

func trainUnexpected(ctx context.Context, d *domain.Domain, stories *story.Graph) (dialogue.Policy, error) {
	var problems diag.List
	trackers, err := trainingtracker.Generate(ctx, stories, d, trainingtracker.Defaults(), &problems)
	if err != nil {
		return nil, err
	}
	env := graph.Env{Logger: slog.New(slog.DiscardHandler), Threads: 2}
	built, err := unexpected.Type().Build(env, graph.Config{"max_history": int64(5)}, nil)
	if err != nil {
		return nil, err
	}
	policy := built.(dialogue.Policy)
	return policy, policy.Train(ctx, dialogue.TrainingData{Trackers: trackers, Domain: d})
}

// message is a message of a story, with the slots that are set right after it.
type message struct {
	story  *dialogue.TrainingTracker
	number int // in the story
	intent string
	before []tracker.Event
	events []tracker.Event
}

// messagesOf lists the messages of stories, of which those of one name count once.
func messagesOf(ctx context.Context, d *domain.Domain, stories *story.Graph) ([]message, error) {
	once := trainingtracker.Defaults()
	once.AugmentationFactor, once.RemoveDuplicates = 0, false
	var problems diag.List
	trackers, err := trainingtracker.Generate(ctx, stories, d, once, &problems)
	if err != nil {
		return nil, err
	}
	var out []message
	known := map[string]bool{}
	for _, t := range trackers {
		if known[t.Name] {
			continue
		}
		known[t.Name] = true
		number := 0
		events := t.Events()
		for i, e := range events {
			u, ok := e.(*tracker.UserUttered)
			if !ok {
				continue
			}
			end := i + 1
			for end < len(events) && isSlot(events[end]) {
				end++
			}
			if u.Intent != "" {
				out = append(out, message{t, number, u.Intent, events[:i], events[i:end]})
			}
			number++
		}
	}
	return out, nil
}

func isSlot(e tracker.Event) bool { _, ok := e.(*tracker.SlotSet); return ok }

// isUnlikely reports whether the policy finds the message unlikely in the place of
// another.
func isUnlikely(ctx context.Context, policy dialogue.Policy, place, m message) (bool, error) {
	d := place.story.Domain()
	t := tracker.New("question", d)
	t.UpdateAll(place.before)
	t.UpdateAll(m.events)
	out, err := policy.Predict(ctx, dialogue.Situation{Tracker: t, Domain: d})
	if err != nil {
		return false, err
	}
	_, confidence := out.Best()
	return confidence > 0, nil
}
