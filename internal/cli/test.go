package cli

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/loquat-dev/loquat/internal/app"
	"github.com/loquat-dev/loquat/internal/evaluate"
)

func newTestCommand(env *environment) *cobra.Command {
	var core app.TestCoreOptions
	cmd := testNLUCommand(env, &cobra.Command{
		Use:   "test",
		Short: "Test a model on conversations and annotated examples",
		Long: `Test plays the conversations of files named test_* with a model, as "test core
--e2e" does, lets it parse annotated examples, as "test nlu" does, and writes the
reports of both.`,
	})
	flags := cmd.Flags()
	addStoryFlags(flags, &core, ".")
	nlu := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		text := func(name string) string { return flags.Lookup(name).Value.String() }
		is := func(name string) bool { return text(name) == "true" }
		core.EndToEnd, core.Models, core.Endpoints, core.Out = true, []string{text("model")}, text("endpoints"), text("out")
		core.Successes, core.NoErrors, core.NoWarnings, core.NoPlot = is("successes"), is("no-errors"), is("no-warnings"), is("no-plot")
		err := testCore(cmd, env, core)
		trains := is("cross-validation") || flags.Changed("config")
		if err != nil && !app.IsNothingToPlay(err, trains) || errors.Is(err, app.ErrNoStories) && (flags.Changed("stories") || core.URL != "") {
			return err
		}
		if err != nil {
			fmt.Fprintf(env.Err, "note: conversations are not tested: %v\n", err)
		} else {
			fmt.Fprintln(env.Out)
		}
		return nlu(cmd, args)
	}
	cmd.AddCommand(testNLUCommand(env, &cobra.Command{
		Use:   "nlu",
		Short: "Test how well a model understands annotated examples",
	}), newTestCoreCommand(env))
	return cmd
}

func testNLUCommand(env *environment, cmd *cobra.Command) *cobra.Command {
	var o app.TestNLUOptions
	flags := cmd.Flags()
	addModelFlag(flags, &o.Model)
	flags.StringVarP(&o.NLU, "nlu", "u", "data", "file or folder with annotated examples")
	flags.StringVar(&o.Out, "out", "results", "folder that the reports are written to")
	flags.BoolVar(&o.Successes, "successes", false, "write what was understood, too")
	flags.BoolVar(&o.NoErrors, "no-errors", false, "do not write what was misunderstood")
	flags.BoolVar(&o.NoPlot, "no-plot", false, "do not draw pictures")
	flags.BoolVar(&o.CrossValidation, "cross-validation", false, "train and test on parts of --nlu in turn; --model is ignored")
	flags.IntVarP(&o.Folds, "folds", "f", 5, "number of parts of a cross-validation")
	flags.StringArrayVarP(&o.Configs, "config", "c", nil, "what to train for a cross-validation (default: config.yml); several files, or a folder, are compared")
	annotate(flags, "config", takesList)
	flags.IntVarP(&o.Runs, "runs", "r", 3, "how often configurations are compared, on other parts of --nlu")
	flags.IntSliceVarP(&o.Percentages, "percentages", "p", []int{0, 25, 50, 75}, "shares of the training examples that a comparison leaves out")
	annotate(flags, "percentages", takesList)
	flags.StringVarP(&o.Domain, "domain", "d", "domain.yml", "the domain: a file, or a folder of files")
	addEndpointsFlag(flags, &o.Endpoints)
	flags.Bool("no-warnings", false, "do not write the stories with messages that were unexpectedly unlikely; no effect on NLU")
	cmd.Args = cobra.NoArgs
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		for _, p := range o.Percentages {
			if p < 0 || p > 99 {
				return usageError{fmt.Errorf("--percentages are numbers from 0 to 99, not %d", p)}
			}
		}
		warnOfUnusedFlags(env, flags, o)
		steps := newStepProgress(env)
		defer steps.close()
		o.Logger, o.Telemetry, o.Progress = env.logger, env.telemetry, steps.step
		result, err := app.TestNLU(cmd.Context(), o)
		steps.close()
		printWarnings(env, result.Warnings)
		if err != nil {
			return err
		}
		printTest(env, o, result)
		return nil
	}
	return cmd
}

// warnOfUnusedFlags names the flags that this kind of test has no use for.
func warnOfUnusedFlags(env *environment, flags *pflag.FlagSet, o app.TestNLUOptions) {
	compares := !o.CrossValidation && len(o.Configs) > 0
	for _, f := range []struct {
		names   []string
		used    bool
		without string
	}{
		{[]string{"folds"}, o.CrossValidation, "without --cross-validation"},
		{[]string{"runs", "percentages"}, compares, "unless several --config are compared"},
		{[]string{"domain", "endpoints"}, o.CrossValidation || compares, "without a training: a model has its own domain"},
		{[]string{"model"}, !o.CrossValidation && len(o.Configs) < 2, "where models are trained"},
	} {
		for _, name := range f.names {
			if name == "endpoints" && flags.Lookup("stories") != nil {
				continue // conversations were tested with it
			}
			if flags.Changed(name) && !f.used {
				env.logger.Warn(fmt.Sprintf("--%s has no effect %s", name, f.without))
			}
		}
	}
}

// printTest prints what a test of one model found.
func printTest(env *environment, o app.TestNLUOptions, r app.TestNLUResult) {
	switch {
	case r.Comparison != nil:
		printComparison(env, r.Comparison)
		fmt.Fprintf(env.Out, "\nThe models and reports are in '%s'.\n", filepath.ToSlash(o.Out))
		return
	case r.CV != nil:
		printCrossValidation(env, r.CV)
	default:
		fmt.Fprintf(env.Out, "%s with %s\n", filepath.ToSlash(r.Model), count(r.Examples, "example"))
	}
	for _, e := range r.Evaluations {
		printEvaluation(env.Out, e, terminalWidth(env.Out), o.Out)
	}
	if len(r.Evaluations) == 0 {
		fmt.Fprintln(env.Out, "There is nothing to compare: all examples have the same intent, and no entities.")
		return
	}
	fmt.Fprintf(env.Out, "\nThe reports are in '%s'.\n", filepath.ToSlash(o.Out))
}

// A table shows so many labels; of more, only the worst.
const (
	mostLabels = 40
	worst      = 20
)

func printEvaluation(w io.Writer, e *evaluate.Evaluation, width int, dir string) {
	noun := map[string]string{"Intent": "Intents", "Response Selection": "Responses", "Entity": "Entities of " + e.Name + ", by token"}[e.What]
	fmt.Fprintf(w, "\n%s: accuracy %.3f\n", noun, float64(e.Report.Accuracy))
	t := &table{head: []string{strings.ToLower(e.What), "precision", "recall", "f1-score", "support", "confused with"}, note: true}
	labels, left := worstLabels(e.Report.Labels)
	for _, l := range labels {
		t.addScore(printable(l.Label), l.Score, confusedWith(l))
	}
	if left > 0 {
		t.add(fmt.Sprintf("… %d better ones", left), "", "", "", "", "")
	}
	t.addScore("micro avg", e.Report.Micro, "")
	t.addScore("macro avg", e.Report.Macro, "")
	t.addScore("weighted avg", e.Report.Weighted, "")
	t.write(w, width)
	if left > 0 {
		fmt.Fprintf(w, "  all of them: %s\n", filepath.ToSlash(filepath.Join(dir, e.Name+"_report.json")))
	}
}

func (t *table) addScore(label string, s evaluate.Score, note string) {
	f := func(x float64) string { return fmt.Sprintf("%.3f", x) }
	t.add(label, f(float64(s.Precision)), f(float64(s.Recall)), f(float64(s.F1)), fmt.Sprint(s.Support), note)
}

// worstLabels returns the labels to show in alphabetical order, and how many are
// left out.
func worstLabels(labels []evaluate.LabelScore) (shown []evaluate.LabelScore, left int) {
	if len(labels) <= mostLabels {
		return labels, 0
	}
	shown = slices.Clone(labels)
	slices.SortStableFunc(shown, func(a, b evaluate.LabelScore) int { return cmp.Compare(a.F1, b.F1) })
	return shown[:worst], len(labels) - worst
}

func confusedWith(l evaluate.LabelScore) string {
	var parts []string
	for _, c := range l.Confused {
		name := printable(c.Label)
		if name == "" {
			name = "nothing"
		}
		parts = append(parts, fmt.Sprintf("%s (%d)", name, c.Count))
	}
	return strings.Join(parts, ", ")
}

// printCrossValidation prints the mean and the standard deviation of all folds.
func printCrossValidation(env *environment, c *evaluate.CrossValidation) {
	for _, d := range c.Dropped {
		fmt.Fprintf(env.Err, "warning: the intent %q is left out: %d folds need as many examples, and it has %d\n", printable(d.Label), c.Folds, d.Count)
	}
	fmt.Fprintf(env.Out, "Cross-validation with %d folds: mean (standard deviation)\n\n", c.Folds)
	t := &table{head: []string{"", "accuracy", "f1-score", "precision"}}
	add := func(what string, s evaluate.Spread) {
		for _, part := range []struct {
			name string
			m    evaluate.Metrics
		}{{"train", s.Train}, {"test", s.Test}} {
			if len(part.m.F1) > 0 {
				t.add(what+", "+part.name, meanOf(part.m.Accuracy), meanOf(part.m.F1), meanOf(part.m.Precision))
			}
		}
	}
	add("intents", c.Intents)
	add("responses", c.Responses)
	for _, e := range c.Entities {
		add("entities of "+e.Name, e.Spread)
	}
	t.write(env.Out, terminalWidth(env.Out))
	fmt.Fprintln(env.Out, "\nAll examples, each by the model that did not learn it:")
}

func meanOf(values []float64) string {
	mean, deviation := evaluate.Mean(values)
	return fmt.Sprintf("%.3f (%.3f)", mean, deviation)
}

// printComparison prints the F1 score of intents with each share of the examples.
func printComparison(env *environment, c *evaluate.Comparison) {
	fmt.Fprintln(env.Out, "F1 score of intents: mean (standard deviation) of all runs, by the share of training examples left out")
	fmt.Fprintln(env.Out)
	t := &table{head: []string{"configuration"}}
	for i, p := range c.Percentages {
		t.head = append(t.head, fmt.Sprintf("%d %% (%s)", p, count(c.Examples[i], "example")))
	}
	for _, config := range c.Configs {
		row := []string{printable(config.Name)}
		for i := range c.Percentages {
			row = append(row, meanOf(config.Runs(i)))
		}
		t.add(row...)
	}
	t.write(env.Out, terminalWidth(env.Out))
}
