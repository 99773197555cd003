// Package filebroker appends the events of all conversations to a file, one JSON
// object a line: for audits, and for reading along with tail -f.
//
// Publish only puts the lines into memory; one goroutine writes whatever has
// come together. When the file can't be written (full disk, missing folder) the
// lines are kept, up to a bound, and tried again; what goes beyond the bound is
// dropped with a log record that counts it. Lines are never written in halves
// twice: after a short write the rest follows where it stopped.
package filebroker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/loquat-dev/loquat/internal/tracker"
)

// Config is what endpoints.yml may set for an event broker of type file.
type Config struct {
	Path string `yaml:"path"`
}

// DefaultConfig has Rasa's defaults.
func DefaultConfig() Config { return Config{Path: "rasa_event.log"} }

const (
	maxWaiting = 16 << 20        // bytes that wait for a file that can't be written
	retryAfter = 2 * time.Second // between attempts to write such a file
)

// errClosed is what Publish returns after Close.
var errClosed = errors.New("event broker is closed")

// Broker is a broker.Broker that appends to a file.
type Broker struct {
	path string
	log  *slog.Logger

	mu      sync.Mutex
	waiting []byte // whole lines
	dropped int    // lines since the last log record about it
	closed  bool

	wake    chan struct{}
	ended   context.Context // of Close: no more waiting for a file to come back
	giveUp  context.CancelFunc
	stopped chan struct{}
	file    *os.File // of the writing goroutine
}

// Open starts a broker. That the file can be written is tried at once, so that a
// wrong path is noticed at start.
func Open(c Config, log *slog.Logger) (*Broker, error) {
	b := &Broker{path: c.Path, log: log, wake: make(chan struct{}, 1), stopped: make(chan struct{})}
	if err := b.reopen(); err != nil {
		return nil, fmt.Errorf("open event log: %w", err)
	}
	b.ended, b.giveUp = context.WithCancel(context.Background())
	go b.run()
	return b, nil
}

// Publish implements broker.Broker. It does not wait for the file.
func (b *Broker) Publish(_ context.Context, conversationID string, events []tracker.Event) error {
	lines := encode(conversationID, events)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return errClosed
	}
	if len(b.waiting)+len(lines) > maxWaiting {
		b.dropped += len(events)
		return nil // the writer reports it
	}
	b.waiting = append(b.waiting, lines...)
	select {
	case b.wake <- struct{}{}:
	default: // it is awake
	}
	return nil
}

// run writes until the broker is closed and everything is written, or given up.
func (b *Broker) run() {
	defer close(b.stopped)
	var buffer []byte
	for {
		lines, closed := b.take(buffer)
		switch {
		case len(lines) > 0:
			if !b.deliver(lines) {
				return
			}
		case closed:
			return
		default:
			<-b.wake
		}
		buffer = lines
	}
}

// deliver writes lines, however many attempts it takes. It returns false when
// the broker is closed and the file does not come back in time.
func (b *Broker) deliver(lines []byte) bool {
	for {
		n, err := b.write(lines)
		if err == nil {
			return true
		}
		lines = lines[n:]
		b.log.Warn("event log can't be written, events wait", "path", b.path, "err", err)
		select {
		case <-time.After(retryAfter):
		case <-b.ended.Done():
			b.log.Error("event log is incomplete, events are lost", "path", b.path, "err", err)
			return false
		}
	}
}

// take exchanges the waiting lines for an empty buffer.
func (b *Broker) take(empty []byte) (lines []byte, closed bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.dropped > 0 {
		b.log.Error("too many events wait for the event log, some are dropped", "path", b.path, "events", b.dropped)
		b.dropped = 0
	}
	lines, b.waiting = b.waiting, empty[:0]
	return lines, b.closed
}

// write appends lines to the file and returns how many bytes it took.
func (b *Broker) write(lines []byte) (int, error) {
	if b.file == nil {
		if err := b.reopen(); err != nil {
			return 0, err
		}
	}
	n, err := b.file.Write(lines)
	if err != nil {
		b.file.Close()
		b.file = nil
	}
	return n, err
}

func (b *Broker) reopen() (err error) {
	b.file, err = os.OpenFile(b.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	return err
}

// Ready reports whether the broker takes events.
func (b *Broker) Ready(context.Context) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return errClosed
	}
	return nil
}

// Close implements broker.Broker: it writes what waits, as long as ctx allows.
func (b *Broker) Close(ctx context.Context) error {
	b.mu.Lock()
	first := !b.closed
	b.closed = true
	b.mu.Unlock()
	if !first {
		return nil
	}
	close(b.wake)
	stop := context.AfterFunc(ctx, b.giveUp)
	defer stop()
	<-b.stopped
	b.giveUp()
	if b.file == nil {
		return fmt.Errorf("write event log: %w", ctx.Err())
	}
	return b.file.Close()
}

// encode makes one line of JSON of each event, with "sender_id" first.
func encode(conversationID string, events []tracker.Event) []byte {
	sender := tracker.AppendValue(nil, conversationID)
	var out []byte
	for _, e := range events {
		out = append(out, `{"sender_id":`...)
		out = append(out, sender...)
		out = append(out, ',')
		start := len(out)
		out = tracker.AppendEvent(out, e)
		out = append(out[:start], out[start+1:]...) // without its brace
		out = append(out, '\n')
	}
	return out
}
