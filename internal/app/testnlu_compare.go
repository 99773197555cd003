package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/evaluate"
	"github.com/loquat-dev/loquat/internal/evaluate/plot"
	"github.com/loquat-dev/loquat/internal/nludata"
)

// trainingShare is the share of the examples that configurations are trained with
// when they are compared; the rest is what they are tested with (Rasa 3.6).
const trainingShare = 0.8

// namedConfig is a configuration with its name in a comparison.
type namedConfig struct{ name, path string }

// comparison trains and tests several configurations on the same examples.
type comparison struct {
	options  TestNLUOptions
	configs  []namedConfig
	trainers []*nluTrainer
	data     *nludata.TrainingData
	found    *evaluate.Comparison
	files    []string
	done     int
}

// compare trains each configuration on the same parts of the examples, in several
// runs and with fewer and fewer of them.
func compare(ctx context.Context, o TestNLUOptions, configs []namedConfig, result *TestNLUResult, problems *diag.List) (err error) {
	t, err := startTracing(o.Endpoints, o.Logger, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, t.Shutdown(context.WithoutCancel(ctx))) }()
	ctx, end := t.TestCommand(ctx)
	defer func() { end(err) }()
	c := &comparison{options: o, configs: configs, found: &evaluate.Comparison{Percentages: o.Percentages}}
	for _, config := range configs {
		trainer, wrong := newNLUTrainer("", o.paths(config.path), t, o.Telemetry, o.Logger, problems)
		if wrong != nil && len(diag.Of(wrong)) == 0 {
			return wrong
		}
		c.trainers = append(c.trainers, trainer)
		c.found.Configs = append(c.found.Configs, evaluate.ConfigScores{Name: config.name})
	}
	if err := problems.Err(); err != nil { // of all configurations at once
		return err
	}
	c.data = c.trainers[0].project.NLU
	err = c.run(ctx)
	result.Comparison, result.Files = c.found, c.files
	return err
}

func (c *comparison) run(ctx context.Context) error {
	if _, err := c.data.Verified(); err != nil {
		return err
	}
	for run := range c.options.Runs {
		training, test := c.data.Split(trainingShare, uint64(run))
		if len(training.Examples) == 0 {
			return errors.New("there are too few examples to train and to test with")
		}
		dir := filepath.Join(c.options.Out, fmt.Sprintf("run_%d", run+1))
		if err := c.write(dir, map[string][]byte{"test.yml": test.YAML()}); err != nil {
			return err
		}
		for i, percentage := range c.options.Percentages {
			left := training
			if percentage > 0 {
				_, left = training.Split(float64(percentage)/100, uint64(run)) // keeps some of each intent
			}
			if run == 0 {
				c.found.Examples = append(c.found.Examples, len(left.Examples))
			}
			below := filepath.Join(dir, fmt.Sprintf("%d%%_exclusion", percentage))
			if err := c.write(filepath.Join(below, "train"), map[string][]byte{"train.yml": left.YAML(), "responses.yml": left.ResponsesYAML()}); err != nil {
				return err
			}
			for j := range c.configs {
				f1, err := c.judge(ctx, j, left, test, below, fmt.Sprintf("run %d of %d, %d %% left out: %s", run+1, c.options.Runs, percentage, c.configs[j].name))
				if err != nil {
					return err
				}
				scores := &c.found.Configs[j]
				if i == 0 {
					scores.F1 = append(scores.F1, nil)
				}
				scores.F1[run] = append(scores.F1[run], f1)
			}
		}
	}
	return c.summary()
}

// judge trains one configuration, tests it and writes model and reports.
func (c *comparison) judge(ctx context.Context, config int, training, test *nludata.TrainingData, dir, doing string) (float64, error) {
	if c.options.Progress != nil {
		c.options.Progress(evaluate.Step{Doing: doing, Done: c.done, Total: c.options.Runs * len(c.options.Percentages) * len(c.configs)})
	}
	c.done++
	name := c.configs[config].name
	parser, err := c.trainers[config].toFile(ctx, training, dir, name)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", doing, err)
	}
	outcomes, err := evaluate.Parse(ctx, parser, test.Examples, nil)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", doing, err)
	}
	files, err := c.options.files(filepath.Join(dir, name+"_report")).Write(evaluate.Evaluate(outcomes).All())
	c.files = append(c.files, files...)
	if err == nil {
		c.options.Telemetry.Record(modelTested(test))
	}
	return evaluate.IntentF1(outcomes), err
}

// summary writes the scores of all, as numbers and as a picture.
func (c *comparison) summary() error {
	results, err := c.found.ResultsJSON()
	if err != nil {
		return err
	}
	contents := map[string][]byte{"results.json": results}
	if !c.options.NoPlot {
		pictures, err := plot.Files("nlu_model_comparison_graph", plot.Curves("NLU model comparison",
			"Number of examples that were trained with", "F1 score of intents on the test set", c.curves()))
		if err != nil {
			return err
		}
		for _, p := range pictures {
			contents[p.Name] = p.Data
		}
	}
	return c.write(c.options.Out, contents)
}

func (c *comparison) curves() []plot.Curve {
	var out []plot.Curve
	for _, config := range c.found.Configs {
		curve := plot.Curve{Name: config.Name}
		for i, n := range c.found.Examples {
			curve.X = append(curve.X, float64(n))
			curve.Y = append(curve.Y, config.Runs(i))
		}
		out = append(out, curve)
	}
	return out
}

func (c *comparison) write(dir string, contents map[string][]byte) error {
	files, err := writeContents(dir, contents)
	c.files = append(c.files, files...)
	return err
}

// namedConfigs are the configurations that --config names: files, and the YAML
// files of folders. Each is called by its file's name, together with its folder's
// if two files have the same. several reports that they are to be compared.
func namedConfigs(paths []string) (configs []namedConfig, several bool, err error) {
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil || !info.IsDir() {
			configs = append(configs, namedConfig{path: path}) // what is missing is reported when it is read
			continue
		}
		several = true
		entries, err := os.ReadDir(path)
		if err != nil {
			return nil, false, fmt.Errorf("--config: %w", err)
		}
		for _, e := range entries {
			if ext := strings.ToLower(filepath.Ext(e.Name())); !e.IsDir() && (ext == ".yml" || ext == ".yaml") {
				configs = append(configs, namedConfig{path: filepath.Join(path, e.Name())})
			}
		}
	}
	if several && len(configs) == 0 {
		return nil, false, fmt.Errorf("--config: there is no YAML file in %s", strings.Join(paths, ", "))
	}
	count := map[string]int{}
	for i := range configs {
		configs[i].name = baseName(configs[i].path)
		count[configs[i].name]++
	}
	for i := range configs {
		if count[configs[i].name] > 1 {
			configs[i].name = filepath.Base(filepath.Dir(configs[i].path)) + "_" + configs[i].name
		}
	}
	for i := range configs {
		if j := slices.IndexFunc(configs[:i], func(o namedConfig) bool { return o.name == configs[i].name }); j >= 0 {
			return nil, false, fmt.Errorf("--config: %s and %s have the same name; rename one of them", configs[j].path, configs[i].path)
		}
	}
	return configs, several || len(configs) > 1, nil
}

func baseName(path string) string {
	return strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
}
