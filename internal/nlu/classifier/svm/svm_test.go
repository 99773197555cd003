package svm_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"strings"
	"testing"

	"github.com/loquat-dev/loquat/internal/graph"
	"github.com/loquat-dev/loquat/internal/ml/weights"
	"github.com/loquat-dev/loquat/internal/nlu"
	"github.com/loquat-dev/loquat/internal/nlu/classifier/svm"
	"github.com/loquat-dev/loquat/internal/nlu/featurizer/countvectors"
	"github.com/loquat-dev/loquat/internal/nlu/tokenizer/whitespace"
	"github.com/loquat-dev/loquat/internal/nludata"
)

// bot is a tokenizer, a sparse featurizer and the classifier.
type bot struct {
	data   *nlu.TrainingData
	before []nlu.Processor
	log    *bytes.Buffer
	*svm.Classifier
}

func configured(of graph.Type, set graph.Config) graph.Config {
	c := maps.Clone(of.Defaults)
	maps.Copy(c, set)
	return c
}

func train(t testing.TB, threads int, set graph.Config, lines ...string) bot {
	t.Helper()
	var examples []nludata.Example
	for _, line := range lines {
		intent, text, _ := strings.Cut(line, ": ")
		examples = append(examples, nludata.Example{Text: text, Intent: intent})
	}
	b := bot{data: nlu.NewTrainingData(&nludata.TrainingData{Examples: examples}, nlu.Labels{}), log: &bytes.Buffer{}}
	env := graph.Env{NodeName: "node", Logger: slog.New(slog.NewTextHandler(b.log, nil)), Threads: threads}
	ctx := context.Background()
	for _, of := range []graph.Type{whitespace.Type(), countvectors.Type()} {
		c, err := of.Build(env, configured(of, nil), nil)
		if err != nil {
			t.Fatal(err)
		}
		if trainer, ok := c.(nlu.Trainer); ok {
			if err := trainer.Train(ctx, b.data); err != nil {
				t.Fatal(err)
			}
		}
		if b.data, err = c.(nlu.TrainingProcessor).ProcessTrainingData(ctx, b.data); err != nil {
			t.Fatal(err)
		}
		b.before = append(b.before, c.(nlu.Processor))
	}
	fresh, err := svm.Type().Build(env, configured(svm.Type(), set), nil)
	if err != nil {
		t.Fatal(err)
	}
	b.Classifier = fresh.(*svm.Classifier)
	if err := b.Train(ctx, b.data); err != nil {
		t.Fatal(err)
	}
	saved, err := b.Persist()
	if err != nil {
		t.Fatal(err)
	}
	again, err := svm.Type().Build(env, configured(svm.Type(), set), saved)
	if err != nil {
		t.Fatal(err)
	}
	b.Classifier = again.(*svm.Classifier)
	return b
}

func (b bot) parse(t testing.TB, text string) *nlu.Message {
	t.Helper()
	m := &nlu.Message{}
	m.Values[nlu.Text] = text
	for _, p := range append(b.before, nlu.Processor(b.Classifier)) {
		if err := p.Process(context.Background(), []*nlu.Message{m}); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

// many makes examples of a number of intents; each intent has a word of its own.
func many(intents, each int) (lines []string) {
	for k := range intents {
		for i := range each {
			lines = append(lines, fmt.Sprintf("intent%02d: word%c is what I said %d times", k, 'a'+rune(k), i))
		}
	}
	return lines
}

func TestLearnsFromSparseFeatures(t *testing.T) {
	b := train(t, 2, nil, many(12, 10)...)
	m := b.parse(t, "wordc please")
	if m.Intent.Name != "intent02" || m.Intent.Confidence < 0.5 {
		t.Errorf("got %+v", m.Intent)
	}
	if len(m.Ranking) != 10 || m.Ranking[0] != *m.Intent {
		t.Errorf("the ranking has %d intents and begins with %+v", len(m.Ranking), m.Ranking[0])
	}
	for i := 1; i < len(m.Ranking); i++ {
		if m.Ranking[i].Confidence > m.Ranking[i-1].Confidence {
			t.Errorf("the ranking is not sorted: %v", m.Ranking)
		}
	}
	if unknown := b.parse(t, "xyzzy"); unknown.Intent.Confidence > 0.2 {
		t.Errorf("an unknown word is %+v", unknown.Intent)
	}
}

func TestProbabilitiesAddUpToOne(t *testing.T) {
	b := train(t, 1, nil, many(4, 6)...)
	sum := 0.0
	for _, r := range b.parse(t, "worda wordb").Ranking {
		sum += r.Confidence
	}
	if math.Abs(sum-1) > 1e-9 {
		t.Errorf("they add up to %v", sum)
	}
}

func TestTooFewIntents(t *testing.T) {
	b := train(t, 1, nil, "greet: hello", "greet: hi")
	m := b.parse(t, "hello")
	if m.Intent == nil || m.Intent.Name != "" || m.Intent.Confidence != 0 || m.Ranking == nil || len(m.Ranking) != 0 {
		t.Errorf("got %+v and %v", m.Intent, m.Ranking)
	}
	if !strings.Contains(b.log.String(), "at least two intents") {
		t.Errorf("log: %s", b.log)
	}
}

func TestOneExampleOfEachIntent(t *testing.T) {
	b := train(t, 1, nil, "greet: hello there", "bye: good bye")
	if m := b.parse(t, "hello there"); m.Intent.Name != "greet" {
		t.Errorf("got %+v", m.Intent)
	}
}

func TestTheSameModelOnAnyNumberOfThreads(t *testing.T) {
	lines := many(5, 8)
	var files [][]byte
	for _, threads := range []int{1, 3} {
		saved, err := train(t, threads, graph.Config{"num_threads": int64(-1)}, lines...).Persist()
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, saved["svm.bin"])
	}
	if !bytes.Equal(files[0], files[1]) {
		t.Error("threads change the model")
	}
}

// An intent with few examples must not drown among those with many.
func TestRareIntentsCount(t *testing.T) {
	lines := append(many(2, 60), "rare: open it", "rare: open it now", "rare: just open")
	if m := train(t, 1, nil, lines...).parse(t, "open"); m.Intent.Name != "rare" {
		t.Errorf("got %+v", m.Intent)
	}
}

func TestSettingsWithoutEffectAreReportedOnce(t *testing.T) {
	b := train(t, 1, graph.Config{"gamma": []any{0.5}, "kernels": []any{"rbf", "linear"}}, many(2, 4)...)
	if n := strings.Count(b.log.String(), "settings without effect"); n != 1 || !strings.Contains(b.log.String(), `settings="[gamma kernels other than linear]"`) {
		t.Errorf("log:\n%s", b.log)
	}
}

func TestWrongSettings(t *testing.T) {
	for _, c := range []struct {
		set   graph.Config
		wrong int
	}{
		{nil, 0},
		{graph.Config{"C": []any{0.1, int64(3)}, "scoring_function": "accuracy", "num_threads": int64(4)}, 0},
		{graph.Config{"kernels": []any{"rbf"}}, 1},
		{graph.Config{"kernels": []any{"linear", "rbf"}}, 0},
		{graph.Config{"scoring_function": "roc_auc_ovr"}, 1},
		{graph.Config{"C": []any{}}, 1},
		{graph.Config{"C": []any{int64(0), int64(-1)}, "max_cross_validation_folds": int64(1)}, 3},
		{graph.Config{"C": "high"}, 1},
	} {
		if errs := svm.Type().Check(configured(svm.Type(), c.set)); len(errs) != c.wrong {
			t.Errorf("%v: %v, want %d errors", c.set, errs, c.wrong)
		}
	}
}

func FuzzLoad(f *testing.F) {
	b := train(f, 1, nil, many(3, 4)...)
	saved, err := b.Persist()
	if err != nil {
		f.Fatal(err)
	}
	whole := saved["svm.bin"]
	f.Add(whole)
	f.Add(whole[:len(whole)/2])
	f.Fuzz(func(t *testing.T, data []byte) {
		env := graph.Env{Logger: slog.New(slog.DiscardHandler), Threads: 1}
		c, err := svm.Type().Build(env, configured(svm.Type(), nil), graph.Resource{"svm.bin": data})
		if err != nil {
			if !errors.Is(err, weights.ErrCorrupt) {
				t.Fatal(err)
			}
			return
		}
		b := b
		b.Classifier = c.(*svm.Classifier)
		b.parse(t, "worda is unknown") // whatever was loaded must not panic
	})
}
