package cli

import (
	"errors"
	"fmt"
	"math/big"
	"path/filepath"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/loquat-dev/loquat/internal/app"
)

func newEvaluateCommand(env *environment) *cobra.Command {
	group := func(use, short string) *cobra.Command {
		return &cobra.Command{
			Use: use, Short: short, Args: cobra.NoArgs,
			RunE: func(cmd *cobra.Command, _ []string) error {
				_ = cmd.Help()
				return exitCode(exitError)
			},
		}
	}
	markers := group("markers", "Find points of interest in recorded conversations")
	markers.Long = `markers.yml defines conditions on actions, intents and slots. The events of stored
conversations at which they hold are written to a CSV file, and statistics about
them to two more.`
	markers.AddCommand(
		newMarkersCommand(env, app.AllConversations, "OUT", "Look at all conversations"),
		newMarkersCommand(env, app.FirstConversations, "COUNT OUT", "Look at the first conversations"),
		newMarkersCommand(env, app.SampleConversations, "COUNT OUT", "Look at conversations chosen at random"),
	)
	cmd := group("evaluate", "Judge recorded conversations")
	cmd.AddCommand(markers)
	return cmd
}

// noPrefix is the value of --stats-file-prefix without one: no statistics, as in
// Rasa 3.6. It is shown by --help.
const noPrefix = "<no statistics>"

func newMarkersCommand(env *environment, strategy, arguments, short string) *cobra.Command {
	o := app.MarkerOptions{Strategy: strategy}
	var seed string
	var noStatistics bool
	cmd := &cobra.Command{
		Use:   strategy + " " + arguments,
		Short: short,
		Args:  cobra.ExactArgs(map[bool]int{true: 1, false: 2}[strategy == app.AllConversations]),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Out = args[len(args)-1]
			if strategy != app.AllConversations {
				count, err := strconv.Atoi(args[0])
				if err != nil || count < 1 {
					return usageError{fmt.Errorf("COUNT must be a number of conversations, at least 1, not %q", args[0])}
				}
				o.Count = count
			}
			if cmd.Flags().Changed("seed") {
				n, ok := new(big.Int).SetString(seed, 10)
				if !ok || len(seed) > maxSeedDigits {
					return usageError{errors.New("--seed must be a whole number of at most 1000 digits")}
				}
				o.Seed = n
			}
			if noStatistics || o.Statistics == noPrefix {
				o.Statistics = ""
			}
			o.Logger, o.Telemetry = env.logger, env.telemetry
			result, err := app.EvaluateMarkers(cmd.Context(), o)
			printWarnings(env, result.Warnings)
			if err != nil {
				return err
			}
			fmt.Fprintf(env.Out, "%s with %s:\n", count(result.Conversations, "conversation"), count(result.Sessions, "session"))
			for _, file := range result.Files {
				fmt.Fprintf(env.Out, "  %s\n", filepath.ToSlash(file))
			}
			return nil
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.Config, "config", "markers.yml", "the markers: a file, or a folder of files")
	annotate(flags, "config", ofMarkers)
	flags.BoolVar(&noStatistics, "no-stats", false, "write no statistics")
	flags.StringVar(&o.Statistics, "stats-file-prefix", "stats", "what the names of the files with statistics begin with; folders in it must exist")
	flags.Lookup("stats-file-prefix").NoOptDefVal = noPrefix
	annotate(flags, "stats-file-prefix", takesOptional)
	cmd.MarkFlagsMutuallyExclusive("no-stats", "stats-file-prefix")
	addEndpointsFlag(flags, &o.Endpoints)
	flags.StringVarP(&o.Domain, "domain", "d", "domain.yml", "the domain: a file, or a folder of files")
	if strategy == app.SampleConversations {
		flags.StringVar(&seed, "seed", "", "another number chooses other conversations; the same number always the same (default 0)")
	}
	return cmd
}

// maxSeedDigits bounds what a seed costs.
const maxSeedDigits = 1000
