package tracing

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/loquat-dev/loquat/internal/tracing/record"
)

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
	exporter record.Exporter
	limits   batchLimits
	logger   *slog.Logger

	mu      sync.Mutex
	ring    []*record.Span
	head, n int

	wake     chan struct{}      // a batch is full
	batch    []*record.Span     // of the worker, used again
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

func newBatcher(exporter record.Exporter, limits batchLimits, logger *slog.Logger) *batcher {
	ctx, cancel := context.WithCancel(context.Background())
	b := &batcher{
		exporter: exporter, limits: limits, logger: logger,
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
		s.Release()
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
