package tracing

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/loquat-dev/loquat/internal/tracing/record"
)

// syncRest is how long nothing is sent after a failure. Without it a turn would
// wait for a dead backend once for each of its spans.
const syncRest = 5 * time.Second

// syncTimeout bounds the export of one span.
const syncTimeout = 10 * time.Second

// syncProcessor exports each span as it ends (sync_export: true). It is for
// debugging: the turn waits for the backend.
type syncProcessor struct {
	exporter record.Exporter
	timeout  time.Duration
	logger   *slog.Logger

	mu      sync.Mutex
	resting time.Time // nothing is sent before
	lost    int64
}

// OnEnd sends a finished span.
func (p *syncProcessor) OnEnd(s *record.Span) {
	defer s.Release()
	p.mu.Lock()
	defer p.mu.Unlock()
	if time.Now().Before(p.resting) {
		p.lost++
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), p.timeout)
	defer cancel()
	if err := p.exporter.Export(ctx, []*record.Span{s}); err != nil {
		p.lost++
		p.resting = time.Now().Add(syncRest)
		p.logger.Warn("traces can't be exported", "exporter", p.exporter.Describe(), "lost_spans", p.lost, "err", err)
	}
}

// Flush has nothing to do.
func (p *syncProcessor) Flush(context.Context) error { return nil }

// Shutdown closes the exporter.
func (p *syncProcessor) Shutdown(ctx context.Context) error { return p.exporter.Shutdown(ctx) }
