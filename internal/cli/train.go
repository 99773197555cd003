package cli

import (
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/loquat-dev/loquat/internal/app"
)

// Exit codes of train --dry-run, as Rasa's.
const (
	exitRetrainingNeeded = 1
	exitRetrainingForced = 8
)

func newTrainCommand(env *environment) *cobra.Command {
	cmd := trainCommand(env, app.TrainBoth, &cobra.Command{
		Use:   "train",
		Short: "Train a model from a project",
		Long: `Train reads a project, checks it, and writes a model to the folder models.
What has not changed since the last training is taken from a cache.`,
	})
	cmd.AddCommand(
		trainCommand(env, app.TrainNLU, &cobra.Command{Use: "nlu", Short: "Train a model that understands messages and nothing else"}),
		trainCommand(env, app.TrainCore, &cobra.Command{Use: "core", Short: "Train a model that decides on actions and understands nothing but /intent messages"}),
	)
	return cmd
}

func trainCommand(env *environment, part app.TrainPart, cmd *cobra.Command) *cobra.Command {
	o := app.TrainOptions{Part: part, ReportsValidation: part == app.TrainBoth} // as Rasa 3.6 does
	flags := cmd.Flags()
	compare := app.CompareCoreOptions{}
	if part == app.TrainCore {
		addDataFlags(flags, &o.Paths)
		flags.StringArrayVarP(&compare.Configs, "config", "c", []string{"config.yml"}, "the policies; several files, or a folder of them, are trained to be compared")
		annotate(flags, "config", takesList)
		flags.IntVar(&compare.Runs, "runs", 3, "how often configurations are compared, with other stories")
		flags.IntSliceVar(&compare.Percentages, "percentages", []int{0, 25, 50, 75}, "shares of the stories and rules that a comparison leaves out")
		annotate(flags, "percentages", takesList)
	} else {
		addProjectFlags(flags, &o.Paths)
	}
	addEndpointsFlag(flags, &o.Endpoints)
	flags.StringVar(&o.Out, "out", "models", "folder that the model is written to")
	flags.StringVar(&o.FixedModelName, "fixed-model-name", "", "name of the model, instead of one made of the time")
	flags.BoolVar(&o.Force, "force", false, "train everything, whatever the cache holds")
	flags.BoolVar(&o.DryRun, "dry-run", false, "only tell what would be trained (exit code 0: nothing, 1: something, 8: all by --force)")
	flags.BoolVar(&o.SkipValidation, "skip-validation", false, "do not check the project before training")
	flags.BoolVar(&o.FailOnWarnings, "fail-on-validation-warnings", false, "refuse a project with warnings too")
	flags.IntVar(&o.ValidationMaxHistory, "validation-max-history", 0, "number of turns that story conflicts are looked for in (default: all)")
	flags.IntVar(&o.Augmentation, "augmentation", 50, "how many stories to glue together, times ten; 0 for none")
	debugPlots := flags.Bool("debug-plots", false, "no effect here: there are no plots of stories")
	flags.IntVar(&o.Threads, "num-threads", 0, "number of cores to use (default: all)")
	flags.BoolVar(&o.PersistNLUData, "persist-nlu-data", false, "keep the NLU training data in the model")
	flags.StringVar(&o.Finetune, "finetune", "", "start from this earlier model, or the newest in this folder")
	flags.Lookup("finetune").NoOptDefVal = "models"
	annotate(flags, "finetune", takesOptional)
	flags.Float64Var(&o.EpochFraction, "epoch-fraction", 1, "share of the configured epochs when fine-tuning")
	switch part {
	case app.TrainNLU:
		addAlias(flags, "nlu", "u", "data")
	case app.TrainCore:
		addAlias(flags, "stories", "s", "data")
	}
	cmd.Args = cobra.NoArgs
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if *debugPlots {
			env.logger.Warn("--debug-plots has no effect: there are no plots of stories")
		}
		if o.Finetune == "" && flags.Changed("epoch-fraction") {
			env.logger.Warn("--epoch-fraction has no effect without --finetune")
		}
		progress := newProgress(env.Err, isTerminal(env.Err))
		if env.quiet {
			progress = newProgress(io.Discard, false)
		}
		defer progress.close()
		o.Logger, o.Telemetry = env.logger, env.telemetry
		o.Progress = progress.node
		if part == app.TrainCore {
			if comparesConfigs(compare.Configs) {
				compare.TrainOptions, compare.Doing = o, progress.say
				return compareCore(cmd, env, compare, progress.close)
			}
			o.Paths.Config = compare.Configs[0]
			for _, name := range []string{"runs", "percentages"} {
				if flags.Changed(name) {
					env.logger.Warn("--" + name + " has no effect unless several --config are compared")
				}
			}
		}
		result, err := app.Train(cmd.Context(), o)
		progress.close()
		printWarnings(env, result.Warnings)
		if err != nil {
			return err
		}
		return reportTraining(env, o, result)
	}
	return cmd
}

// comparesConfigs reports whether --config names more than one file.
func comparesConfigs(configs []string) bool {
	if len(configs) != 1 {
		return true
	}
	info, err := os.Stat(configs[0])
	return err == nil && info.IsDir()
}

// compareCore trains several configurations to be compared.
func compareCore(cmd *cobra.Command, env *environment, o app.CompareCoreOptions, done func()) error {
	for _, name := range []string{"fixed-model-name", "dry-run", "finetune"} {
		if cmd.Flags().Changed(name) {
			return usageError{fmt.Errorf("--%s trains one configuration; name one: --config", name)}
		}
	}
	for _, p := range o.Percentages {
		if p < 0 || p > 99 {
			return usageError{fmt.Errorf("--percentages are numbers from 0 to 99, not %d", p)}
		}
	}
	result, err := app.CompareCore(cmd.Context(), o)
	done()
	printWarnings(env, result.Warnings)
	if err != nil {
		return err
	}
	fmt.Fprintf(env.Out, "%s are in '%s'; compare them: test core --evaluate-model-directory --model %s\n", count(len(result.Models), "model"), o.Out, o.Out)
	return nil
}

func reportTraining(env *environment, o app.TrainOptions, r app.TrainResult) error {
	switch {
	case o.DryRun && o.Force:
		fmt.Fprintln(env.Out, "The training was forced: everything would be trained.")
		return exitCode(exitRetrainingForced)
	case o.DryRun && r.Stale:
		fmt.Fprintln(env.Out, "The project has changed: a training would learn something new.")
		for _, node := range r.Nodes {
			fmt.Fprintf(env.Out, "  would train %s\n", node)
		}
		return exitCode(exitRetrainingNeeded)
	case o.DryRun:
		fmt.Fprintln(env.Out, "Nothing has changed: no training is needed.")
		return nil
	}
	fmt.Fprintf(env.Out, "Your model is trained and saved at '%s'.\n", r.ModelPath)
	return nil
}
