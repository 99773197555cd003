// Package dialogue is the contract of policies, which choose the assistant's
// next action: what they learn from, what they see, and what they answer.
package dialogue

import (
	"context"

	"github.com/loquat-dev/loquat/internal/domain"
	"github.com/loquat-dev/loquat/internal/nlu"
	"github.com/loquat-dev/loquat/internal/story"
	"github.com/loquat-dev/loquat/internal/tracker"
)

// Policy chooses the next action of a conversation.
type Policy interface {
	// Train learns from training trackers. It must stop soon after ctx is
	// cancelled. Contradictions and the like in the project's data come back as
	// diag.Problems.
	Train(ctx context.Context, data TrainingData) error

	// Predict gives a probability for each of the domain's actions. The tracker is
	// not changed. It is safe for concurrent use on different trackers.
	Predict(ctx context.Context, in Situation) (*Prediction, error)
}

// TrainingData is what policies learn from.
type TrainingData struct {
	Trackers []*TrainingTracker
	Domain   *domain.Domain
	Texts    Texts // of the stories; nil unless training is end-to-end
}

// Texts are what users said, word for word, with what the NLU pipeline's
// tokenizers and featurizers make of it. Nobody changes them.
type Texts map[string]*nlu.Message

// TrainingTracker is one path through the stories, or one rule.
type TrainingTracker struct {
	*tracker.Tracker
	Name      string         // names of the blocks, joined by " > "
	Blocks    []*story.Block // the path
	Rule      bool
	Augmented bool
	// Unpredictable has events that are no labels: actions at the start of a story
	// before any user turn. It is shared between trackers.
	Unpredictable map[tracker.Event]bool
}

// Situation is what a policy predicts from.
type Situation struct {
	Tracker  *tracker.Tracker
	Domain   *domain.Domain
	RuleOnly *RuleOnlyData // slots and loops that occur only in rules; may be nil
	Texts    Texts         // the latest text of the user; nil unless training was end-to-end
}

// Learned is the view of policies that learn from stories alone: the last n states
// as the stories would show them.
func (in Situation) Learned(n int) View {
	view := View{Last: n, RuleOnly: in.RuleOnly, Predict: true}
	if view.RuleOnly == nil {
		view.RuleOnly = &noRules
	}
	return view
}

var noRules RuleOnlyData // one for all, so that equal views are known to be equal

// RuleOnlyData names slots and loops that occur in rules but in no story.
// Policies that learn from stories ignore them.
type RuleOnlyData struct {
	Slots []string `json:"rule_only_slots"`
	Loops []string `json:"rule_only_loops"`
}

// Prediction is a policy's answer.
type Prediction struct {
	Policy        string    // class name
	Priority      int       // higher wins at equal confidence
	Probabilities []float64 // one for each of the domain's actions, in index order
	Events        []tracker.Event
	// OptionalEvents are used only if this prediction wins.
	OptionalEvents []tracker.Event
	NoUser         bool // made without regard to the user's message
	EndToEnd       bool // made from the user's text
	HideRuleTurn   bool
	Metadata       map[string]any // of the action event; nil if none
}

// Best returns the index of the most probable action, the first on a tie, and
// its probability.
func (p *Prediction) Best() (action int, confidence float64) {
	for i, x := range p.Probabilities {
		if x > confidence || i == 0 {
			action, confidence = i, x
		}
	}
	return action, confidence
}
