// Package rule holds RulePolicy: it applies the rules of a project, drives forms
// and other loops, and falls back when nothing else is known.
//
// A rule is learned as the states since the latest "..." of its tracker, and
// matches a conversation that ends in states which agree with them. Among
// matching rules the one with the longest text (as JSON) wins.
package rule

import (
	"encoding/json"
	"fmt"

	"github.com/loquat-dev/loquat/internal/dialogue"
	"github.com/loquat-dev/loquat/internal/graph"
)

// Name is the policy's class name.
const Name = "RulePolicy"

// Config is what config.yml may set for RulePolicy.
type Config struct {
	Priority               int     `json:"priority"`
	FallbackThreshold      float64 `json:"core_fallback_threshold"`   // probability of the fallback action
	FallbackAction         string  `json:"core_fallback_action_name"` // predicted where nothing else is
	EnableFallback         bool    `json:"enable_fallback_prediction"`
	RestrictRules          bool    `json:"restrict_rules"` // refuse rules with several user turns
	CheckForContradictions bool    `json:"check_for_contradictions"`
	UseNLUConfidence       bool    `json:"use_nlu_confidence_as_score"` // the intent's confidence instead of 1
	// Rules look back as far as they are long: these are accepted, as in Rasa, and
	// change nothing.
	MaxHistory *int                      `json:"max_history,omitempty"`
	Featurizer dialogue.FeaturizerConfig `json:"featurizer,omitempty"`
}

// Defaults returns Rasa's default settings.
func Defaults() Config {
	return Config{
		Priority:               4,
		FallbackThreshold:      0.3,
		FallbackAction:         "action_default_fallback",
		EnableFallback:         true,
		RestrictRules:          true,
		CheckForContradictions: true,
	}
}

// Type describes RulePolicy.
func Type() graph.Type {
	return graph.Define(graph.Type{
		Name:      Name,
		ClassPath: "rasa.core.policies.rule_policy.RulePolicy",
		Kinds:     []graph.Kind{graph.Policy},
		Trainable: true,
		Version:   1,
		Check:     dialogue.Check[Config](dialogue.MaxHistoryFeaturizer),
		Fns:       dialogue.Fns(),
	}, Defaults(), func(env graph.Env, c Config, saved graph.Resource) (any, error) {
		if c.MaxHistory != nil && saved == nil && env.Logger != nil {
			env.Logger.Info("max_history has no effect: a rule looks back as far as it is long", "node", env.NodeName)
		}
		return New(c, saved)
	})
}

// Policy is a RulePolicy.
type Policy struct {
	config   Config
	encoders dialogue.EncoderCache

	rules    *ruleSet // value: the action to predict
	unhappy  *ruleSet // what happens inside a loop besides the loop; value: interrupted or notTheLoop
	ruleOnly dialogue.RuleOnlyData

	// notInStories has the keys of rules, and the sources below, that no story
	// follows; the turns they cause are hidden from policies that learn from
	// stories.
	notInStories map[string]bool
}

// Values of the table for what happens inside a loop.
const (
	interrupted = "loop_was_interrupted"       // the loop comes back after something else
	notTheLoop  = "do_not_predict_loop_action" // something else goes on
)

// defaultSource and an intent name a source of predictions that is no rule of the
// project.
const defaultSource = "the default action for intent "

// fromLoop names the source of predictions that comes with an active loop.
func fromLoop(loop, action string) string {
	return "the active loop " + loop + " with " + action
}

const (
	rulesFile      = "rule_policy.json"
	ruleOnlyFile   = "rule_only_data.json"
	featurizerFile = "featurizer.json"
)

type rulesPayload struct {
	Lookup struct {
		Rules        map[string]string `json:"rules"`
		Unhappy      map[string]string `json:"rules_for_loop_unhappy_path"`
		NotInStories []string          `json:"rules_not_in_stories"`
	} `json:"lookup"`
}

// New returns an untrained policy, or the one that Persist saved.
func New(c Config, saved graph.Resource) (*Policy, error) {
	p := &Policy{config: c, rules: newRuleSet(), unhappy: newRuleSet()}
	if saved == nil {
		return p, nil
	}
	var payload rulesPayload
	if err := json.Unmarshal(saved[rulesFile], &payload); err != nil {
		return nil, fmt.Errorf("read %s: %w", rulesFile, err)
	}
	for _, table := range []struct {
		set    *ruleSet
		values map[string]string
	}{{p.rules, payload.Lookup.Rules}, {p.unhappy, payload.Lookup.Unhappy}} {
		for key, value := range table.values {
			states, err := dialogue.ParseStates(key)
			if err != nil {
				return nil, fmt.Errorf("read %s: %w", rulesFile, err)
			}
			if len(states) == 0 {
				return nil, fmt.Errorf("read %s: a rule without states", rulesFile)
			}
			table.set.add(states, value)
		}
		table.set.sort()
	}
	p.notInStories = make(map[string]bool, len(payload.Lookup.NotInStories))
	for _, key := range payload.Lookup.NotInStories {
		p.notInStories[key] = true
	}
	ruleOnly, err := ReadRuleOnly(saved)
	if err != nil {
		return nil, err
	}
	p.ruleOnly = *ruleOnly
	return p, nil
}

// ReadRuleOnly reads the slots and loops that occur in rules alone from what a
// RulePolicy persisted.
func ReadRuleOnly(saved graph.Resource) (*dialogue.RuleOnlyData, error) {
	var data dialogue.RuleOnlyData
	if err := json.Unmarshal(saved[ruleOnlyFile], &data); err != nil {
		return nil, fmt.Errorf("read %s: %w", ruleOnlyFile, err)
	}
	return &data, nil
}

// Persist returns the rules.
func (p *Policy) Persist() (graph.Resource, error) {
	var payload rulesPayload
	payload.Lookup.Rules = p.rules.table()
	payload.Lookup.Unhappy = p.unhappy.table()
	payload.Lookup.NotInStories = sortedKeys(p.notInStories)
	rules, err := json.Marshal(payload)
	if err != nil {
		return nil, err
	}
	ruleOnly, err := json.Marshal(p.ruleOnly)
	if err != nil {
		return nil, err
	}
	return graph.Resource{
		rulesFile:      rules,
		ruleOnlyFile:   ruleOnly,
		featurizerFile: []byte(`{"name":"MaxHistoryTrackerFeaturizer","max_history":null}`),
	}, nil
}

// RuleOnly returns the slots and loops that occur in rules but in no story.
func (p *Policy) RuleOnly() *dialogue.RuleOnlyData { return &p.ruleOnly }
