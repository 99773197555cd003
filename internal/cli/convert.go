package cli

import (
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/loquat-dev/loquat/internal/app"
)

func newConvertCommand(env *environment) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "convert",
		Short: "Write training data in another format",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_ = cmd.Help()
			return exitCode(exitError)
		},
	}
	var o app.ConvertNLUOptions
	var language string
	nlu := &cobra.Command{
		Use:   "nlu",
		Short: "Write NLU data of all formats to one file",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.Format != app.NLUInJSON && o.Format != app.NLUInYAML {
				return usageError{fmt.Errorf("--format must be json or yaml, not %q", o.Format)}
			}
			if cmd.Flags().Changed("language") {
				env.logger.Warn("--language has no effect: no format that is written holds it")
			}
			o.Logger, o.Telemetry = env.logger, env.telemetry
			examples, warnings, err := app.ConvertNLU(o)
			printWarnings(env, warnings)
			if err != nil {
				return err
			}
			fmt.Fprintf(env.Out, "%s in %s\n", count(examples, "example"), filepath.ToSlash(o.Out))
			return nil
		},
	}
	flags := nlu.Flags()
	flags.StringVarP(&o.Format, "format", "f", app.NLUInYAML, "json or yaml")
	flags.StringArrayVar(&o.Data, "data", []string{"data"}, "files or folders with NLU data")
	annotate(flags, "data", takesList)
	flags.StringVar(&o.Out, "out", "converted_data", "file that is written")
	flags.StringVarP(&language, "language", "l", "en", "no effect, as in Rasa 3.6")
	cmd.AddCommand(nlu)
	return cmd
}
