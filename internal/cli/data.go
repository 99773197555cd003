package cli

import (
	"fmt"

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
	cmd.AddCommand(validate)
	addNotBuilt(cmd, notBuiltData)
	return cmd
}

func validateCommand(env *environment, storiesOnly bool, cmd *cobra.Command) *cobra.Command {
	o := app.ValidateOptions{StoriesOnly: storiesOnly}
	addProjectFlags(cmd.Flags(), &o.Paths)
	cmd.Flags().BoolVar(&o.FailOnWarnings, "fail-on-warnings", false, "fail on warnings too")
	cmd.Flags().IntVar(&o.MaxHistory, "max-history", 0, "number of turns that story conflicts are looked for in (default: all)")
	cmd.Args = cobra.NoArgs
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		o.Logger = env.logger
		result, err := app.Validate(cmd.Context(), o)
		if err != nil {
			return err
		}
		printProblems(env.Err, result.Problems)
		if !result.OK {
			fmt.Fprintln(env.Out, "The project has problems.")
			return exitCode(exitError)
		}
		fmt.Fprintln(env.Out, "The project is valid.")
		return nil
	}
	return cmd
}

// printWarnings writes what a command noticed while it succeeded.
func printWarnings(env *environment, problems []diag.Problem) {
	if env.quiet {
		return
	}
	for _, p := range problems {
		fmt.Fprintln(env.Err, p.Error())
	}
}
