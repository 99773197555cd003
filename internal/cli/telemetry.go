package cli

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/loquat-dev/loquat/internal/app"
	"github.com/loquat-dev/loquat/internal/telemetry"
)

// startTelemetry makes the recorder of a command that reports usage.
func (e *environment) startTelemetry(cmd *cobra.Command) {
	_, e.command, _ = strings.Cut(cmd.CommandPath(), " ")
	if telemetry.Named[telemetry.Command](e.command).String() != e.command {
		return // not one of those that report: version, components, telemetry …
	}
	e.telemetry = telemetry.Start(e.telemetrySettings(cmd), telemetry.Options{
		Notice: e.Err, Terminal: isTerminal(e.Err), Logger: e.logger,
	})
}

// telemetrySettings looks into the project that the command's flags name.
func (e *environment) telemetrySettings(cmd *cobra.Command) telemetry.Settings {
	files := func(name string) []string {
		f := cmd.Flags().Lookup(name)
		if f == nil || f.Annotations[ofMarkers] != nil {
			return []string{name + ".yml"}
		}
		if list, ok := f.Value.(pflag.SliceValue); !ok {
			return []string{f.Value.String()}
		} else if several := list.GetSlice(); len(several) > 0 {
			return several
		}
		return []string{name + ".yml"}
	}
	return app.TelemetrySettings(append(files("endpoints"), files("config")...)...)
}

var filesFlag = regexp.MustCompile("^(--config|--endpoints|-[a-zA-Z]*c)")

// namesFiles reports whether arguments may name files of a project. Behind a wrong flag
// nobody has read them, and one of the files may switch telemetry off.
func namesFiles(args []string) bool { return slices.ContainsFunc(args, filesFlag.MatchString) }

// endTelemetry records how a command ended.
func (e *environment) endTelemetry(err error, interrupted bool) {
	if _, said := errors.AsType[exitCode](err); err != nil && !said && !interrupted && !errors.Is(err, context.Canceled) {
		e.telemetry.Record(e.errorEncountered(err))
	}
	e.telemetry.Close(interrupted)
}

func (e *environment) errorEncountered(err error) telemetry.ErrorEncountered {
	code, doing := app.ErrorCode(err), stage(e.command, err)
	if _, usage := errors.AsType[usageError](err); usage {
		code, doing = telemetry.Named[telemetry.ErrorCode]("usage"), "init"
	}
	return telemetry.ErrorEncountered{
		Command: telemetry.Named[telemetry.Command](e.command), ErrorCode: code, Stage: telemetry.Named[telemetry.Stage](doing),
	}
}

// stage is what a command was doing when it failed: a project that is wrong fails
// while it is loaded.
func stage(command string, err error) string {
	if app.IsProblem(err) {
		return "load"
	}
	verb, _, _ := strings.Cut(command, " ")
	stages := map[string]string{"init": "init", "train": "train", "run": "serve", "shell": "serve", "interactive": "serve", "test": "test", "evaluate": "test", "data": "load", "visualize": "load"}
	if s, ok := stages[verb]; ok {
		return s
	}
	return "other"
}

// askAboutTelemetry asks on the first run of init whether usage may be reported.
func (e *environment) askAboutTelemetry(ctx context.Context) {
	if !e.telemetry.FirstRun() || !isTerminal(e.In) {
		return
	}
	for {
		fmt.Fprint(e.Err, "May usage be recorded like this? yes, no, or show [yes] ")
		answer, _ := e.typed(ctx).next(ctx) // none is no objection
		switch strings.ToLower(strings.TrimSpace(answer)) {
		case "", "y", "yes":
			return
		case "n", "no":
			e.telemetry.Close(true)
			e.telemetry = nil
			if err := telemetry.Disable(app.TelemetrySettings("endpoints.yml", "config.yml")); err != nil {
				e.logger.Warn("telemetry: " + err.Error())
			}
			return
		case "s", "show":
			for _, name := range telemetry.EventNames() {
				fmt.Fprintln(e.Err, "  "+name)
			}
			fmt.Fprintln(e.Err, `All properties: "loquat telemetry schema", or docs/telemetry.md.`)
		}
	}
}

func newTelemetryCommand(env *environment) *cobra.Command {
	asJSON := false
	status := func(cmd *cobra.Command, _ []string) error {
		return printStatus(env, telemetry.Decide(env.telemetrySettings(cmd)), asJSON)
	}
	root := &cobra.Command{
		Use:   "telemetry",
		Short: "See and choose what usage is reported",
		Long: `Telemetry is anonymous reporting of usage: commands, names of built-in components,
sizes, kinds of errors. Nothing is sent unless LOQUAT_TELEMETRY_ENDPOINT and
RASA_TELEMETRY_WRITE_KEY name a collector. docs/telemetry.md has everything.`,
		Args: cobra.NoArgs,
		RunE: status,
	}
	root.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	show := &cobra.Command{Use: "status", Short: "Tell whether usage is reported, and which setting decides", Args: cobra.NoArgs, RunE: status}
	show.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	root.AddCommand(show, newDisableCommand(env), newEnableCommand(env), newPreviewCommand(env), newLogCommand(env), newSchemaCommand(env), newReceiveCommand(env))
	return root
}

func newDisableCommand(env *environment) *cobra.Command {
	return newChoiceCommand(env, "disable", "Report nothing from now on", telemetry.Disable)
}

func newEnableCommand(env *environment) *cobra.Command {
	return newChoiceCommand(env, "enable", "Report usage from now on", telemetry.Enable)
}

// newChoiceCommand stores a choice and tells what holds now: something else may decide.
func newChoiceCommand(env *environment, name, short string, store func(telemetry.Settings) error) *cobra.Command {
	return &cobra.Command{
		Use: name, Short: short, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s := env.telemetrySettings(cmd)
			if err := store(s); err != nil {
				return err
			}
			d := telemetry.Decide(s)
			if (d.Mode == telemetry.Off) != (name == "disable") {
				fmt.Fprintf(env.Err, "warning: the choice is stored, and has no effect: %s\n", d.Detail)
			}
			fmt.Fprintf(env.Out, "Telemetry is %s.\n", d)
			return nil
		},
	}
}
