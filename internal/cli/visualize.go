package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/loquat-dev/loquat/internal/app"
)

func newVisualizeCommand(env *environment) *cobra.Command {
	var o app.VisualizeOptions
	cmd := &cobra.Command{
		Use:   "visualize",
		Short: "Draw stories and rules as a graph",
		Long: `Visualize writes an HTML page with the paths that conversations can take: what
the assistant does, and what users say in between. It opens in any browser and
needs nothing else.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.Logger, o.Telemetry = env.logger, env.telemetry
			result, err := app.Visualize(cmd.Context(), o)
			printWarnings(env, result.Warnings)
			if err != nil {
				return err
			}
			fmt.Fprintf(env.Out, "Drew %s and %s: open %s in a browser.\n", count(result.Nodes, "node"), count(result.Edges, "edge"), o.Out)
			return nil
		},
	}
	flags := cmd.Flags()
	flags.StringVarP(&o.Domain, "domain", "d", "domain.yml", "the domain: a file, or a folder of files")
	flags.StringArrayVarP(&o.Stories, "stories", "s", []string{"data"}, "a file, or a folder of files, with stories and rules")
	flags.StringVar(&o.Out, "out", "graph.html", "the page to write")
	flags.IntVar(&o.MaxHistory, "max-history", 2, "how many actions tell two paths apart; 1 tells them apart by all that follows")
	flags.StringVarP(&o.NLU, "nlu", "u", "", "a file or folder with examples of what users say (default: those in --stories)")
	return cmd
}
