// Package memoization holds MemoizationPolicy and AugmentedMemoizationPolicy:
// they remember the stories word for word and predict only what they have seen.
package memoization

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/loquat-dev/loquat/internal/dialogue"
	"github.com/loquat-dev/loquat/internal/graph"
)

// Config is what config.yml may set for both policies.
type Config struct {
	MaxHistory *int `json:"max_history"` // number of states that make a memory; null is all
	Priority   int  `json:"priority"`
	// Compress is accepted: memories are kept as they are, and compressed with the
	// rest of the model.
	Compress         bool `json:"enable_feature_string_compression"`
	UseNLUConfidence bool `json:"use_nlu_confidence_as_score"` // the intent's confidence instead of 1
	// Featurizer may say max_history too; it must be the MaxHistoryTrackerFeaturizer.
	Featurizer dialogue.FeaturizerConfig `json:"featurizer,omitempty"`
}

// Type describes MemoizationPolicy.
func Type() graph.Type { return define("MemoizationPolicy", false) }

// AugmentedType describes AugmentedMemoizationPolicy, which forgets the oldest
// turns of a conversation one by one until it remembers the rest.
func AugmentedType() graph.Type { return define("AugmentedMemoizationPolicy", true) }

func define(name string, augmented bool) graph.Type {
	return graph.Define(graph.Type{
		Name:      name,
		ClassPath: "rasa.core.policies.memoization." + name,
		Kinds:     []graph.Kind{graph.Policy},
		Trainable: true,
		Version:   1,
		Check:     dialogue.Check[Config](dialogue.MaxHistoryFeaturizer),
		Fns:       dialogue.Fns(),
	}, Config{Priority: 3, Compress: true}, func(_ graph.Env, c Config, saved graph.Resource) (any, error) {
		return newPolicy(name, augmented, c, saved)
	})
}

// Policy is a MemoizationPolicy or an AugmentedMemoizationPolicy.
type Policy struct {
	name      string
	augmented bool
	config    Config
	encoders  dialogue.EncoderCache

	memories map[string]string // action by states as JSON
	longest  int               // most states in one memory
}

const (
	memoriesFile   = "memorized_turns.json"
	featurizerFile = "featurizer.json"
)

type memoriesPayload struct {
	Lookup  map[string]string `json:"lookup"`
	Longest int               `json:"longest"`
}

type featurizerPayload struct {
	Name       string `json:"name"`
	MaxHistory *int   `json:"max_history"`
}

func newPolicy(name string, augmented bool, c Config, saved graph.Resource) (*Policy, error) {
	p := &Policy{name: name, augmented: augmented, config: c}
	maxHistory, err := c.Featurizer.MaxHistory(c.MaxHistory)
	if err != nil {
		return nil, err
	}
	p.config.MaxHistory = maxHistory
	if saved == nil {
		return p, nil
	}
	var m memoriesPayload
	if err := json.Unmarshal(saved[memoriesFile], &m); err != nil {
		return nil, fmt.Errorf("read %s: %w", memoriesFile, err)
	}
	var f featurizerPayload
	if err := json.Unmarshal(saved[featurizerFile], &f); err != nil {
		return nil, fmt.Errorf("read %s: %w", featurizerFile, err)
	}
	p.memories, p.longest, p.config.MaxHistory = m.Lookup, max(0, m.Longest), f.MaxHistory
	return p, nil
}

// Persist returns the memories.
func (p *Policy) Persist() (graph.Resource, error) {
	memories, err := json.Marshal(memoriesPayload{p.memories, p.longest})
	if err != nil {
		return nil, err
	}
	featurizer, err := json.Marshal(featurizerPayload{"MaxHistoryTrackerFeaturizer", p.config.MaxHistory})
	if err != nil {
		return nil, err
	}
	return graph.Resource{memoriesFile: memories, featurizerFile: featurizer}, nil
}

// Train remembers every story. What leads to different actions in different
// stories is not remembered.
func (p *Policy) Train(ctx context.Context, data dialogue.TrainingData) error {
	p.memories, p.longest = map[string]string{}, 0
	encoder := p.encoders.For(data.Domain)
	ambiguous := map[string]bool{}
	for _, t := range data.Trackers {
		if err := ctx.Err(); err != nil {
			return err
		}
		if t.Rule || t.Augmented {
			continue
		}
		for _, label := range encoder.Labels(t, dialogue.View{}) {
			states := p.recent(dialogue.WithoutUnlikelyIntents(label.States))
			key := string(dialogue.AppendStates(nil, states))
			switch action, known := p.memories[key]; {
			case ambiguous[key]:
			case known && action != label.Action:
				ambiguous[key] = true
				delete(p.memories, key)
			default:
				p.memories[key] = label.Action
				p.longest = max(p.longest, len(states))
			}
		}
	}
	return nil
}

// recent cuts a list of states to max_history.
func (p *Policy) recent(states []dialogue.State) []dialogue.State {
	if n := p.config.MaxHistory; n != nil && *n > 0 && len(states) > *n {
		return states[len(states)-*n:]
	}
	return states
}
