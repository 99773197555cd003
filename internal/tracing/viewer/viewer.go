// Package viewer shows traces in the terminal: each turn as a tree of its steps,
// with the time that every step took. It needs no backend.
//
// The last turns are kept in memory, within bounds. Printing happens in the
// background, so that a slow terminal doesn't slow a turn.
package viewer

import (
	"context"
	"fmt"
	"io"
	"sync"

	"go.opentelemetry.io/otel/trace"

	"github.com/loquat-dev/loquat/internal/tracing/record"
)

// Bounds on what is held. Beyond them spans are left out of a tree, the oldest
// unfinished trace is forgotten, and finished turns are not printed.
const (
	maxSpans    = 2000 // of one trace
	maxOpen     = 1000 // traces without an end so far
	maxUnread   = 256  // finished turns that wait to be printed
	defaultKeep = 50   // finished turns that Turns can return
)

// Options say how trees look.
type Options struct {
	Color bool
	Width int // columns of the terminal; 0 never breaks a line
	Keep  int // how many turns Turns returns at most; 50 when 0
}

// Viewer is a record.Processor.
type Viewer struct {
	out     io.Writer
	options Options

	mu      sync.Mutex
	open    map[trace.TraceID]*collected
	order   []trace.TraceID // of open, oldest first
	kept    []Turn          // a ring once it is full
	next    int             // place of the next turn in kept
	count   int             // turns so far
	skipped int             // turns that were not printed
	closed  bool

	queue chan job
	done  chan struct{}
}

// collected are the finished spans of a trace whose root goes on.
type collected struct {
	spans []*record.Span
	lost  int
}

// job is a turn to print, or a question whether all before it are printed.
type job struct {
	turn    Turn
	printed chan struct{}
}

// New returns a viewer that prints to out.
func New(out io.Writer, o Options) *Viewer {
	if o.Keep <= 0 {
		o.Keep = defaultKeep
	}
	v := &Viewer{
		out: out, options: o, open: map[trace.TraceID]*collected{},
		queue: make(chan job, maxUnread), done: make(chan struct{}),
	}
	go v.print()
	return v
}

// OnEnd collects a finished span. The end of a trace's root, which is a span
// without a parent in this process, completes the turn.
func (v *Viewer) OnEnd(s *record.Span) {
	v.mu.Lock()
	defer v.mu.Unlock()
	id := s.Context.TraceID()
	c := v.open[id]
	if c == nil {
		c = &collected{}
		v.open[id] = c
		v.order = append(v.order, id)
		v.forgetOldest()
	}
	if !s.IsLocalRoot() {
		if len(c.spans) < maxSpans {
			c.spans = append(c.spans, s)
		} else {
			c.lost++
		}
		return
	}
	turn, rest := newTurn(s, c.spans, c.lost)
	if c.spans, c.lost = rest, 0; len(rest) == 0 {
		delete(v.open, id)
	}
	v.finish(turn)
}

// forgetOldest keeps the number of unfinished traces within its bound.
func (v *Viewer) forgetOldest() {
	for len(v.open) > maxOpen || len(v.order) > 2*maxOpen {
		delete(v.open, v.order[0])
		v.order = v.order[1:]
	}
}

func (v *Viewer) finish(turn Turn) {
	v.count++
	turn.Number = v.count
	if len(v.kept) < v.options.Keep {
		v.kept = append(v.kept, turn)
	} else {
		v.kept[v.next] = turn
	}
	v.next = (v.next + 1) % v.options.Keep
	if v.closed {
		return
	}
	select {
	case v.queue <- job{turn: turn}:
	default:
		v.skipped++
	}
}

// Turns returns the last turns, oldest first.
func (v *Viewer) Turns() []Turn {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.kept) < v.options.Keep {
		return append([]Turn(nil), v.kept...)
	}
	return append(append([]Turn(nil), v.kept[v.next:]...), v.kept[:v.next]...)
}

func (v *Viewer) print() {
	defer close(v.done)
	for j := range v.queue {
		if j.printed != nil {
			close(j.printed)
			continue
		}
		Render(v.out, j.turn, v.options)
		v.mu.Lock()
		skipped := v.skipped
		v.skipped = 0
		v.mu.Unlock()
		if skipped > 0 {
			fmt.Fprintf(v.out, "(%d more turns came faster than they could be printed)\n\n", skipped)
		}
	}
}

// Flush returns when all turns that ended before were printed.
func (v *Viewer) Flush(ctx context.Context) error {
	printed := make(chan struct{})
	v.mu.Lock()
	if v.closed {
		v.mu.Unlock()
		return nil
	}
	select {
	case v.queue <- job{printed: printed}:
		v.mu.Unlock()
	default: // full: what is printed last is not worth a wait
		v.mu.Unlock()
		return nil
	}
	select {
	case <-printed:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Shutdown prints what is left and ends the viewer.
func (v *Viewer) Shutdown(ctx context.Context) error {
	v.mu.Lock()
	if !v.closed {
		v.closed = true
		close(v.queue)
	}
	v.mu.Unlock()
	select {
	case <-v.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
