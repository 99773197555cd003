package dialogue_test

import (
	"strings"
	"testing"

	"github.com/loquat-dev/loquat/internal/dialogue"
	"github.com/loquat-dev/loquat/internal/dialogue/memoization"
	"github.com/loquat-dev/loquat/internal/dialogue/rule"
	"github.com/loquat-dev/loquat/internal/dialogue/ted"
	"github.com/loquat-dev/loquat/internal/graph"
)

func TestSettingsOfHistoryThatNoPolicyCanUse(t *testing.T) {
	featurizer := func(pairs ...any) graph.Config {
		settings := map[string]any{"name": dialogue.MaxHistoryFeaturizer}
		for i := 0; i < len(pairs); i += 2 {
			settings[pairs[i].(string)] = pairs[i+1]
		}
		return graph.Config{"featurizer": []any{settings}}
	}
	for _, c := range []struct {
		config graph.Config
		want   string // part of the error; "" for none
	}{
		{nil, ""},
		{graph.Config{"max_history": nil}, ""},
		{graph.Config{"max_history": int64(0)}, ""},
		{graph.Config{"max_history": int64(-1)}, "not -1"},
		{graph.Config{"max_history": "five"}, "text stands where a whole number belongs"},
		{featurizer("max_history", int64(3), "remove_duplicates", true, "state_featurizer", []any{}), ""},
		{featurizer("max_history", int64(-3)), "not -3"},
		{featurizer("max_histroy", int64(3)), `no setting "max_histroy"`},
		{featurizer("name", "FullDialogueTrackerFeaturizer"), "use MaxHistoryTrackerFeaturizer"},
	} {
		for _, policy := range []graph.Type{memoization.Type(), memoization.AugmentedType(), rule.Type(), ted.Type()} {
			errs := policy.Check(graph.Merged(policy.Defaults, c.config))
			if c.want == "" && len(errs) > 0 || c.want != "" && (len(errs) != 1 || !strings.Contains(errs[0].Error(), c.want)) {
				t.Errorf("%s, %v: errors %v, want %q", policy.Name, c.config, errs, c.want)
			}
		}
	}
}
