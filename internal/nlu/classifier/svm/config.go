package svm

import (
	"fmt"
	"slices"

	"github.com/loquat-dev/loquat/internal/graph"
)

// Config is what config.yml may set for SklearnIntentClassifier.
type Config struct {
	Costs   []float64 `json:"C"`                          // to choose from
	Folds   int       `json:"max_cross_validation_folds"` // at most; a fold has five examples of each intent if it can
	Scoring string    `json:"scoring_function"`           // by which C is chosen
	Threads int       `json:"num_threads"`                // at most; below 0 all

	// Kernels must have "linear", the only one that there is.
	Kernels []string `json:"kernels"`
	// Gamma has no effect on a linear kernel, in Rasa neither.
	Gamma []float64 `json:"gamma"`
}

var defaults = Config{
	Costs:   []float64{1, 2, 5, 10, 20, 100},
	Folds:   5,
	Scoring: "f1_weighted",
	Threads: 1,
	Kernels: []string{"linear"},
	Gamma:   []float64{0.1},
}

// inVain lists the settings that were changed and have no effect.
func (c Config) inVain() []string {
	var names []string
	if !slices.Equal(c.Gamma, defaults.Gamma) {
		names = append(names, "gamma")
	}
	if slices.ContainsFunc(c.Kernels, func(k string) bool { return k != "linear" }) {
		names = append(names, "kernels other than linear")
	}
	return names
}

func check(c graph.Config) []error {
	var config Config
	if err := c.Decode(&config); err != nil {
		return []error{err}
	}
	var errs []error
	if len(config.Costs) == 0 {
		errs = append(errs, fmt.Errorf("the list C must have at least one number"))
	}
	for _, cost := range config.Costs {
		if cost <= 0 {
			errs = append(errs, fmt.Errorf("every C must be greater than 0, not %v", cost))
		}
	}
	if config.Folds < 2 {
		errs = append(errs, fmt.Errorf("max_cross_validation_folds must be at least 2, not %d", config.Folds))
	}
	if !slices.Contains(config.Kernels, "linear") {
		errs = append(errs, fmt.Errorf(`kernels must have "linear", the only one that is built; it has %q`, config.Kernels))
	}
	if _, ok := scoring[config.Scoring]; !ok {
		errs = append(errs, fmt.Errorf("scoring_function must be one of %v, not %q", scoringNames(), config.Scoring))
	}
	return errs
}
