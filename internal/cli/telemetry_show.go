package cli

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/loquat-dev/loquat/internal/app"
	"github.com/loquat-dev/loquat/internal/telemetry"
)

func printStatus(env *environment, d telemetry.Decision, asJSON bool) error {
	status := d.Status()
	if asJSON {
		return printJSON(env, status)
	}
	orNone := func(text *string, none string) string {
		if text == nil {
			return none
		}
		return *text
	}
	fmt.Fprintf(env.Out, "Telemetry is %s.\n", d)
	fmt.Fprintf(env.Out, "  decided by   %s\n", status.Reason)
	fmt.Fprintf(env.Out, "  identifier   %s\n", orNone(status.ID, "no id exists"))
	fmt.Fprintf(env.Out, "  collector    %s\n", orNone(status.Endpoint, "none"))
	fmt.Fprintf(env.Out, "  waiting      %s, %d bytes\n", count(status.Spool.Events, "report"), status.Spool.Bytes)
	fmt.Fprintf(env.Out, "  last sent    %s\n", orNone(status.LastSent, "never"))
	fmt.Fprintf(env.Out, "  state file   %s\n", status.State)
	change := "To change it: loquat telemetry disable."
	switch status.Reason {
	case telemetry.StoredChoice, telemetry.RasaChoice:
		change = "To change it: loquat telemetry enable."
	case telemetry.DoNotTrack, telemetry.ProjectSwitch, telemetry.StateUnreadable, telemetry.StateUnwritable:
		change = "While that holds, loquat telemetry enable has no effect."
	case telemetry.Environment:
		change = "While RASA_TELEMETRY_ENABLED is set, it decides."
	}
	fmt.Fprintf(env.Out, "%s What would be reported: loquat telemetry preview.\n", change)
	return nil
}

func printJSON(env *environment, v any) error {
	encoder := json.NewEncoder(env.Out)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(v)
}

// eventArgument joins the words of an event's name, and refuses unknown ones.
func eventArgument(args []string, others ...string) (string, error) {
	wanted := strings.Join(args, " ")
	names := append(telemetry.EventNames(), others...)
	for _, name := range names {
		if strings.EqualFold(name, wanted) || wanted == "" {
			return name, nil
		}
	}
	return "", usageError{fmt.Errorf("there is no event %q; events: %s", wanted, strings.Join(names, ", "))}
}

func newPreviewCommand(env *environment) *cobra.Command {
	o := app.TrainOptions{}
	cmd := &cobra.Command{
		Use:   "preview [event]",
		Short: "Print exactly what would be reported for this project",
		RunE: func(cmd *cobra.Command, args []string) error {
			wanted, err := eventArgument(args)
			if err != nil {
				return err
			}
			d := telemetry.Decide(env.telemetrySettings(cmd))
			o.Logger = env.logger
			events, err := app.PreviewTelemetry(cmd.Context(), o, d.ProjectHash)
			if err != nil {
				return err
			}
			for _, e := range events {
				if len(args) > 0 && e.Name != wanted {
					continue
				}
				text, err := d.Preview(e.Event, time.Now())
				if err != nil {
					return err
				}
				if e.Note != "" {
					fmt.Fprintf(env.Err, "%s: %s\n", e.Name, e.Note)
				}
				fmt.Fprintf(env.Out, "%s\n", text)
			}
			return nil
		},
	}
	addProjectFlags(cmd.Flags(), &o.Paths)
	addEndpointsFlag(cmd.Flags(), &o.Endpoints)
	return cmd
}

func newSchemaCommand(env *environment) *cobra.Command {
	return &cobra.Command{
		Use:   "schema [event]",
		Short: "Print the JSON Schema of what can be reported",
		RunE: func(_ *cobra.Command, args []string) error {
			wanted, err := eventArgument(args, "envelope")
			if err != nil {
				return err
			}
			all := map[string]any{}
			for _, name := range append(telemetry.EventNames(), "envelope") {
				all[name] = telemetry.Schema(name)
			}
			if len(args) > 0 {
				return printJSON(env, all[wanted])
			}
			return printJSON(env, all)
		},
	}
}

func newLogCommand(env *environment) *cobra.Command {
	n, asJSON := 20, false
	cmd := &cobra.Command{
		Use:   "log",
		Short: "Show what was recorded or sent, with what became of it",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			entries, err := telemetry.ReadLog(env.telemetrySettings(cmd), max(0, n))
			if err != nil {
				return err
			}
			for _, e := range entries {
				if asJSON {
					if err := printJSON(env, e); err != nil {
						return err
					}
					continue
				}
				detail := ""
				if e.Detail != "" {
					detail = " (" + printable(e.Detail) + ")"
				}
				if e.Dropped > 0 {
					detail += fmt.Sprintf(" after %d events that came too fast and were dropped", e.Dropped)
				}
				fmt.Fprintf(env.Out, "%s  %s%s\n  %s\n", printable(e.Time), printable(e.Outcome), detail, printable(string(e.Report)))
			}
			if len(entries) == 0 {
				fmt.Fprintln(env.Err, "Nothing was recorded.")
			}
			return nil
		},
	}
	cmd.Flags().IntVarP(&n, "lines", "n", n, "number of reports")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}
