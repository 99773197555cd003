package evaluate

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/loquat-dev/loquat/internal/nlu"
	"github.com/loquat-dev/loquat/internal/nludata"
	"github.com/loquat-dev/loquat/internal/story"
	"github.com/loquat-dev/loquat/internal/tracker"
)

// StoryTests are the results of playing stories.
type StoryTests struct {
	EndToEnd bool
	Correct  int // stories without a difference
	// Failed and Succeeded have each story once, in their order; Warned those that
	// succeeded with messages that were unexpectedly unlikely, the most unlikely first.
	Failed, Succeeded, Warned []story.Played
	// Actions are all actions of all stories.
	Actions []ActionPrediction
	// Texts judges what an end-to-end policy found in the messages' texts.
	Texts *Evaluation

	intents, entities []Pair // end-to-end tests alone
	warned            []warned
	texts             []Outcome
}

// ActionPrediction is an action of a story beside the one that was chosen.
type ActionPrediction struct {
	Action     string `json:"action"`
	Predicted  string `json:"predicted"`
	Policy     string `json:"policy"`
	Confidence number `json:"confidence"`
}

// warned is a story with its most unlikely message.
type warned struct {
	story.Played
	severity float64
}

// textPolicy is the policy that finds entities in texts.
const textPolicy = "TEDPolicy"

// Total is the number of stories.
func (t *StoryTests) Total() int { return len(t.Failed) + len(t.Succeeded) }

// Right is the number of actions that were chosen as the stories say.
func (t *StoryTests) Right() int {
	right := 0
	for _, a := range t.Actions {
		if a.Action == a.Predicted {
			right++
		}
	}
	return right
}

// add takes the result of one story.
func (t *StoryTests) add(p *player) {
	if p.failed {
		t.Failed = append(t.Failed, p.played)
		return
	}
	t.Succeeded = append(t.Succeeded, p.played)
	t.Correct++
	if len(p.unlikely) > 0 {
		t.warned = append(t.warned, warned{p.played, slices.Max(p.unlikely)})
	}
}

// Report scores actions, and in an end-to-end test intents and entities with them.
func (t *StoryTests) Report() *Report {
	return NewReport(slices.Concat(t.intents, t.entities, t.actionPairs()), "")
}

func (t *StoryTests) actionPairs() []Pair {
	pairs := make([]Pair, len(t.Actions))
	for i, a := range t.Actions {
		pairs[i] = Pair{a.Action, a.Predicted}
	}
	return pairs
}

// message takes a message whose entities an end-to-end policy may find. Messages
// that name their intent have nothing to find.
func (t *StoryTests) message(e *tracker.UserUttered) {
	example := &nludata.Example{Text: e.Text}
	if e.HasText && !strings.HasPrefix(e.Text, "/") {
		for _, x := range e.Entities {
			start, _ := place(x, "start")
			end, _ := place(x, "end")
			example.Entities = append(example.Entities, nludata.Entity{
				Start: start, End: end, Entity: text(x, "entity"), Role: text(x, "role"), Group: text(x, "group"), Value: x["value"],
			})
		}
	}
	t.texts = append(t.texts, Outcome{Example: example})
}

// predicted takes the entities that a policy found in the latest message.
func (t *StoryTests) predicted(entities []tracker.Entity) {
	if len(t.texts) == 0 {
		return
	}
	o := &t.texts[len(t.texts)-1]
	for _, x := range entities {
		start, _ := place(x, "start")
		end, _ := place(x, "end")
		o.Entities = append(o.Entities, nlu.Entity{
			Entity: text(x, "entity"), Start: start, End: end, Role: text(x, "role"), Group: text(x, "group"), Value: x["value"], Extractor: text(x, "extractor"),
		})
	}
}

// finish judges the messages with entities, by the tokens that the assistant makes
// of them.
func (t *StoryTests) finish(ctx context.Context, a Talker) error {
	t.Warned = sortBySeverity(t.warned)
	t.texts = slices.DeleteFunc(t.texts, func(o Outcome) bool { return len(o.Example.Entities)+len(o.Entities) == 0 })
	for i := range t.texts {
		o := &t.texts[i]
		e, err := a.Understand(ctx, o.Example.Text)
		if err != nil {
			return fmt.Errorf("find the tokens of a message: %w", err)
		}
		if o.Tokens = tokensOf(e); o.Tokens == nil {
			o.Tokens = wordsOf(o.Example.Text)
		}
	}
	t.Texts = entitiesOf(textPolicy, t.texts)
	return nil
}

// tokensOf are the tokens that the parse of a message shows; nil for none.
func tokensOf(e *tracker.UserUttered) []nlu.Token {
	var tokens []nlu.Token
	list, _ := e.ParseData["text_tokens"].([]any)
	for _, x := range list {
		span, _ := x.([]any)
		if len(span) != 2 {
			return nil
		}
		start, ok1 := place(tracker.Entity{"at": span[0]}, "at")
		end, ok2 := place(tracker.Entity{"at": span[1]}, "at")
		if !ok1 || !ok2 {
			return nil
		}
		tokens = append(tokens, nlu.Token{Start: start, End: end})
	}
	return tokens
}
