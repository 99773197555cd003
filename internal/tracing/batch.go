package tracing

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/loquat-dev/loquat/internal/tracing/record"
)

// Attempts to deliver one batch, as the exporters of the OpenTelemetry SDK for
// Go space them.
const (
	firstRetry = 5 * time.Second
	maxRetry   = 30 * time.Second
	maxElapsed = time.Minute
)

// complaintInterval is the shortest time between two log records about an
// exporter that fails.
const complaintInterval = time.Minute

// batchLimits are the OTEL_BSP_* settings.
type batchLimits struct {
	Queue   int           // spans that may wait; more are dropped
	Batch   int           // spans of one export
	Delay   time.Duration // longest wait before an export
	Timeout time.Duration // longest time for one export with its repetitions
}

// batcher exports finished spans in the background.
//
// A finished span is put into a ring, and the worker is woken once a batch, not
// once a span. What is dropped is counted, and a shutdown cuts the waiting
// between attempts short.
type batcher struct {
	name     string // of the exporter, for the log
	exporter record.Exporter
	limits   batchLimits
	logger   *slog.Logger

	mu      sync.Mutex
	ring    []*record.Span
	head, n int

	wake     chan struct{}      // a batch is full
	flush    chan chan struct{} // closed by the worker once the ring was emptied
	stopping chan struct{}      // closed by Shutdown: no more waiting
	stopOnce sync.Once
	done     chan struct{} // the worker has ended
	cancel   context.CancelFunc

	dropped atomic.Int64 // the ring was full
	lost    atomic.Int64 // the exporter gave up
	sent    atomic.Int64

	complained time.Time // of the worker alone
	reported   int64     // drops that the log knows of
}

func newBatcher(name string, exporter record.Exporter, limits batchLimits, logger *slog.Logger) *batcher {
	ctx, cancel := context.WithCancel(context.Background())
	b := &batcher{
		name: name, exporter: exporter, limits: limits, logger: logger,
		ring: make([]*record.Span, limits.Queue),
		wake: make(chan struct{}, 1), flush: make(chan chan struct{}),
		stopping: make(chan struct{}), done: make(chan struct{}), cancel: cancel,
	}
	go b.work(ctx)
	return b
}

// OnEnd takes a finished span. It never waits.
func (b *batcher) OnEnd(s *record.Span) {
	b.mu.Lock()
	if b.n == len(b.ring) {
		b.mu.Unlock()
		b.dropped.Add(1)
		return
	}
	b.ring[(b.head+b.n)%len(b.ring)] = s
	b.n++
	full := b.n%b.limits.Batch == 0
	b.mu.Unlock()
	if full {
		select {
		case b.wake <- struct{}{}:
		default:
		}
	}
}

// take moves up to one batch out of the ring.
func (b *batcher) take(into []*record.Span) []*record.Span {
	b.mu.Lock()
	defer b.mu.Unlock()
	for b.n > 0 && len(into) < b.limits.Batch {
		into = append(into, b.ring[b.head])
		b.ring[b.head] = nil
		b.head = (b.head + 1) % len(b.ring)
		b.n--
	}
	return into
}

func (b *batcher) waiting() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.n
}

func (b *batcher) work(ctx context.Context) {
	defer close(b.done)
	ticker := time.NewTicker(b.limits.Delay)
	defer ticker.Stop()
	for {
		var flushed chan struct{}
		select {
		case <-b.wake:
			for b.waiting() >= b.limits.Batch {
				b.exportOne(ctx)
			}
			continue
		case <-ticker.C:
		case flushed = <-b.flush:
		case <-b.stopping:
		}
		// Only what is here now: spans that keep coming must not hold up a flush.
		for left := b.waiting(); left > 0; left -= b.limits.Batch {
			b.exportOne(ctx)
		}
		if flushed != nil {
			close(flushed)
		}
		if b.isStopping() {
			for b.waiting() > 0 && ctx.Err() == nil {
				b.exportOne(ctx)
			}
			return
		}
	}
}

func (b *batcher) isStopping() bool {
	select {
	case <-b.stopping:
		return true
	default:
		return false
	}
}

// exportOne sends one batch, again and again while that may help.
func (b *batcher) exportOne(ctx context.Context) {
	spans := b.take(make([]*record.Span, 0, b.limits.Batch))
	if len(spans) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, b.limits.Timeout)
	defer cancel()
	started, delay := time.Now(), firstRetry
	for {
		err := b.exporter.Export(ctx, spans)
		if err == nil {
			b.sent.Add(int64(len(spans)))
			b.reportDrops()
			return
		}
		after, again := retryable(err)
		wait := max(after, delay/2+rand.N(delay))
		if !again || ctx.Err() != nil || time.Since(started)+wait > maxElapsed || !b.pause(ctx, wait) {
			lost := lostOf(err, len(spans))
			b.lost.Add(int64(lost))
			b.sent.Add(int64(len(spans) - lost))
			b.complain(err)
			return
		}
		b.complain(err)
		delay = min(delay*3/2, maxRetry)
	}
}

// pause waits for d. It reports false if the wait was cut short.
func (b *batcher) pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	case <-b.stopping:
		return false
	}
}

// retryable asks an error whether trying again may help.
func retryable(err error) (time.Duration, bool) {
	var r interface{ Retryable() (time.Duration, bool) }
	if errors.As(err, &r) {
		return r.Retryable()
	}
	return 0, false
}

// lostOf asks an error how many of n spans were lost; all, if it doesn't know.
func lostOf(err error, n int) int {
	var partial interface{ LostSpans() int }
	if errors.As(err, &partial) {
		return partial.LostSpans()
	}
	return n
}

// complain logs a failure, at most once in complaintInterval.
func (b *batcher) complain(err error) {
	if time.Since(b.complained) < complaintInterval {
		return
	}
	b.complained = time.Now()
	b.logger.Warn("traces can't be exported", "exporter", b.name,
		"lost_spans", b.lost.Load(), "dropped_spans", b.dropped.Load(), "err", err)
}

// reportDrops logs that spans were dropped though the backend answers.
func (b *batcher) reportDrops() {
	dropped := b.dropped.Load()
	if dropped == b.reported || time.Since(b.complained) < complaintInterval {
		return
	}
	b.complained, b.reported = time.Now(), dropped
	b.logger.Warn("spans were dropped because they came faster than they could be exported",
		"exporter", b.name, "dropped_spans", dropped)
}

// Flush exports what is waiting.
func (b *batcher) Flush(ctx context.Context) error {
	flushed := make(chan struct{})
	select {
	case b.flush <- flushed:
	case <-b.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case <-flushed:
		return nil
	case <-b.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Shutdown exports what is waiting, one attempt a batch, and gives up when ctx
// ends.
func (b *batcher) Shutdown(ctx context.Context) error {
	b.stopOnce.Do(func() { close(b.stopping) })
	var err error
	select {
	case <-b.done:
	case <-ctx.Done():
		err = ctx.Err()
	}
	b.cancel()
	<-b.done
	return errors.Join(err, b.exporter.Shutdown(ctx))
}
