package logistic_test

import (
	"context"
	"log/slog"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/loquat-dev/loquat/internal/graph"
	"github.com/loquat-dev/loquat/internal/ml/sparse"
	"github.com/loquat-dev/loquat/internal/nlu"
	"github.com/loquat-dev/loquat/internal/nlu/classifier/logistic"
)

var words = []string{"hello", "hi", "there", "bye", "see", "you", "yes", "sure"}

// message is a text whose features count the words above.
func message(text, intent string) *nlu.Message {
	m := &nlu.Message{}
	m.Values[nlu.Text], m.Values[nlu.IntentLabel] = text, intent
	var row sparse.Builder
	var index []int32
	var value []float32
	for i, w := range words {
		if n := strings.Count(text, w); n > 0 {
			index, value = append(index, int32(i)), append(value, float32(n))
		}
	}
	row.Row(index, value)
	m.Features = []nlu.Features{{Attribute: nlu.Text, Level: nlu.Sentence, Origin: "test", Sparse: row.Matrix(len(words))}}
	return m
}

func trainingData(examples ...string) *nlu.TrainingData {
	d := &nlu.TrainingData{}
	for _, e := range examples {
		intent, text, _ := strings.Cut(e, ": ")
		d.Messages = append(d.Messages, message(text, intent))
	}
	return d
}

var env = graph.Env{NodeName: "train_LogisticRegressionClassifier0", Logger: slog.New(slog.DiscardHandler), Threads: 2}

func train(t *testing.T, config graph.Config, data *nlu.TrainingData) *logistic.Classifier {
	t.Helper()
	full := graph.Config{}
	for k, v := range logistic.Type().Defaults {
		full[k] = v
	}
	for k, v := range config {
		full[k] = v
	}
	c, err := logistic.Type().Build(env, full, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.(*logistic.Classifier).Train(context.Background(), data); err != nil {
		t.Fatal(err)
	}
	return c.(*logistic.Classifier)
}

func parse(t *testing.T, c *logistic.Classifier, text string) *nlu.Message {
	t.Helper()
	m := message(text, "")
	if err := c.Process(context.Background(), []*nlu.Message{m}); err != nil {
		t.Fatal(err)
	}
	return m
}

var greetings = trainingData("greet: hello there", "greet: hi", "bye: bye", "bye: see you", "yes: yes", "yes: sure")

func TestLearnsAndRanks(t *testing.T) {
	c := train(t, nil, greetings)
	m := parse(t, c, "hi there")
	if m.Intent.Name != "greet" || len(m.Ranking) != 3 || m.Ranking[0] != *m.Intent {
		t.Errorf("got %+v %+v", m.Intent, m.Ranking)
	}
	sum := 0.0
	for _, r := range m.Ranking {
		sum += r.Confidence
	}
	if sum < 0.999 || sum > 1.001 {
		t.Errorf("confidences add up to %v", sum)
	}
	if m := parse(t, train(t, graph.Config{"ranking_length": 2}, greetings), "hi"); len(m.Ranking) != 2 {
		t.Errorf("ranking of length 2 has %d", len(m.Ranking))
	}
}

// The numbers are those of scikit-learn's solution of the same problem with two
// classes: one vector, which the symmetric problem gives in closed form.
func TestTwoIntentsAreABinaryProblem(t *testing.T) {
	c := train(t, graph.Config{"tol": 1e-9, "max_iter": 1000}, trainingData("a: yes", "b: sure"))
	// By symmetry the scores of the two texts are ±v with v minimising
	// 2·log(1+e^−v) + v²: each text has its own feature, so ½‖(v,−v)‖² = v².
	v := 0.0
	for range 100 {
		v -= (2*v - 2/(1+math.Exp(v))) / 4
	}
	want := 1 / (1 + math.Exp(-v))
	if got := parse(t, c, "yes").Intent.Confidence; got < want-1e-5 || got > want+1e-5 {
		t.Errorf("confidence %v, want %v", got, want)
	}
}

func TestOneIntentIsNotLearned(t *testing.T) {
	c := train(t, nil, trainingData("greet: hello", "greet: hi"))
	m := parse(t, c, "hello")
	if *m.Intent != (nlu.Intent{}) || m.Ranking == nil || len(m.Ranking) != 0 {
		t.Errorf("got %+v %#v", m.Intent, m.Ranking)
	}
}

func TestLoadedModelAnswersTheSame(t *testing.T) {
	c := train(t, nil, greetings)
	saved, err := c.Persist()
	if err != nil {
		t.Fatal(err)
	}
	loaded, err := logistic.Type().Build(env, logistic.Type().Defaults, saved)
	if err != nil {
		t.Fatal(err)
	}
	a, b := parse(t, c, "see you there"), parse(t, loaded.(*logistic.Classifier), "see you there")
	if !reflect.DeepEqual(a.Ranking, b.Ranking) {
		t.Errorf("%v after loading, %v before", b.Ranking, a.Ranking)
	}
	saved["weights.bin"] = saved["weights.bin"][:40]
	if _, err := logistic.Type().Build(env, logistic.Type().Defaults, saved); err == nil {
		t.Error("a damaged model was loaded")
	}
}

func TestWrongSettingsAreAllReported(t *testing.T) {
	errs := logistic.Type().Check(graph.Config{"max_iter": 0, "solver": "magic", "tol": 0, "ranking_length": -1})
	if len(errs) != 4 {
		t.Errorf("got %v", errs)
	}
	if errs := logistic.Type().Check(logistic.Type().Defaults); len(errs) > 0 {
		t.Errorf("the defaults are wrong: %v", errs)
	}
}
