package evaluate_test

import (
	"slices"
	"testing"

	"github.com/loquat-dev/loquat/internal/evaluate"
	"github.com/loquat-dev/loquat/internal/nlu"
	"github.com/loquat-dev/loquat/internal/nludata"
)

func TestResultsOfAComparison(t *testing.T) {
	c := evaluate.Comparison{Percentages: []int{0, 50}, Configs: []evaluate.ConfigScores{
		{Name: "b", F1: [][]float64{{1, 0.5}, {0.25}}}, {Name: "a"},
	}}
	got, err := c.ResultsJSON()
	if err != nil {
		t.Fatal(err)
	}
	want := "{\n  \"b\": [\n    [\n      1.0,\n      0.5\n    ],\n    [\n      0.25\n    ]\n  ],\n  \"a\": []\n}\n"
	if string(got) != want {
		t.Errorf("got %s", got)
	}
	if got := c.Configs[0].Runs(0); !slices.Equal(got, []float64{1, 0.25}) {
		t.Errorf("runs with all examples: %v", got)
	}
	if got := c.Configs[0].Runs(1); !slices.Equal(got, []float64{0.5}) {
		t.Errorf("runs with half of them: %v", got)
	}
}

// Two a, one of which is taken for b, and one b: 2/3 of an F1 of 2/3 and 1/3 of one
// of 2/3. A test set of one intent has a score too.
func TestTheScoreOfAComparison(t *testing.T) {
	outcome := func(target, predicted string) evaluate.Outcome {
		return evaluate.Outcome{Example: &nludata.Example{Intent: target}, Intent: nlu.Intent{Name: predicted}}
	}
	if got := evaluate.IntentF1([]evaluate.Outcome{outcome("a", "a"), outcome("a", "b"), outcome("b", "b")}); got < 0.6666 || got > 0.6667 {
		t.Errorf("got %v, want 2/3", got)
	}
	if got := evaluate.IntentF1([]evaluate.Outcome{outcome("a", "a")}); got != 1 {
		t.Errorf("one intent: got %v, want 1", got)
	}
}
