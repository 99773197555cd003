package telemetry

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// ExitTime is how long a command may wait at its end for what telemetry is doing.
const ExitTime = 100 * time.Millisecond

// Recorder takes events. Recording never blocks, never fails and never panics; a
// nil Recorder takes them and does nothing.
type Recorder struct {
	decision Decision // at the start of the process
	debug    io.Writer
	now      func() time.Time
	machine  *Context // known with the first event that is written; all but the project stays

	dropped atomic.Int64
	queue   chan occurrence
	closing chan struct{}
	running sync.WaitGroup // what writes, and what sends
	cancel  context.CancelFunc
}

type occurrence struct {
	event Event
	time  time.Time
}

// queueLength is how many events may wait to be written.
const queueLength = 64

// Options are what a command adds to the settings.
type Options struct {
	Notice   io.Writer // stderr
	Terminal bool      // Notice is one, so that a person reads it
	Logger   *slog.Logger
}

// Start decides for this process, tells people on the first run, and begins to
// send what earlier runs have left. The caller closes the result.
func Start(s Settings, o Options) *Recorder {
	r := &Recorder{now: time.Now, decision: Decide(s)}
	if strings.EqualFold(s.env("RASA_TELEMETRY_DEBUG"), "true") {
		r.debug = o.Notice
		return r
	}
	if w := r.decision.Warning; w != "" {
		o.Logger.Warn("telemetry: " + w)
	}
	if r.decision.FirstRun {
		r.introduce(o)
	}
	if r.decision.Mode == Off {
		return nil
	}
	r.queue = make(chan occurrence, queueLength)
	r.closing = make(chan struct{})
	ctx, cancel := context.WithCancel(context.Background())
	r.cancel = cancel
	left := r.decision.Mode == On && len(s.files().list(pending)) > 0
	r.running.Go(r.write)
	r.running.Go(func() { r.send(ctx, left) })
	return r
}

// FirstRun reports whether this is the run in which people are told.
func (r *Recorder) FirstRun() bool { return r != nil && r.decision.FirstRun }

// ProjectHash is how reports name the project that a model was trained in.
func (r *Recorder) ProjectHash(fingerprint *string) *Hash {
	if r == nil {
		return nil
	}
	return Decide(r.decision.settings).ProjectHash(fingerprint) // whose salt may be another by now
}

// introduce shows the notice if somebody can see it, and remembers that. Of several
// processes at once, one does. If it can't be remembered, telemetry is off: nobody
// shall read it again and again.
func (r *Recorder) introduce(o Options) {
	if !o.Terminal && !o.Logger.Enabled(context.Background(), slog.LevelInfo) {
		return
	}
	var shown bool
	var err error
	r.decision.state, err = changeState(r.decision.settings.StatePath(), func(s *state) {
		if shown = s.Notice >= SchemaSet; !shown {
			s.Notice = SchemaSet
			s.begin(r.now(), r.decision.Reason == Environment)
		}
	})
	switch {
	case err != nil:
		r.decision = r.decision.off(StateUnwritable, err.Error())
	case shown:
	case o.Terminal:
		fmt.Fprint(o.Notice, Notice(r.decision))
	default:
		o.Logger.Info("telemetry: "+r.decision.String(), "switch_off", "loquat telemetry disable, or RASA_TELEMETRY_ENABLED=false", "see", "loquat telemetry preview")
	}
}

// Notice is what people read on the first run.
func Notice(d Decision) string {
	where := "They stay on this machine: no collector is configured."
	if d.Collector != nil {
		where = "From the next run on they go to " + d.Collector.Host + ", which was chosen by whoever set LOQUAT_TELEMETRY_ENDPOINT."
	}
	return `Loquat records anonymous usage reports: commands, names of built-in components, sizes, kinds of
errors. Never messages, training data, or names that you chose.
` + where + `
See them with "loquat telemetry preview" and "loquat telemetry log".
Switch them off with "loquat telemetry disable" or RASA_TELEMETRY_ENABLED=false; nothing else changes.

`
}

// Record takes an event. It costs less than a microsecond; everything else
// happens in the background.
func (r *Recorder) Record(e Event) {
	switch {
	case r == nil:
	case r.debug != nil:
		r.print(e)
	default:
		select {
		case r.queue <- occurrence{e, r.now()}:
		default:
			r.dropped.Add(1)
		}
	}
}

// print shows an event instead of recording it (RASA_TELEMETRY_DEBUG).
func (r *Recorder) print(e Event) {
	title := "Telemetry Event:"
	if r.decision.Mode == Off {
		title = "Telemetry Event (telemetry is off, so that it would not be recorded):"
	}
	text, err := r.decision.Preview(e, r.now())
	if err != nil {
		text = []byte(err.Error())
	}
	fmt.Fprintf(r.debug, "%s\n%s\n", title, text)
}

// write puts events on disk until the recorder is closed. What can't be written is
// lost: that is no reason to disturb anybody.
func (r *Recorder) write() {
	for {
		select {
		case o := <-r.queue:
			_ = r.keep(o)
		case <-r.closing:
			for len(r.queue) > 0 {
				_ = r.keep(<-r.queue)
			}
			return
		}
	}
}

// keep writes an event to the log, and thus to the spool if it is to be sent. The
// switches are asked again under the lock that "telemetry disable" takes after it has
// switched off.
func (r *Recorder) keep(o occurrence) error {
	f := r.decision.settings.files()
	return f.whileWriting(func() (err error) {
		d := Decide(r.decision.settings)
		if d.Mode != Off && d.state.ID == "" && d.Waiting != "ci" {
			d.state, err = changeState(d.settings.StatePath(), func(s *state) { s.begin(r.now(), d.Reason == Environment) })
			if err == nil && d.state.ID == "" {
				return nil // switched off meanwhile
			}
		}
		if err != nil || d.Mode == Off {
			return err
		}
		if n := r.dropped.Swap(0); n > 0 {
			_ = f.changeSending(func(s *sending) { s.Dropped += n }) // a count for the curious
		}
		if r.machine == nil {
			r.machine = new(newContext(d, os.DirFS("/")))
		}
		r.machine.Project = projectHash(d.state.Salt, d.settings.GitRemote()) // of the identity that counts now
		outcome := recorded
		if r.decision.Mode == On && d.Mode == On {
			outcome = pending
		}
		return f.record(o, d, *r.machine, outcome)
	})
}

// Close ends the recorder: what was recorded is written, and a request under way
// may take until ExitTime, or no time if the command was interrupted.
func (r *Recorder) Close(interrupted bool) {
	if r == nil || r.debug != nil {
		return
	}
	close(r.closing)
	if interrupted {
		r.cancel()
	}
	ended := make(chan struct{})
	go func() {
		r.running.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(ExitTime):
	}
	r.cancel()
}
