package cli

import (
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/loquat-dev/loquat/internal/app"
)

// addProjectFlags defines the flags that say where a project's files are, with
// Rasa's defaults.
func addProjectFlags(flags *pflag.FlagSet, paths *app.ProjectPaths) {
	flags.StringVarP(&paths.Config, "config", "c", "config.yml", "the pipeline and the policies")
	addDataFlags(flags, paths)
}

// addDataFlags is addProjectFlags without the configuration.
func addDataFlags(flags *pflag.FlagSet, paths *app.ProjectPaths) {
	flags.StringVarP(&paths.Domain, "domain", "d", "domain.yml", "the domain: a file, or a folder of files")
	flags.StringArrayVar(&paths.Data, "data", []string{"data"}, "files or folders with NLU data, stories and rules")
	annotate(flags, "data", takesList)
}

func addEndpointsFlag(flags *pflag.FlagSet, endpoints *string) {
	flags.StringVar(endpoints, "endpoints", "endpoints.yml", "what the assistant talks to: action server, stores, tracing …")
}

func addModelFlag(flags *pflag.FlagSet, model *string) {
	flags.StringVarP(model, "model", "m", "models", "a model, or a folder of which the newest model is taken")
}

// takeModel lets an argument name the model, as --model does.
func takeModel(env *environment, cmd *cobra.Command, args []string, model *string) {
	if len(args) == 0 {
		return
	}
	if cmd.Flags().Changed("model") && *model != args[0] {
		env.logger.Warn("--model has no effect: another model is named without it", "model", args[0])
	}
	*model = args[0]
}
