package evaluate_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loquat-dev/loquat/internal/evaluate"
	"github.com/loquat-dev/loquat/internal/nlu"
	"github.com/loquat-dev/loquat/internal/nludata"
)

// fruit has eight examples of apple, four of pear and one of plum. The first word
// of each is an entity.
func fruit() *nludata.TrainingData {
	d := nludata.New()
	for intent, n := range map[string]int{"apple": 8, "pear": 4, "plum": 1} {
		for i := range n {
			d.Examples = append(d.Examples, nludata.Example{
				Text: fmt.Sprintf("%s %d", intent, i), Intent: intent, Entities: []nludata.Entity{{End: len(intent), Entity: "name"}},
			})
		}
	}
	slices.SortFunc(d.Examples, func(a, b nludata.Example) int {
		if a.Text < b.Text {
			return -1
		}
		return 1
	})
	return d
}

// memory is a model that knows the texts that it was trained with, takes all
// others for apples, and finds their first word but for that of pears.
func memory(trained map[string]int) evaluate.Trainer {
	return func(_ context.Context, d *nludata.TrainingData) (evaluate.Parser, error) {
		known := map[string]string{}
		for _, e := range d.Examples {
			known[e.Text] = e.Intent
			trained[e.Text]++
		}
		return parser(func(m *nlu.Message) error {
			text := m.Values[nlu.Text]
			intent, ok := known[text]
			if !ok {
				intent = "apple"
			}
			m.Intent = &nlu.Intent{Name: intent, Confidence: 1}
			if text[0] == 'a' {
				m.Entities = []nlu.Entity{{Entity: "name", End: len("apple"), Extractor: "X"}}
			}
			return nil
		}), nil
	}
}

func TestEachExampleIsTestedByAModelThatDidNotLearnIt(t *testing.T) {
	trained := map[string]int{}
	var steps []evaluate.Step
	cv, err := evaluate.CrossValidate(t.Context(), fruit(), 4, memory(trained), func(s evaluate.Step) { steps = append(steps, s) })
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]evaluate.Confusion{{Label: "plum", Count: 1}}, cv.Dropped); d != "" {
		t.Errorf("left out (-want +got):\n%s", d)
	}
	if len(trained) != 12 || len(steps) != 5 {
		t.Errorf("%d examples were learned, in %d steps", len(trained), len(steps))
	}
	for text, n := range trained {
		if n != 3 {
			t.Errorf("%q was learned %d times, want 3", text, n)
		}
	}
	// By hand: each fold tests two apples and a pear, which is taken for an apple.
	for name, c := range map[string]struct {
		got  []float64
		want float64
	}{
		"train accuracy":   {cv.Intents.Train.Accuracy, 1},
		"train F1":         {cv.Intents.Train.F1, 1},
		"test accuracy":    {cv.Intents.Test.Accuracy, 2.0 / 3},
		"test precision":   {cv.Intents.Test.Precision, 2.0 / 3 * 2 / 3},
		"test F1":          {cv.Intents.Test.F1, 0.8 * 2 / 3},
		"entity accuracy":  {cv.Entities[0].Test.Accuracy, 5.0 / 6},
		"entity precision": {cv.Entities[0].Test.Precision, 1},
		"entity F1":        {cv.Entities[0].Test.F1, 0.8},
		"entity train F1":  {cv.Entities[0].Train.F1, 0.8},
	} {
		mean, deviation := evaluate.Mean(c.got)
		if len(c.got) != 4 || mean-c.want > 1e-12 || c.want-mean > 1e-12 || deviation > 1e-12 {
			t.Errorf("%s: %v, want four times %v", name, c.got, c.want)
		}
	}
	if r := cv.Tests.Intents; r.Count != 12 || len(r.Errors) != 4 || cv.Responses.Test.F1 != nil || cv.Tests.Responses != nil {
		t.Errorf("all tests: %d examples, %d errors; responses %v", r.Count, len(r.Errors), cv.Responses)
	}
}

func TestMoreFoldsThanExamples(t *testing.T) {
	if _, err := evaluate.CrossValidate(t.Context(), fruit(), 9, memory(map[string]int{}), nil); !errors.Is(err, evaluate.ErrTooManyFolds) {
		t.Errorf("got %v", err)
	}
	cv, err := evaluate.CrossValidate(t.Context(), fruit(), 8, memory(map[string]int{}), nil)
	if err != nil || len(cv.Dropped) != 2 {
		t.Errorf("dropped %v, error %v", cv.Dropped, err)
	}
}

func TestAFailedTrainingNamesTheFold(t *testing.T) {
	calls := 0
	_, err := evaluate.CrossValidate(t.Context(), fruit(), 4, func(context.Context, *nludata.TrainingData) (evaluate.Parser, error) {
		if calls++; calls == 2 {
			return nil, errors.New("broken")
		}
		return parser(func(*nlu.Message) error { return nil }), nil
	}, nil)
	if err == nil || err.Error() != "fold 2: broken" {
		t.Errorf("got %v", err)
	}
}

func TestMeanAndDeviation(t *testing.T) {
	if mean, deviation := evaluate.Mean([]float64{2, 4, 4, 4, 5, 5, 7, 9}); mean != 5 || deviation != 2 {
		t.Errorf("got %v and %v, want 5 and 2", mean, deviation)
	}
	if mean, deviation := evaluate.Mean(nil); mean != 0 || deviation != 0 {
		t.Errorf("of nothing: %v and %v", mean, deviation)
	}
}
