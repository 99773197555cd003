package cli

import (
	"fmt"
	"io"
	"path/filepath"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/loquat-dev/loquat/internal/app"
	"github.com/loquat-dev/loquat/internal/evaluate"
)

func newTestCoreCommand(env *environment) *cobra.Command {
	var o app.TestCoreOptions
	cmd := &cobra.Command{
		Use:   "core",
		Short: "Test whether a model chooses the actions that stories tell",
		Long: `Test core plays stories with a model, action by action, and writes reports. With
--e2e it plays files named test_*: the model has to understand what users say there
as the stories tell, too. Actions are not executed.`,
		Args: cobra.NoArgs,
	}
	flags := cmd.Flags()
	flags.StringArrayVarP(&o.Models, "model", "m", []string{"models"}, "a model, or a folder of which the newest model is taken; several are compared")
	annotate(flags, "model", takesList)
	addStoryFlags(flags, &o, "data")
	flags.BoolVar(&o.EndToEnd, "e2e", false, "test what users say, too, with files named test_*")
	flags.BoolVar(&o.EndToEnd, "end-to-end", false, "the same as --e2e")
	addEndpointsFlag(flags, &o.Endpoints)
	flags.StringVar(&o.Out, "out", "results", "folder that the reports are written to")
	flags.BoolVar(&o.Successes, "successes", false, "write the stories that were right, too")
	flags.BoolVar(&o.NoErrors, "no-errors", false, "do not write the stories that were wrong")
	flags.BoolVar(&o.NoWarnings, "no-warnings", false, "do not write the stories with messages that were unexpectedly unlikely")
	flags.BoolVar(&o.NoPlot, "no-plot", false, "do not draw pictures")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return testCore(cmd, env, o) }
	return cmd
}

// addStoryFlags adds the flags that test and test core share.
func addStoryFlags(flags *pflag.FlagSet, o *app.TestCoreOptions, stories string) {
	flags.StringVarP(&o.Stories, "stories", "s", stories, "file or folder with stories")
	flags.IntVar(&o.MaxStories, "max-stories", 0, "play at most that many stories (default: all)")
	flags.StringVar(&o.URL, "url", "", "download the stories from here, instead of --stories")
	flags.BoolVar(&o.FailFast, "fail-on-prediction-errors", false, "end with an error at the first difference")
	flags.BoolVar(&o.WholeFolder, "evaluate-model-directory", false, "compare all models of the folder that --model names")
}

// testCore runs a test of stories and prints what it found.
func testCore(cmd *cobra.Command, env *environment, o app.TestCoreOptions) error {
	if o.MaxStories < 0 || cmd.Flags().Changed("max-stories") && o.MaxStories == 0 {
		return usageError{fmt.Errorf("--max-stories is a number from 1, not %d", o.MaxStories)}
	}
	steps := newStepProgress(env)
	defer steps.close()
	o.Logger, o.Telemetry, o.Progress = env.logger, env.telemetry, steps.step
	result, err := app.TestCore(cmd.Context(), o)
	steps.close()
	printWarnings(env, result.Warnings)
	if err != nil {
		return err
	}
	if result.Compared != nil {
		printModels(env.Out, result.Compared)
	} else {
		printStories(env.Out, filepath.ToSlash(result.Model), result.Tests)
	}
	fmt.Fprintf(env.Out, "\nThe reports are in '%s'.\n", filepath.ToSlash(o.Out))
	return nil
}

// printStories prints how many stories and actions were right.
func printStories(w io.Writer, model string, t *evaluate.StoryTests) {
	report := t.Report()
	fmt.Fprintf(w, "%s with %s\n\n", model, count(t.Total(), "conversation"))
	fmt.Fprintf(w, "Conversations: %d / %d correct\n", t.Correct, t.Total())
	if len(t.Warned) > 0 {
		fmt.Fprintf(w, "  with messages that were unexpectedly unlikely: %d\n", len(t.Warned))
	}
	fmt.Fprintf(w, "Actions: %d / %d correct\n", t.Right(), len(t.Actions))
	fmt.Fprintf(w, "F1-score %.3f, precision %.3f, accuracy %.3f\n", float64(report.Weighted.F1), float64(report.Weighted.Precision), float64(report.Accuracy))
	for _, s := range t.Failed {
		fmt.Fprintf(w, "  failed: %s\n", printable(s.Name))
	}
}

// printModels prints how many conversations each of several models got right.
func printModels(w io.Writer, models []evaluate.ModelComparison) {
	t := &table{head: []string{"model", "correct conversations", "of"}}
	for _, m := range models {
		t.add(printable(filepath.ToSlash(m.Model)), fmt.Sprint(m.Correct), fmt.Sprint(m.Total))
	}
	t.write(w, terminalWidth(w))
}
