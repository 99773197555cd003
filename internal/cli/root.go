// Package cli is the command line: one file per command, each turning flags into
// options for package app and results into text and an exit code.
//
// Names, short forms and defaults of flags are those of Rasa 3.6, so that a
// symlink called "rasa" serves scripts as they are.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/version"
)

// Streams are the terminal that a command talks to.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
}

// Exit codes.
const (
	exitOK          = 0
	exitError       = 1
	exitUsage       = 2
	exitInterrupted = 130
)

// exitCode is an error that has said what it had to say already.
type exitCode int

func (e exitCode) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

// usageError is a wrong use of flags or arguments.
type usageError struct{ error }

// Run executes the command line args, of which the first is the name that the
// program was called by, and returns the exit code. An interrupt or SIGTERM
// cancels the command.
func Run(args []string, streams Streams) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// A second signal ends the program at once.
	context.AfterFunc(ctx, stop)

	env := &environment{Streams: streams}
	root := newRoot(programName(args), env)
	root.SetArgs(expandArgs(root, args[1:]))
	cmd, err := root.ExecuteContextC(ctx)
	if err != nil && env.command == "" && !namesFiles(args) && env.setUpLogging() == nil {
		env.startTelemetry(cmd) // a wrong flag has ended the command before it began
	}
	code := report(err, env)
	env.endTelemetry(err, ctx.Err() != nil)
	return code
}

func newRoot(name string, env *environment) *cobra.Command {
	root := &cobra.Command{
		Use:   name,
		Short: "Loquat trains and serves conversational assistants from Rasa projects.",
		Long: `Loquat takes a Rasa project as it stands (config.yml, domain.yml, data/,
endpoints.yml, credentials.yml), trains it in seconds and serves it from this
one binary. Every step of training and of handling a message can be traced with
OpenTelemetry: add a "tracing:" entry to endpoints.yml, or --trace to see it here.`,
		Example: `  loquat init                 make a working project
  loquat train                train a model from it
  loquat shell --trace        talk to it and see what each message causes
  loquat run --enable-api     serve it over HTTP`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_ = cmd.Help()
			return exitCode(exitError) // as Rasa: no command is no success
		},
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			if err := errors.Join(checkFlags(cmd.Flags()), env.setUpLogging()); err != nil {
				return err
			}
			env.startTelemetry(cmd)
			return nil
		},
	}
	root.SetIn(env.In)
	root.SetOut(env.Out)
	root.SetErr(env.Err)
	root.SetFlagErrorFunc(flagError)

	flags := root.PersistentFlags()
	flags.CountVarP(&env.verbosity, "verbose", "v", "log more: -v information, -vv everything")
	flags.BoolVar(&env.debug, "debug", false, "log everything, as -vv")
	flags.BoolVar(&env.quiet, "quiet", false, "log warnings and errors only")
	root.Flags().Bool("version", false, "print versions")
	run := root.RunE
	root.RunE = func(cmd *cobra.Command, args []string) error {
		if show, _ := cmd.Flags().GetBool("version"); show {
			return printVersion(env)
		}
		return run(cmd, args)
	}

	root.AddCommand(
		newInitCommand(env),
		newTrainCommand(env),
		newRunCommand(env),
		newShellCommand(env),
		newInteractiveCommand(env),
		newTestCommand(env),
		newDataCommand(env),
		newVisualizeCommand(env),
		newEvaluateCommand(env),
		newComponentsCommand(env),
		newVersionCommand(env),
		newTelemetryCommand(env),
		newModelWeightsCommand(env),
		newLicenseCommand(env),
	)
	addNotBuilt(root, notBuilt)
	countArguments(root)
	return root
}

// programName is what the program was called by: "loquat", or "rasa" through a
// symlink.
func programName(args []string) string {
	if len(args) == 0 {
		return "loquat"
	}
	return strings.TrimSuffix(filepath.Base(args[0]), ".exe")
}

// report prints what went wrong and returns the exit code.
func report(err error, env *environment) int {
	w := env.Err
	if err == nil {
		return exitOK
	}
	if code, ok := errors.AsType[exitCode](err); ok {
		return int(code)
	}
	if errors.Is(err, context.Canceled) {
		fmt.Fprintln(w, "interrupted")
		return exitInterrupted
	}
	if usage, ok := errors.AsType[usageError](err); ok {
		fmt.Fprintf(w, "error: %v\nSee --help.\n", usage.error)
		return exitUsage
	}
	if problems := diag.Of(err); len(problems) > 0 {
		printProblems(env, problems)
		return exitError
	}
	fmt.Fprintf(w, "error: %v\n", err)
	return exitError
}

// printProblems writes what is wrong with a project, and how much it is, with the
// warnings that were printed before.
func printProblems(env *environment, problems []diag.Problem) {
	errorCount, warningCount := 0, env.warnings
	for _, p := range problems {
		fmt.Fprintln(env.Err, p.Error())
		switch p.Severity {
		case diag.Error:
			errorCount++
		case diag.Warning:
			warningCount++
		}
	}
	if errorCount > 0 {
		fmt.Fprintf(env.Err, "%s, %s\n", count(errorCount, "error"), count(warningCount, "warning"))
	}
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	if stem, ok := strings.CutSuffix(noun, "y"); ok {
		return fmt.Sprintf("%d %sies", n, stem)
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func newVersionCommand(env *environment) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print versions",
		Args:  cobra.NoArgs,
		RunE:  func(*cobra.Command, []string) error { return printVersion(env) },
	}
}

func printVersion(env *environment) error {
	fmt.Fprintf(env.Out, "Loquat version      : %s\n", version.Loquat)
	fmt.Fprintf(env.Out, "Follows Rasa version: %s\n", version.Rasa)
	if commit := version.Commit(); commit != "" {
		fmt.Fprintf(env.Out, "Commit              : %s\n", commit)
	}
	fmt.Fprintf(env.Out, "Go version          : %s\n", goVersion())
	return nil
}
