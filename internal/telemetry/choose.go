package telemetry

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"time"
)

// Disable stores the choice, forgets the identity and empties the spool. It makes
// no request; when it returns, no process starts one.
func Disable(s Settings) error {
	before := Decide(s)
	_, err := changeState(s.StatePath(), func(st *state) {
		if st.enabled || !st.present {
			st.date = time.Now()
		}
		st.enabled, st.id, st.salt = false, "", ""
	})
	if err != nil {
		return fmt.Errorf("the choice can't be stored: %w; set RASA_TELEMETRY_ENABLED=false instead", err)
	}
	f := s.files()
	if err := f.clear(); err != nil {
		return fmt.Errorf("telemetry is off, but waiting reports can't be removed: %w", err)
	}
	if before.Mode == Off {
		return nil
	}
	before.state = state{}
	report, err := encode(TelemetryDisabled{}, nil, newContext(s, before, os.DirFS("/")), time.Now())
	if err != nil {
		return err
	}
	// The log is for the reader's convenience; without it telemetry is off as well.
	_ = f.whileWriting(func() error {
		return f.log(Entry{Time: momentOf(time.Now()).text, Outcome: "recorded", Report: report, MessageID: messageIDOf(report)})
	})
	return nil
}

// Enable stores the choice and makes a new identity. What an earlier identity has
// left is not sent. The caller shows where reports go, which counts as the notice.
func Enable(s Settings) error {
	_, err := changeState(s.StatePath(), func(st *state) {
		if !st.enabled {
			st.date = time.Now()
		}
		st.enabled, st.present = true, true
		st.begin(time.Now())
	})
	if err != nil {
		return fmt.Errorf("the choice can't be stored: %w", err)
	}
	return s.files().clear()
}

// Status is the answer of "telemetry status --json".
type Status struct {
	Mode      Mode     `json:"mode"`
	Reason    Reason   `json:"reason"`
	Detail    string   `json:"detail"`
	Waiting   string   `json:"why_local,omitempty"`
	ID        *string  `json:"id"`
	Endpoint  *string  `json:"endpoint"` // host
	SchemaSet int      `json:"schema_set"`
	State     string   `json:"state_file"`
	Spool     spooling `json:"spool"`
	LastSent  *string  `json:"last_sent"`
}

type spooling struct {
	Events int   `json:"events"`
	Bytes  int64 `json:"bytes"`
}

// CurrentStatus looks at the switches and the folder of reports.
func CurrentStatus(s Settings) Status {
	d := Decide(s)
	out := Status{Mode: d.Mode, Reason: d.Reason, Detail: d.Detail, Waiting: d.Waiting, SchemaSet: SchemaSet, State: s.StatePath()}
	if d.state.id != "" {
		out.ID = &d.state.id
	}
	if d.Collector != nil {
		out.Endpoint = &d.Collector.Host
	}
	for _, w := range s.files().spool() {
		out.Spool.Events++
		out.Spool.Bytes += w.bytes
	}
	if last := s.files().readSending().LastSent; !last.IsZero() {
		text := momentOf(last).text
		out.LastSent = &text
	}
	return out
}

// MachineContext is what reports of this machine say about it.
func MachineContext(s Settings, d Decision) Context { return newContext(s, d, os.DirFS("/")) }

// Preview gives a report as it would be sent, indented, without recording it. The
// identity is null if there is none yet or telemetry is off.
func Preview(d Decision, c Context, e Event, now time.Time) ([]byte, error) {
	report, err := encode(e, d.state.identity(), c, now)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = json.Indent(&out, report, "", "  ")
	return out.Bytes(), err
}
