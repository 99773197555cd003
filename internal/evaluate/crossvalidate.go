package evaluate

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/loquat-dev/loquat/internal/nludata"
)

// Trainer makes a model of training data.
type Trainer func(ctx context.Context, data *nludata.TrainingData) (Parser, error)

// Step tells how far a longer evaluation has come.
type Step struct {
	Doing       string // in words
	Done, Total int
}

// CrossValidation is what came of training on all folds but one and testing on
// that one, for each fold.
type CrossValidation struct {
	Folds int
	// Dropped are the intents that have fewer examples than there are folds, with
	// the number of their examples; they were left out.
	Dropped []Confusion
	Intents Spread
	// Responses is empty if no example has a response key.
	Responses Spread
	// Entities holds a spread for each extractor that found something in any fold.
	Entities []ExtractorSpread
	// Tests evaluates all examples, each by the model that did not learn it.
	Tests *Evaluations
}

// Spread is how well the models of all folds did on what they have learned and on
// what they have not.
type Spread struct{ Train, Test Metrics }

// ExtractorSpread is the spread of one entity extractor.
type ExtractorSpread struct {
	Name string
	Spread
}

// Metrics has the scores of each fold: the accuracy, and means over examples.
type Metrics struct{ Accuracy, F1, Precision []float64 }

// crossValidationSeed decides which example is in which fold. It is fixed, so that
// two runs differ by the configuration alone.
const crossValidationSeed = 1

// ErrTooManyFolds says that no intent has an example for each fold.
var ErrTooManyFolds = errors.New("no intent has as many examples as there are folds")

// CrossValidate trains and tests once for each of n folds, which is at least 2.
// Intents with fewer than n examples are left out (Rasa 3.6). step may be nil.
func CrossValidate(ctx context.Context, data *nludata.TrainingData, n int, train Trainer, step func(Step)) (*CrossValidation, error) {
	if step == nil {
		step = func(Step) {}
	}
	c := &CrossValidation{Folds: n}
	if data = c.drop(data); len(data.Examples) == 0 {
		return nil, fmt.Errorf("%w (%d)", ErrTooManyFolds, n)
	}
	var tests, trains [][]Outcome
	for i, fold := range data.Folds(n, crossValidationSeed) {
		step(Step{fmt.Sprintf("fold %d of %d", i+1, n), i, n})
		learned, held := data.Without(fold), data.With(fold)
		parser, err := train(ctx, learned)
		if err != nil {
			return nil, fmt.Errorf("fold %d: %w", i+1, err)
		}
		for _, part := range []struct {
			of  *nludata.TrainingData
			add *[][]Outcome
		}{{learned, &trains}, {held, &tests}} {
			outcomes, err := Parse(ctx, parser, part.of.Examples, nil)
			if err != nil {
				return nil, fmt.Errorf("fold %d: %w", i+1, err)
			}
			*part.add = append(*part.add, outcomes)
		}
	}
	step(Step{"comparing with the annotations", n, n})
	c.judge(trains, tests)
	return c, nil
}

// drop leaves out the examples of intents that are too few.
func (c *CrossValidation) drop(data *nludata.TrainingData) *nludata.TrainingData {
	counts := map[string]int{}
	for i := range data.Examples {
		counts[data.Examples[i].Intent]++
	}
	for _, intent := range slices.Sorted(maps.Keys(counts)) {
		if counts[intent] < c.Folds {
			c.Dropped = append(c.Dropped, Confusion{intent, counts[intent]})
		}
	}
	var kept []int
	for i := range data.Examples {
		if counts[data.Examples[i].Intent] >= c.Folds {
			kept = append(kept, i)
		}
	}
	return data.With(kept)
}

// judge computes the metrics of each fold, and evaluates all tests together.
func (c *CrossValidation) judge(trains, tests [][]Outcome) {
	all := slices.Concat(tests...)
	c.Tests = Evaluate(all)
	for i := range tests {
		for _, part := range []struct {
			outcomes           []Outcome
			intents, responses *Metrics
		}{{trains[i], &c.Intents.Train, &c.Responses.Train}, {tests[i], &c.Intents.Test, &c.Responses.Test}} {
			part.intents.add(intents(part.outcomes).Report)
			part.responses.add(responses(part.outcomes).Report)
		}
	}
	if responses(all).Count == 0 {
		c.Responses = Spread{}
	}
	for _, name := range extractorsOf(slices.Concat(append(tests, trains...)...)) {
		e := ExtractorSpread{Name: name}
		for i := range tests {
			e.Train.add(entitiesOf(name, trains[i]).Report)
			e.Test.add(entitiesOf(name, tests[i]).Report)
		}
		c.Entities = append(c.Entities, e)
	}
}

func (m *Metrics) add(r *Report) {
	m.Accuracy = append(m.Accuracy, float64(r.Accuracy))
	m.F1 = append(m.F1, float64(r.Weighted.F1))
	m.Precision = append(m.Precision, float64(r.Weighted.Precision))
}
