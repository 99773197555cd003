package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/loquat-dev/loquat/internal/app"
)

func newInteractiveCommand(env *environment) *cobra.Command {
	cmd := interactiveCommand(env, app.TrainBoth, &cobra.Command{
		Use:   "interactive [model]",
		Short: "Teach a model in a conversation and write stories from it",
		Long: `Interactive asks after each message whether it was understood, and before each
action whether it is the right one. What you confirm and correct becomes a story,
examples, and new intents, entities and actions of the domain.

Without a model it trains one first.`,
	})
	cmd.AddCommand(interactiveCommand(env, app.TrainCore, &cobra.Command{
		Use:   "core [model]",
		Short: "Teach a model that understands nothing but /intent messages",
	}))
	return cmd
}

func interactiveCommand(env *environment, part app.TrainPart, cmd *cobra.Command) *cobra.Command {
	train := app.TrainOptions{Part: part}
	o := app.InteractiveOptions{Serve: app.ServeOptions{InMemory: true}}
	flags := cmd.Flags()
	addProjectFlags(flags, &train.Paths)
	addEndpointsFlag(flags, &train.Endpoints)
	flags.StringVarP(&o.Serve.Model, "model", "m", "", "a model, or a folder of which the newest model is taken (default: train one)")
	port := flags.IntP("port", "p", 5005, "the graph of stories is served at the port after this one")
	flags.BoolVar(&o.SkipVisualization, "skip-visualization", false, "do not serve the graph of stories")
	flags.StringVar(&o.ConversationID, "conversation-id", "", "the conversation to go on with (default: a new one)")
	flags.StringVar(&train.Out, "out", "models", "folder that the model is written to")
	flags.IntVar(&train.Augmentation, "augmentation", 50, "how many stories to glue together, times ten; 0 for none")
	debugPlots := flags.Bool("debug-plots", false, "no effect here: there are no plots of stories")
	flags.StringVar(&train.Finetune, "finetune", "", "start from this earlier model, or the newest in this folder")
	flags.Lookup("finetune").NoOptDefVal = "models"
	annotate(flags, "finetune", takesOptional)
	flags.Float64Var(&train.EpochFraction, "epoch-fraction", 1, "share of the configured epochs when fine-tuning")
	switch part {
	case app.TrainCore:
		addAlias(flags, "stories", "s", "data")
	default:
		flags.BoolVar(&o.EndToEnd, "e2e", false, "write what users say into the stories")
		flags.BoolVar(&train.Force, "force", false, "train everything, whatever the cache holds")
		flags.BoolVar(&train.PersistNLUData, "persist-nlu-data", false, "keep the NLU training data in the model")
	}
	cmd.Args = cobra.MaximumNArgs(1)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := checkPort(strconv.Itoa(*port), 65534); err != nil {
			return err // the next one is listened at
		}
		takeModel(env, cmd, args, &o.Serve.Model)
		if *debugPlots {
			env.logger.Warn("--debug-plots has no effect: there are no plots of stories")
		}
		if o.Serve.Model == "" {
			result, err := trainFor(cmd.Context(), env, train)
			if err != nil {
				return err
			}
			o.Serve.Model = result.ModelPath
		} else {
			warnUntrained(env, cmd)
			if err := app.CheckPaths(givenPaths(cmd, train.Paths)); err != nil {
				return err
			}
		}
		o.Serve.Endpoints, o.Paths, o.GraphPort = train.Endpoints, train.Paths, *port+1
		return teach(cmd.Context(), env, o)
	}
	return cmd
}

// warnUntrained names the flags of training that a given model makes useless.
func warnUntrained(env *environment, cmd *cobra.Command) {
	for _, name := range []string{"config", "out", "augmentation", "finetune", "epoch-fraction", "force", "persist-nlu-data"} {
		if cmd.Flags().Changed(name) {
			env.logger.Warn("--" + name + " has no effect: the model that is given is not trained")
		}
	}
}

// givenPaths are the paths of domain and data that flags name. Where none is named,
// a model alone is enough: what is exported makes the files.
func givenPaths(cmd *cobra.Command, paths app.ProjectPaths) []string {
	var given []string
	flags := cmd.Flags()
	if flags.Changed("domain") {
		given = append(given, paths.Domain)
	}
	if flags.Changed("data") || flags.Changed("stories") {
		given = append(given, paths.Data...)
	}
	return given
}

// trainFor trains a model for a command that goes on with it.
func trainFor(ctx context.Context, env *environment, o app.TrainOptions) (app.TrainResult, error) {
	progress := newProgress(env.Err, isTerminal(env.Err))
	if env.quiet {
		progress = newProgress(io.Discard, false)
	}
	defer progress.close()
	o.Logger, o.Telemetry, o.Progress = env.logger, env.telemetry, progress.node
	result, err := app.Train(ctx, o)
	progress.close()
	printWarnings(env, result.Warnings)
	return result, err
}

// teach runs the session. An interrupt is a question here, and no end; SIGTERM is
// one.
func teach(ctx context.Context, env *environment, o app.InteractiveOptions) error {
	ctx, stop := signal.NotifyContext(context.WithoutCancel(ctx), syscall.SIGTERM)
	defer stop()
	interrupt := make(chan os.Signal, 1)
	signal.Notify(interrupt, os.Interrupt)
	defer signal.Stop(interrupt)
	o.Serve.Logger, o.Serve.Telemetry = env.logger, env.telemetry
	o.Lines, o.Interrupt, o.Out = env.typed(ctx).lines, interrupt, env.Out
	o.Output = &terminalOutput{w: env.Out}
	if err := app.Interactive(ctx, o); err != nil {
		return err
	}
	fmt.Fprintln(env.Out, "Bye.")
	return nil
}
