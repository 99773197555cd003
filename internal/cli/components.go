package cli

import (
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/loquat-dev/loquat/internal/app"
)

func newComponentsCommand(env *environment) *cobra.Command {
	return &cobra.Command{
		Use:   "components",
		Short: "List what config.yml can name",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			w := tabwriter.NewWriter(env.Out, 0, 0, 2, ' ', 0)
			fmt.Fprintln(w, "COMPONENT\tKIND\tSTATE")
			for _, c := range app.Components() {
				state := "ready"
				if !c.Ready {
					state = "not built yet"
				}
				fmt.Fprintf(w, "%s\t%s\t%s\n", c.Name, c.Kind, state)
			}
			return w.Flush()
		},
	}
}
