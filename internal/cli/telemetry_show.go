package cli

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/loquat-dev/loquat/internal/app"
	"github.com/loquat-dev/loquat/internal/telemetry"
)

// changes tells what to do about a reason; most need no more than the default.
var changes = map[telemetry.Reason]string{
	telemetry.StoredChoice:    "To change it: loquat telemetry enable.",
	telemetry.RasaChoice:      "To change it: loquat telemetry enable.",
	telemetry.DoNotTrack:      "While that holds, loquat telemetry enable has no effect.",
	telemetry.ProjectSwitch:   "While that holds, loquat telemetry enable has no effect.",
	telemetry.StateUnreadable: "While that holds, loquat telemetry enable has no effect.",
	telemetry.StateUnwritable: "While that holds, loquat telemetry enable has no effect.",
	telemetry.Environment:     "While RASA_TELEMETRY_ENABLED is set, it decides.",
}

func printStatus(env *environment, d telemetry.Decision, asJSON bool) error {
	s := d.Status()
	if asJSON {
		return printJSON(env, s)
	}
	fmt.Fprintf(env.Out, `Telemetry is %s.
  decided by   %s
  identifier   %s
  collector    %s
  waiting      %s, %d bytes
  last sent    %s
  lost         %s that came too fast
  state file   %s
%s What would be reported: loquat telemetry preview.
`, d, s.Reason, cmp.Or(s.ID, "no id exists"), cmp.Or(s.Endpoint, "none"), count(s.Spool.Events, "report"), s.Spool.Bytes,
		cmp.Or(s.LastSent, "never"), count(int(s.Dropped), "event"), s.State, cmp.Or(changes[s.Reason], "To change it: loquat telemetry disable."))
	return nil
}

func printJSON(env *environment, v any) error {
	encoder := json.NewEncoder(env.Out)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(v)
}

// eventNames are the events that the arguments name by the words of one, or all.
func eventNames(args []string, others ...string) ([]string, error) {
	wanted, names := strings.Join(args, " "), append(telemetry.EventNames(), others...)
	if wanted == "" {
		return names, nil
	}
	for _, name := range names {
		if strings.EqualFold(name, wanted) {
			return []string{name}, nil
		}
	}
	return nil, usageError{fmt.Errorf("there is no event %q; events: %s", wanted, strings.Join(names, ", "))}
}

func newPreviewCommand(env *environment) *cobra.Command {
	o := app.TrainOptions{}
	cmd := &cobra.Command{
		Use:   "preview [event]",
		Short: "Print exactly what would be reported for this project",
		RunE: func(cmd *cobra.Command, args []string) error {
			wanted, err := eventNames(args)
			if err != nil {
				return err
			}
			d := telemetry.Decide(env.telemetrySettings(cmd))
			o.Logger = env.logger
			events, err := app.PreviewTelemetry(cmd.Context(), o, d.ProjectHash)
			if err != nil {
				return err
			}
			for _, name := range wanted {
				text, err := d.Preview(events[name].Event, time.Now())
				if err != nil {
					return err
				}
				if note := events[name].Note; note != "" {
					fmt.Fprintf(env.Err, "%s: %s\n", name, note)
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
			names, err := eventNames(args, "envelope")
			if err != nil {
				return err
			}
			if len(names) == 1 {
				return printJSON(env, telemetry.Schema(names[0]))
			}
			all := map[string]any{}
			for _, name := range names {
				all[name] = telemetry.Schema(name)
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
			entries, err := telemetry.ReadLog(env.telemetrySettings(cmd), n)
			if err != nil {
				return err
			}
			if len(entries) == 0 {
				fmt.Fprintln(env.Err, "Nothing was recorded.")
			}
			for _, e := range entries {
				if asJSON {
					err = errors.Join(err, printJSON(env, e))
					continue
				}
				var report struct{ Event string }
				_ = json.Unmarshal(e.Report, &report) // ReadLog has seen that it is JSON
				line := fmt.Sprintf("%s  %s  %s", e.Time, report.Event, e.Outcome)
				if e.Detail != "" {
					line += " (" + e.Detail + ")"
				}
				fmt.Fprintf(env.Out, "%s\n  %s\n", printable(line), printable(string(e.Report)))
			}
			return err
		},
	}
	cmd.Flags().IntVarP(&n, "lines", "n", n, "number of reports")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}
