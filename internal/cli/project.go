package cli

import (
	"github.com/spf13/pflag"

	"github.com/loquat-dev/loquat/internal/app"
)

// addProjectFlags defines the flags that say where a project's files are, with
// Rasa's defaults.
func addProjectFlags(flags *pflag.FlagSet, paths *app.ProjectPaths) {
	flags.StringVarP(&paths.Config, "config", "c", "config.yml", "the pipeline and the policies")
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
