package encoder

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/loquat-dev/loquat/internal/ml/weights"
	"github.com/loquat-dev/loquat/internal/nlu"
)

// withVectors makes examples whose tokens have dense features of a width.
func withVectors(n, width int) (messages []*nlu.Message, examples []Example) {
	r := rand.New(rand.NewPCG(1, 1))
	for range n {
		e := tagged("fly to rome/U-city")
		f := nlu.Features{Attribute: nlu.Text, Level: nlu.Sequence, Origin: "meaning"}
		for range e.Message.Tokens[nlu.Text] {
			row := make([]float32, width)
			for j := range row {
				row[j] = 5 + float32(r.NormFloat64()*float64(width-j))
			}
			f.Dense = append(f.Dense, row)
		}
		e.Message.Features = append(e.Message.Features, f)
		messages, examples = append(messages, e.Message), append(examples, e)
	}
	return messages, examples
}

func learnTokens(t *testing.T, e *Tokens, messages []*nlu.Message, examples []Example) *Tokens {
	t.Helper()
	if err := e.Learn(context.Background(), messages, examples, nil, 2); err != nil {
		t.Fatal(err)
	}
	return e
}

func TestDenseFeaturesOfTokensBecomeDirections(t *testing.T) {
	messages, examples := withVectors(100, 100)
	e := learnTokens(t, NewTokens(), messages, examples)
	var s TokenScratch
	squares, rows := 0.0, 0
	for _, example := range examples {
		x := e.Encode(example, nil, &s)
		for i := range x.Rows() {
			index, value := x.Row(i)
			if !slices.Equal(index[:directions], identity(directions)) {
				t.Fatalf("the first features of a token are %v", index)
			}
			squares += squareSum(value[:directions])
			rows++
		}
	}
	if length := math.Sqrt(squares / float64(rows)); math.Abs(length-denseLength) > 0.01 {
		t.Errorf("what is seen of dense features is %v long", length)
	}

	// It is read as it was written, and a message without such features has none.
	w := weights.NewWriter("tokens", 1)
	e.Write(w)
	again := ReadTokens(weights.NewReader(w.Bytes(), "tokens", 1))
	asked := Example{Message: examples[0].Message}
	want := e.Encode(asked, nil, &s).Clone()
	if got := again.Encode(asked, nil, &s); !slices.Equal(got.Index, want.Index) || !slices.Equal(got.Value, want.Value) {
		t.Error("after reading, tokens are seen in another way")
	}
	bare := *examples[0].Message
	bare.Features = nil
	if x := e.Encode(Example{Message: &bare}, nil, &s); slices.Contains(x.Index, 0) {
		t.Error("there are directions of nothing")
	}
}

func identity(n int) []int32 {
	out := make([]int32, n)
	for i := range out {
		out[i] = int32(i)
	}
	return out
}

func TestOnlyTheFeaturizersThatAreNamedGiveDirections(t *testing.T) {
	messages, examples := withVectors(10, 8)
	e := NewTokens()
	if err := e.Learn(context.Background(), messages, examples, []string{"another"}, 1); err != nil || e.dense.model != nil {
		t.Errorf("directions of a featurizer that is not asked (%v)", err)
	}
}

// Fine-tuning goes on with the directions that the weights were learned for.
func TestDirectionsStay(t *testing.T) {
	messages, examples := withVectors(50, 40)
	e := learnTokens(t, NewTokens(), messages, examples)
	before := e.dense
	learnTokens(t, e, messages[:20], examples[:20])
	if e.dense.model != before.model || e.dense.scale != before.scale || e.dense.first != before.first {
		t.Error("directions have changed")
	}
	messages, examples = withVectors(5, 41)
	if err := e.Learn(context.Background(), messages, examples, nil, 1); err == nil || !strings.Contains(err.Error(), "train anew") {
		t.Errorf("vectors of another width: %v", err)
	}
}

func TestDamagedDirectionsAreRefused(t *testing.T) {
	messages, examples := withVectors(20, 10)
	for name, change := range map[string]func(d *dense){
		"widths":       func(d *dense) { d.widths = []int{11} },
		"no width":     func(d *dense) { d.widths = []int{0} },
		"featurizers":  func(d *dense) { d.origins = append(d.origins, "more") },
		"more numbers": func(d *dense) { d.model.Components = 32 },
	} {
		e := learnTokens(t, NewTokens(), messages, examples)
		change(&e.dense)
		w := weights.NewWriter("tokens", 1)
		e.Write(w)
		r := weights.NewReader(w.Bytes(), "tokens", 1)
		if ReadTokens(r); r.Err() == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
