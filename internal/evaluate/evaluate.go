// Package evaluate says how well a model understands messages and talks: it parses
// annotated examples, compares what came out with the annotations, repeats stories,
// and writes the reports of "rasa test" (Rasa 3.6.21) with their names and shapes.
//
// Play repeats stories: before each action the model says what it would do. Parse gives an Outcome for each example; everything behind it is arithmetic on
// outcomes: intents, responses of retrieval intents, and entities, which are
// compared token by token for each extractor by itself.
package evaluate

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/loquat-dev/loquat/internal/nlu"
	"github.com/loquat-dev/loquat/internal/nludata"
)

// Parser is a model that understands messages. It is safe for concurrent use.
type Parser interface {
	// Parse adds to a message, which has a text, what the model makes of it.
	Parse(ctx context.Context, m *nlu.Message) error
}

// Outcome is an annotated example beside what a model made of its text.
type Outcome struct {
	Example  *nludata.Example
	Intent   nlu.Intent // without a fall-back; no name if none was found
	Response nlu.Intent // its name is the response key; no name if none was selected
	Entities []nlu.Entity
	Tokens   []nlu.Token
}

// Parse lets a model parse the text of each example, on all cores. done, which
// may be nil, is called with the number of texts that are parsed so far, from one
// goroutine at a time. The outcomes are in the order of the examples.
func Parse(ctx context.Context, p Parser, examples []nludata.Example, done func(int)) ([]Outcome, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	outcomes := make([]Outcome, len(examples))
	var next atomic.Int64
	var counting sync.Mutex
	finished := 0
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(examples)) {
		workers.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(examples) && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				m := &nlu.Message{}
				m.Values[nlu.Text] = examples[i].Text
				if err := p.Parse(ctx, m); err != nil {
					cancel(fmt.Errorf("parse example %d: %w", i+1, err))
					return
				}
				outcomes[i] = outcomeOf(&examples[i], m)
				if done != nil {
					counting.Lock()
					finished++
					done(finished)
					counting.Unlock()
				}
			}
		})
	}
	workers.Wait()
	return outcomes, context.Cause(ctx)
}

// outcomeOf keeps what is compared of a parsed message.
func outcomeOf(e *nludata.Example, m *nlu.Message) Outcome {
	o := Outcome{Example: e, Entities: m.Entities, Tokens: m.Tokens[nlu.Text], Intent: withoutFallback(m)}
	if o.Tokens == nil {
		o.Tokens = wordsOf(e.Text)
	}
	if e.IntentResponseKey != "" {
		o.Response = selected(m.Selector, e.Intent)
	}
	return o
}

// fallbackIntent is what FallbackClassifier puts before an intent that is too
// unsure.
const fallbackIntent = "nlu_fallback"

// withoutFallback is the intent that a message would have without a
// FallbackClassifier: what is judged is the classifier, not the threshold (Rasa
// 3.6). Without a ranking behind the fall-back there is nothing to go back to.
func withoutFallback(m *nlu.Message) nlu.Intent {
	switch {
	case m.Intent == nil:
		return nlu.Intent{}
	case m.Intent.Name == fallbackIntent && len(m.Ranking) > 1 && !m.RankingHidden:
		return m.Ranking[1]
	default:
		return *m.Intent
	}
}

// selected is the response that the selector of an intent chose, else the one
// for all intents.
func selected(selectors map[string]any, intent string) nlu.Intent {
	selector, ok := selectors[intent].(map[string]any)
	if !ok {
		selector, _ = selectors["default"].(map[string]any)
	}
	response, _ := selector["response"].(map[string]any)
	name, _ := response["intent_response_key"].(string)
	confidence, _ := response["confidence"].(float64)
	return nlu.Intent{Name: name, Confidence: confidence}
}
