// Package logistic is the LogisticRegressionClassifier: multinomial logistic
// regression on the sentence features of a message, the same convex problem that
// Rasa hands to scikit-learn.
package logistic

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/loquat-dev/loquat/internal/graph"
	"github.com/loquat-dev/loquat/internal/ml/linear"
	"github.com/loquat-dev/loquat/internal/ml/sparse"
	"github.com/loquat-dev/loquat/internal/ml/weights"
	"github.com/loquat-dev/loquat/internal/nlu"
)

// Config is what config.yml may set for LogisticRegressionClassifier.
type Config struct {
	MaxIter int `json:"max_iter"`
	// Solver is one of scikit-learn's. They differ in how they look for the same
	// minimum; ours is always L-BFGS.
	Solver string  `json:"solver"`
	Tol    float64 `json:"tol"` // largest component of the gradient at the end
	// RandomState is accepted and has nothing to act on: nothing here is random.
	RandomState   any `json:"random_state"`
	RankingLength int `json:"ranking_length"` // 0 keeps every intent
}

// Type describes the component.
func Type() graph.Type {
	return graph.Define(graph.Type{
		Name:      "LogisticRegressionClassifier",
		ClassPath: "rasa.nlu.classifiers.logistic_regression_classifier.LogisticRegressionClassifier",
		Kinds:     []graph.Kind{graph.IntentClassifier},
		Trainable: true,
		Version:   1,
		Requires:  []string{"Featurizer"},
		Packages:  []string{"sklearn"},
		Check:     check,
		Fns:       nlu.Fns(),
	}, Config{MaxIter: 100, Solver: "lbfgs", Tol: 1e-4, RandomState: 42, RankingLength: 10}, build)
}

var solvers = []string{"lbfgs", "newton-cg", "liblinear", "sag", "saga"}

func check(c graph.Config) []error {
	var config Config
	if err := c.Decode(&config); err != nil {
		return []error{err}
	}
	var errs []error
	if config.MaxIter < 1 {
		errs = append(errs, fmt.Errorf("max_iter must be at least 1, not %d", config.MaxIter))
	}
	if !slices.Contains(solvers, config.Solver) {
		errs = append(errs, fmt.Errorf("solver must be one of %v, not %q", solvers, config.Solver))
	}
	if config.Tol <= 0 {
		errs = append(errs, fmt.Errorf("tol must be greater than 0, not %v", config.Tol))
	}
	if config.RankingLength < 0 {
		errs = append(errs, fmt.Errorf("ranking_length must be 0 (all intents) or more, not %d", config.RankingLength))
	}
	return errs
}

// Classifier is a trained or untrained LogisticRegressionClassifier.
type Classifier struct {
	config  Config
	env     graph.Env
	intents []string // sorted; nil until trained
	model   *linear.Softmax
}

func build(env graph.Env, config Config, saved graph.Resource) (any, error) {
	c := &Classifier{config: config, env: env}
	// A convex problem has the same answer from any start, so fine-tuning learns
	// it afresh.
	if saved == nil || env.Finetuning {
		return c, nil
	}
	if err := c.load(saved[fileName]); err != nil {
		return nil, fmt.Errorf("read %s: %w", fileName, err)
	}
	return c, nil
}

// Train learns from the messages that have an intent and sentence features.
func (c *Classifier) Train(ctx context.Context, data *nlu.TrainingData) error {
	var rows sparse.Builder
	var names []string
	width := 0
	for _, m := range data.NLUExamples() {
		features := m.Select(nlu.Text, nlu.Sentence, nil)
		if m.Values[nlu.IntentLabel] == "" || len(features) == 0 {
			continue
		}
		index, value, w := nlu.AppendRow(features, 0, nil, nil)
		rows.Row(index, value)
		names = append(names, m.Values[nlu.IntentLabel])
		width = max(width, w)
	}
	intents := slices.Compact(slices.Sorted(slices.Values(names)))
	if len(intents) < 2 {
		c.env.Logger.WarnContext(ctx, "classifier not trained: it needs at least two intents", "intents", len(intents))
		return nil
	}
	label := make([]int, len(names))
	count := make([]int, len(intents))
	for i, n := range names {
		label[i], _ = slices.BinarySearch(intents, n)
		count[label[i]]++
	}
	// scikit-learn's class_weight="balanced"
	weight := make([]float64, len(names))
	for i, k := range label {
		weight[i] = float64(len(names)) / float64(len(intents)*count[k])
	}
	l2 := 1.0 // 1/C
	if len(intents) == 2 {
		// With two classes scikit-learn learns one vector v = w₁ − w₀ with ½‖v‖²;
		// of two vectors ½λ(‖w₀‖² + ‖w₁‖²) is ¼λ‖v‖², so λ must be 2.
		l2 = 2
	}
	model, err := linear.FitSoftmax(ctx, rows.Matrix(width), label, weight, len(intents), linear.SoftmaxOptions{
		L2:            l2,
		MaxIterations: c.config.MaxIter,
		Tolerance:     c.config.Tol,
		Threads:       max(c.env.Threads, 1),
	})
	if err != nil {
		return err
	}
	c.intents, c.model = intents, model
	return nil
}

// Process sets the intent and the ranking of each message.
func (c *Classifier) Process(_ context.Context, messages []*nlu.Message) error {
	for _, m := range messages {
		m.Intent, m.Ranking = c.classify(m)
	}
	return nil
}

func (c *Classifier) classify(m *nlu.Message) (*nlu.Intent, []nlu.Intent) {
	features := m.Select(nlu.Text, nlu.Sentence, nil)
	if c.model == nil || len(features) == 0 {
		return &nlu.Intent{}, []nlu.Intent{}
	}
	index, value, _ := nlu.AppendRow(features, 0, nil, nil)
	p := make([]float64, len(c.intents))
	c.model.Probabilities(index, value, p)
	ranking := make([]nlu.Intent, len(p))
	for k, name := range c.intents {
		ranking[k] = nlu.Intent{Name: name, Confidence: p[k]}
	}
	ranking = nlu.Rank(ranking, c.config.RankingLength)
	top := ranking[0]
	return &top, ranking
}

const (
	fileName    = "weights.bin"
	fileKind    = "logistic regression"
	fileVersion = 1
)

// Persist writes intents and weights (docs/formats/diet.md).
func (c *Classifier) Persist() (graph.Resource, error) {
	w := weights.NewWriter(fileKind, fileVersion)
	w.Strings(c.intents)
	if c.model != nil {
		w.Int(c.model.Features)
		w.Floats(c.model.Weights)
	}
	return graph.Resource{fileName: w.Bytes()}, nil
}

func (c *Classifier) load(data []byte) error {
	r := weights.NewReader(data, fileKind, fileVersion)
	intents := r.Strings()
	if len(intents) == 0 {
		return r.Close()
	}
	m := &linear.Softmax{Classes: len(intents), Features: r.Int(), Weights: r.Floats()}
	if m.Features < 0 || m.Features > len(m.Weights) || (m.Features+1)*m.Classes != len(m.Weights) {
		r.Fail("%d weights for %d features and %d intents", len(m.Weights), m.Features, m.Classes)
	}
	if err := cmp.Or(r.Err(), r.Close()); err != nil {
		return err
	}
	c.intents, c.model = intents, m
	return nil
}
