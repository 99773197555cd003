package dialogue

import (
	"fmt"

	"github.com/loquat-dev/loquat/internal/diag"
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
