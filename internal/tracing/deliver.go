package tracing

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"
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

// exportOne sends one batch, again and again while that may help.
func (b *batcher) exportOne(ctx context.Context) {
	b.batch = b.take(b.batch[:0])
	spans := b.batch
	if len(spans) == 0 {
		return
	}
	defer func() {
		for _, s := range spans {
			s.Release()
		}
		clear(spans)
	}()
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
	b.logger.Warn("traces can't be exported", "exporter", b.exporter.Describe(),
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
		"exporter", b.exporter.Describe(), "dropped_spans", dropped)
}
