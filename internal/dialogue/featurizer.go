package dialogue

import (
	"fmt"
	"maps"
	"slices"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/graph"
)

// MaxHistoryFeaturizer is the tracker featurizer that policies use by default: it
// shows them the last max_history states.
const MaxHistoryFeaturizer = "MaxHistoryTrackerFeaturizer"

// FeaturizerConfig is the setting "featurizer" of a policy: a list with one
// tracker featurizer. Empty means the default one.
type FeaturizerConfig []struct {
	Name             string `json:"name"`
	MaxHistory       *int   `json:"max_history,omitempty"`
	RemoveDuplicates *bool  `json:"remove_duplicates,omitempty"` // has no effect: equal examples are learned once
	StateFeaturizer  []any  `json:"state_featurizer,omitempty"`  // states are compared as they are
}

// MaxHistory returns the number of states that a policy sees, nil for all: what
// the featurizer says, or else the policy's own setting.
func (c FeaturizerConfig) MaxHistory(policy *int) (*int, error) {
	return c.MaxHistoryOf(MaxHistoryFeaturizer, policy)
}

// MaxHistoryOf is MaxHistory for a policy that takes another featurizer.
func (c FeaturizerConfig) MaxHistoryOf(featurizer string, policy *int) (*int, error) {
	switch {
	case len(c) == 0:
		return policy, nil
	case len(c) > 1:
		return nil, fmt.Errorf("featurizer: a policy takes one featurizer, not %d", len(c))
	case c[0].Name != featurizer:
		hint := diag.DidYouMean(c[0].Name, []string{featurizer})
		if hint == "" {
			hint = "use " + featurizer
		}
		return nil, fmt.Errorf("featurizer: %q can't be used by this policy; %s", c[0].Name, hint)
	case c[0].MaxHistory != nil:
		return c[0].MaxHistory, nil
	default:
		return policy, nil
	}
}

// featurizerSettings are the keys of FeaturizerConfig.
var featurizerSettings = []string{"max_history", "name", "remove_duplicates", "state_featurizer"}

// Check makes the Check of a policy whose configuration is a C, and which takes this
// featurizer.
func Check[C any](featurizer string) func(graph.Config) []error {
	return func(c graph.Config) []error {
		var config C
		if err := c.Decode(&config); err != nil {
			return []error{err}
		}
		return CheckHistory(c, featurizer)
	}
}

// CheckHistory reports what no policy that takes this featurizer could do with the
// settings max_history and featurizer.
func CheckHistory(c graph.Config, featurizer string) []error {
	var s struct {
		MaxHistory *int             `json:"max_history"`
		Featurizer FeaturizerConfig `json:"featurizer"`
	}
	if err := c.Decode(&s); err != nil {
		return []error{err}
	}
	var errs []error
	n, err := s.Featurizer.MaxHistoryOf(featurizer, s.MaxHistory)
	if err != nil {
		errs = append(errs, err)
	}
	if n != nil && *n < 0 {
		errs = append(errs, fmt.Errorf("max_history must be null (all states) or a number of states, not %d", *n))
	}
	list, _ := c["featurizer"].([]any)
	for _, item := range list {
		settings, _ := item.(map[string]any)
		for _, key := range slices.Sorted(maps.Keys(settings)) {
			if !slices.Contains(featurizerSettings, key) {
				errs = append(errs, fmt.Errorf("featurizer: %s has no setting %q", featurizer, key))
			}
		}
	}
	return errs
}
