package cli

import (
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/loquat-dev/loquat/internal/app"
	"github.com/loquat-dev/loquat/internal/diag"
)

func newDataCommand(env *environment) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "data",
		Short: "Work on training data",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_ = cmd.Help()
			return exitCode(exitError)
		},
	}
	validate := validateCommand(env, false, &cobra.Command{
		Use:   "validate",
		Short: "Check a project without training",
	})
	validate.AddCommand(validateCommand(env, true, &cobra.Command{
		Use:   "stories",
		Short: "Look for stories that contradict each other",
	}))
	cmd.AddCommand(validate, newSplitCommand(env), newMigrateCommand(env), newConvertCommand(env))
	return cmd
}

func validateCommand(env *environment, storiesOnly bool, cmd *cobra.Command) *cobra.Command {
	o := app.ValidateOptions{StoriesOnly: storiesOnly}
	addProjectFlags(cmd.Flags(), &o.Paths)
	cmd.Flags().BoolVar(&o.FailOnWarnings, "fail-on-warnings", false, "fail on warnings too")
	cmd.Flags().IntVar(&o.MaxHistory, "max-history", 0, "number of turns that story conflicts are looked for in (default: all)")
	cmd.Args = cobra.NoArgs
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		o.Logger, o.Telemetry = env.logger, env.telemetry
		result, err := app.Validate(cmd.Context(), o)
		if err != nil {
			return err
		}
		printProblems(env, result.Problems)
		if !result.OK {
			fmt.Fprintln(env.Out, "The project has problems.")
			return exitCode(exitError)
		}
		fmt.Fprintln(env.Out, "The project is valid.")
		return nil
	}
	return cmd
}

func newSplitCommand(env *environment) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "split",
		Short: "Divide training data into a part to train with and a part to test with",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_ = cmd.Help()
			return exitCode(exitError)
		},
	}
	var o app.SplitNLUOptions
	var seed int64
	nlu := &cobra.Command{
		Use:   "nlu",
		Short: "Divide the examples of each intent",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if !(o.Fraction > 0 && o.Fraction < 1) { // NaN isn't
				return usageError{fmt.Errorf("--training-fraction must be between 0 and 1, not %v", o.Fraction)}
			}
			o.Telemetry = env.telemetry
			o.Seed = uint64(seed) // a negative one is as good as any
			result, err := app.SplitNLU(o)
			printWarnings(env, result.Warnings)
			if err != nil {
				return err
			}
			for _, intent := range result.OnlyTested {
				fmt.Fprintf(env.Err, "warning: the intent %q has too few examples for both parts; it is in the test data alone\n", printable(intent))
			}
			fmt.Fprintf(env.Out, "%s to train with and %s to test with:\n", count(result.Training, "example"), count(result.Test, "example"))
			for _, file := range result.Files {
				fmt.Fprintf(env.Out, "  %s\n", filepath.ToSlash(file))
			}
			return nil
		},
	}
	flags := nlu.Flags()
	flags.StringVarP(&o.NLU, "nlu", "u", "data", "file or folder with NLU data")
	flags.Float64Var(&o.Fraction, "training-fraction", 0.8, "share of the examples to train with")
	flags.Int64Var(&seed, "random-seed", 0, "another number divides differently; the same number always in the same way")
	flags.StringVar(&o.Out, "out", "train_test_split", "folder that the parts are written to")
	cmd.AddCommand(nlu, newSplitStoriesCommand(env))
	return cmd
}

func newSplitStoriesCommand(env *environment) *cobra.Command {
	var o app.SplitStoriesOptions
	cmd := &cobra.Command{
		Use:   "stories",
		Short: "Divide the stories of each file",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if !(o.Fraction > 0 && o.Fraction < 1) { // NaN isn't
				return usageError{fmt.Errorf("--training-fraction must be between 0 and 1, not %v", o.Fraction)}
			}
			result, err := app.SplitStories(o)
			printWarnings(env, result.Warnings)
			if err != nil {
				return err
			}
			for _, f := range result.Divided {
				fmt.Fprintf(env.Out, "%s: %s to train with and %d to test with\n", printable(f.Name), count(f.Training, "story"), f.Test)
			}
			for _, file := range result.Files {
				fmt.Fprintf(env.Out, "  %s\n", filepath.ToSlash(file))
			}
			return nil
		},
	}
	flags := cmd.Flags()
	flags.StringVarP(&o.Stories, "nlu", "u", "data", "file or folder with stories; the flag is called as in Rasa")
	flags.Float64Var(&o.Fraction, "training-fraction", 0.8, "share of the stories of each file to train with")
	flags.Uint32Var(&o.Seed, "random-seed", 0, "another number divides differently; the same number always in the same way")
	flags.StringVar(&o.Out, "out", "train_test_split", "folder that the parts are written to")
	return cmd
}

func newMigrateCommand(env *environment) *cobra.Command {
	var domain, out string
	cmd := &cobra.Command{
		Use:   "migrate",
		Short: "Turn a domain of Rasa 2 into one of Rasa 3",
		Long: `The mappings of slots stand below forms in Rasa 2, and below slots in Rasa 3.
The result is written beside the domain, and so is a copy of the files as they are.`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			result, err := app.MigrateDomain(domain, out)
			printWarnings(env, result.Warnings)
			if err != nil {
				return err
			}
			fmt.Fprintf(env.Out, "The migrated domain is %s, a copy of the original %s.\n", filepath.ToSlash(result.Out), filepath.ToSlash(result.Backup))
			return nil
		},
	}
	cmd.Flags().StringVarP(&domain, "domain", "d", "domain.yml", "the domain: a file, or a folder of files")
	cmd.Flags().StringVar(&out, "out", "", "the migrated domain: a file, or a folder (default: new_domain beside the domain)")
	return cmd
}

// printWarnings writes what a command noticed before it succeeded or failed.
func printWarnings(env *environment, problems []diag.Problem) {
	if env.quiet {
		return
	}
	env.warnings += len(problems)
	for _, p := range problems {
		fmt.Fprintln(env.Err, p.Error())
	}
}
