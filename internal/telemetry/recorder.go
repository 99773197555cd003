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
	settings Settings
	decision Decision // at the start of the process
	debug    io.Writer
	now      func() time.Time
	machine  func() Context

	off      atomic.Bool // nothing more is recorded or sent
	dropped  atomic.Int64
	queue    chan occurrence
	closing  chan struct{}
	recorded chan struct{} // closed when everything in the queue is on disk
	sent     chan struct{} // closed when no request is under way or to come
	cancel   context.CancelFunc
	closed   sync.Once
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
	now      func() time.Time // for tests
}

// Start decides for this process, tells people on the first run, and begins to
// send what earlier runs have left. The caller closes the result.
func Start(s Settings, o Options) *Recorder {
	r := &Recorder{settings: s, now: o.now}
	if r.now == nil {
		r.now = time.Now
	}
	r.decision = Decide(s)
	if strings.EqualFold(s.env("RASA_TELEMETRY_DEBUG"), "true") {
		r.debug = o.Notice
		r.machine = r.lookAround(r.decision)
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
	r.queue, r.closing = make(chan occurrence, queueLength), make(chan struct{})
	r.recorded, r.sent = make(chan struct{}), make(chan struct{})
	ctx, cancel := context.WithCancel(context.Background())
	r.cancel = cancel
	go r.write()
	if r.decision.Mode == On {
		go r.send(ctx, len(s.files().spool()) > 0)
	} else {
		close(r.sent)
	}
	return r
}

// Decision tells what was decided when the process began.
func (r *Recorder) Decision() Decision { return r.decision }

// ProjectHash is how reports name the project that a model was trained in.
func (r *Recorder) ProjectHash(fingerprint *string) *Hash {
	if r == nil {
		return nil
	}
	return r.decision.ProjectHash(r.settings, fingerprint)
}

// introduce shows the notice if somebody can see it, and remembers that. Of several
// processes at once, one does. If it can't be remembered, telemetry is off: nobody
// shall read it again and again.
func (r *Recorder) introduce(o Options) {
	if !o.Terminal && !o.Logger.Enabled(context.Background(), slog.LevelInfo) {
		return
	}
	shown := false
	changed, err := changeState(r.settings.StatePath(), func(s *state) {
		if shown = s.notice >= SchemaSet; !shown {
			s.begin(r.now())
		}
	})
	if err != nil {
		r.decision = off(StateUnwritable, err.Error())
		return
	}
	r.decision.state = changed
	if shown {
		return
	}
	if o.Terminal {
		fmt.Fprint(o.Notice, Notice(r.decision))
		return
	}
	o.Logger.Info("telemetry: "+r.decision.String(), "switch_off", "loquat telemetry disable, or RASA_TELEMETRY_ENABLED=false", "see", "loquat telemetry preview")
}

// begin notes that the notice was shown, and makes an identity.
func (s *state) begin(now time.Time) {
	if !s.present {
		s.enabled, s.date = true, now
	}
	s.notice = SchemaSet
	s.identify()
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
	case r == nil || r.off.Load():
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

// Off switches this process off.
func (r *Recorder) Off() {
	if r != nil {
		r.off.Store(true)
	}
}

// write puts events on disk until the recorder is closed.
func (r *Recorder) write() {
	defer close(r.recorded)
	for {
		select {
		case o := <-r.queue:
			r.keep(o)
		case <-r.closing:
			for {
				select {
				case o := <-r.queue:
					r.keep(o)
				default:
					return
				}
			}
		}
	}
}

// keep writes an event to the local log and, if it is to be sent, to the spool.
// The switches are asked again under the lock that "telemetry disable" takes
// after it has switched off. What can't be written is lost: that is no reason to
// disturb anybody.
func (r *Recorder) keep(o occurrence) {
	f := r.settings.files()
	_ = f.whileWriting(func() error {
		d := Decide(r.settings)
		if d.Mode == Off || r.off.Load() {
			r.Off()
			return nil
		}
		if d.state.id == "" && d.Waiting != "ci" {
			changed, err := changeState(r.settings.StatePath(), func(s *state) {
				if !s.present {
					s.enabled, s.date = true, r.now()
				}
				s.identify()
			})
			if err != nil {
				return err
			}
			d.state = changed
		}
		if r.machine == nil {
			r.machine = r.lookAround(d)
		}
		report, err := encode(o.event, d.state.identity(), r.machine(), o.time)
		if err != nil {
			return err
		}
		entry := Entry{Time: momentOf(o.time).text, Outcome: "recorded", Report: report, MessageID: messageIDOf(report)}
		sends := r.decision.Mode == On && d.Mode == On && !aboutOf(o.event).localOnly
		if sends {
			entry.Outcome = "waiting"
		}
		entry.Dropped = r.dropped.Swap(0)
		if err := f.log(entry); err != nil || !sends {
			return err
		}
		return f.add(report, o.time)
	})
}

// lookAround describes the machine, once.
func (r *Recorder) lookAround(d Decision) func() Context {
	return sync.OnceValue(func() Context { return newContext(r.settings, d, os.DirFS("/")) })
}

// print shows an event instead of recording it (RASA_TELEMETRY_DEBUG).
func (r *Recorder) print(e Event) {
	title := "Telemetry Event:"
	if r.decision.Mode == Off {
		title = "Telemetry Event (telemetry is off, so that it would not be recorded):"
	}
	text, err := Preview(r.decision, r.machine(), e, r.now())
	if err != nil {
		text = []byte(err.Error())
	}
	fmt.Fprintf(r.debug, "%s\n%s\n", title, text)
}

// Close ends the recorder: what was recorded is written, and a request under way
// may take until ExitTime, or no time if the command was interrupted.
func (r *Recorder) Close(interrupted bool) {
	if r == nil || r.queue == nil {
		return
	}
	r.closed.Do(func() {
		deadline, cancel := context.WithTimeout(context.Background(), ExitTime)
		defer cancel()
		close(r.closing)
		if interrupted {
			r.cancel()
		}
		for _, done := range []chan struct{}{r.recorded, r.sent} {
			select {
			case <-done:
			case <-deadline.Done():
			}
		}
		r.cancel()
	})
}
