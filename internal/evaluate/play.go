package evaluate

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/loquat-dev/loquat/internal/dialogue"
	"github.com/loquat-dev/loquat/internal/story"
	"github.com/loquat-dev/loquat/internal/tracker"
)

// Talker is an assistant whose conversations are tested. It executes nothing.
type Talker interface {
	// Understand makes the event of a message that a user says.
	Understand(ctx context.Context, text string) (*tracker.UserUttered, error)
	// Next chooses the next action of a conversation, which is not changed.
	Next(ctx context.Context, t *tracker.Tracker) (action string, prediction *dialogue.Prediction, confidence float64, err error)
}

// PlayOptions say what is compared.
type PlayOptions struct {
	// EndToEnd lets the assistant understand the texts of the stories and compares
	// intents and entities too. Otherwise it is told what the stories say.
	EndToEnd bool
	// FailFast ends the test with the first difference, as a *WrongPrediction.
	FailFast bool
}

// WrongPrediction is the difference that ended a test.
type WrongPrediction struct {
	Story story.Played // up to the difference
	// Understanding tells that the message was understood differently; otherwise
	// another action was chosen.
	Understanding bool
}

func (e *WrongPrediction) Error() string {
	what := "another action was predicted than the story expects"
	if e.Understanding {
		what = "a message was understood differently from what the story expects"
	}
	return fmt.Sprintf("%s in %s:\n\n%s", what, e.Story.Name, story.WritePlayed([]story.Played{e.Story}))
}

// Play repeats stories, action by action, as "rasa test core" does (Rasa 3.6.21):
// before each action of a story the assistant says what it would do, and goes on
// from what it should have done. Actions are not executed; what they cause is
// what the story says. done, which may be nil, is called with the number of
// stories that are played so far.
func Play(ctx context.Context, a Talker, stories []*dialogue.TrainingTracker, o PlayOptions, done func(int)) (*StoryTests, error) {
	tests := &StoryTests{EndToEnd: o.EndToEnd}
	for i, s := range stories {
		p := &player{Talker: a, PlayOptions: o, tests: tests, now: tracker.New(s.ConversationID, s.Domain())}
		p.played.Name = nameOf(s)
		if err := p.play(ctx, s.Events()); err != nil {
			return nil, err
		}
		tests.add(p)
		if done != nil {
			done(i + 1)
		}
	}
	return tests, tests.finish(ctx, a)
}

// nameOf is a story's name with its file.
func nameOf(s *dialogue.TrainingTracker) string {
	if len(s.Blocks) == 0 || s.Blocks[len(s.Blocks)-1].Pos.File == "" {
		return s.Name
	}
	return fmt.Sprintf("%s (%s)", s.Name, s.Blocks[len(s.Blocks)-1].Pos.File)
}

// player plays one story.
type player struct {
	Talker
	PlayOptions
	tests  *StoryTests
	now    *tracker.Tracker // the conversation so far, as it should be
	played story.Played
	failed bool
	// unlikely has the severity of each message that was unexpectedly unlikely.
	unlikely []float64
	// understood is the latest message as the assistant understood it; nil unless
	// it had a text to understand.
	understood *tracker.UserUttered
}

func (p *player) play(ctx context.Context, events []tracker.Event) error {
	for i, e := range events {
		if err := ctx.Err(); err != nil {
			return err
		}
		var err error
		switch e := e.(type) {
		case *tracker.ActionExecuted:
			if i == 0 { // nothing leads to it
				p.keep(e)
				continue
			}
			err = p.action(ctx, e)
		case *tracker.UserUttered:
			err = p.message(ctx, e)
		default:
			p.keep(e)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// keep takes an event as the story has it.
func (p *player) keep(e tracker.Event) {
	p.now.Update(e)
	p.played.Steps = append(p.played.Steps, story.PlayedStep{Event: e})
}

// action compares an action with the one that the assistant chooses.
func (p *player) action(ctx context.Context, expected *tracker.ActionExecuted) error {
	want := cmp.Or(expected.Name, expected.ActionText)
	got, prediction, confidence, err := p.choose(ctx, want)
	if err != nil {
		return err
	}
	unlikely := got == dialogue.UnlikelyIntent && want != got
	if unlikely {
		p.warn(prediction)
		p.now.Update(&tracker.ActionExecuted{Name: dialogue.UnlikelyIntent, Policy: prediction.Policy, Confidence: confidence, HasConfidence: true})
		if got, prediction, confidence, err = p.choose(ctx, want); err != nil {
			return err
		}
	}
	p.now.Update(expected)
	step := story.PlayedStep{Event: expected}
	if unlikely {
		step.Comment = "predicted: " + dialogue.UnlikelyIntent
	}
	if got != want {
		p.failed, step.Comment = true, "predicted: "+got
		if unlikely {
			step.Comment += " after " + dialogue.UnlikelyIntent
		}
	}
	p.played.Steps = append(p.played.Steps, step)
	p.tests.Actions = append(p.tests.Actions, ActionPrediction{Action: want, Predicted: got, Policy: prediction.Policy, Confidence: number(confidence)})
	if got != want && p.FailFast {
		return &WrongPrediction{Story: p.played}
	}
	return nil
}

// choose lets the assistant choose an action. A form that would go on where the
// story does something else is asked again as if it had rejected the message,
// because nobody asks the form itself.
func (p *player) choose(ctx context.Context, want string) (got string, prediction *dialogue.Prediction, confidence float64, err error) {
	got, prediction, confidence, err = p.Next(ctx, p.now)
	if err == nil && got != want && got != "" && got == p.now.ActiveLoop().Name {
		p.now.Update(&tracker.ActionExecutionRejected{Name: got, Policy: prediction.Policy, Confidence: confidence, HasConfidence: true})
		got, prediction, confidence, err = p.Next(ctx, p.now)
	}
	if err != nil {
		return "", nil, 0, err
	}
	for _, e := range prediction.Events {
		p.now.Update(e)
		if added, ok := e.(*tracker.EntitiesAdded); ok {
			p.tests.predicted(added.Entities)
		}
	}
	if full := p.fullIntent(); full != "" && strings.Contains(want, "/") && got == "utter_"+base(full) {
		got = "utter_" + full
	}
	return got, prediction, confidence, nil
}

// fullIntent is the retrieval intent with its response that the assistant
// understood last, or "".
func (p *player) fullIntent() string {
	if p.understood == nil {
		return ""
	}
	return fullIntent(p.understood)
}

func base(intent string) string { name, _, _ := strings.Cut(intent, "/"); return name }

// warn notes a message that the assistant did not expect.
func (p *player) warn(prediction *dialogue.Prediction) {
	query, _ := prediction.Metadata["query_intent"].(map[string]any)
	severity, _ := query["severity"].(float64)
	p.unlikely = append(p.unlikely, severity)
}

// message compares a user's message with what the assistant understands.
func (p *player) message(ctx context.Context, expected *tracker.UserUttered) error {
	p.understood = nil
	p.tests.message(expected)
	want := intentOf(expected)
	if !p.EndToEnd || !expected.HasText {
		p.keep(expected)
		if p.EndToEnd {
			p.tests.intents = append(p.tests.intents, Pair{want, want})
		}
		return nil
	}
	got, err := p.Understand(ctx, expected.Text)
	if err != nil {
		return err
	}
	p.understood = got
	m := compareMessages(expected, got)
	p.tests.intents = append(p.tests.intents, Pair{m.want, m.got})
	p.tests.entities = append(p.tests.entities, m.entities...)
	if !m.wrong {
		p.now.Update(got)
		p.played.Steps = append(p.played.Steps, story.PlayedStep{Event: expected})
		return nil
	}
	p.failed = true
	p.now.Update(m.asExpected())
	p.played.Steps = append(p.played.Steps, m.step())
	if p.FailFast {
		return &WrongPrediction{Story: p.played, Understanding: true}
	}
	return nil
}

// sortBySeverity puts the most unlikely message first.
func sortBySeverity(stories []warned) []story.Played {
	slices.SortStableFunc(stories, func(a, b warned) int { return cmp.Compare(b.severity, a.severity) })
	out := make([]story.Played, len(stories))
	for i, s := range stories {
		out[i] = s.Played
	}
	return out
}
