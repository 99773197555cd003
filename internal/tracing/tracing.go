// Package tracing watches turns, trainings and requests with OpenTelemetry, and
// is the only package that does: the seams it wraps know nothing of it.
//
// Names and attributes of spans are those that Rasa documents (names.go), so
// that searches and dashboards made for Rasa keep working. A span costs a turn a
// few microseconds; whatever takes longer, such as talking to a backend, happens
// in the background and is bounded. With tracing off there is no Tracing, and
// nothing is wrapped.
package tracing

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/loquat-dev/loquat/internal/tracing/jaeger"
	"github.com/loquat-dev/loquat/internal/tracing/otlp"
	"github.com/loquat-dev/loquat/internal/tracing/record"
	"github.com/loquat-dev/loquat/internal/tracing/viewer"
	"github.com/loquat-dev/loquat/internal/version"
)

// shutdownTime bounds the last export.
const shutdownTime = 5 * time.Second

// Settings are what the program passes on besides the configuration.
type Settings struct {
	Logger *slog.Logger
	Viewer *viewer.Viewer // prints each turn's tree; nil prints nothing
}

// Tracing makes spans. A nil *Tracing is tracing switched off: its methods
// return what they were given.
type Tracing struct {
	config     Config
	tracer     *record.Tracer
	propagator propagation.TextMapPropagator
	batchers   []*batcher
	nodeNames  sync.Map // component to *nodeNames
}

// Start sets up exporters. It returns nil when there is nothing to trace for:
// no exporter and no viewer.
func Start(c Config, s Settings) (*Tracing, error) {
	if !c.On() && s.Viewer == nil {
		return nil, nil
	}
	if c.Console && s.Viewer == nil {
		s.Viewer = viewer.New(os.Stderr, viewer.Detect(os.Stderr))
	}
	if !c.On() {
		c = defaults(environment{getenv: func(string) string { return "" }})
	}
	t := &Tracing{config: c, propagator: propagatorOf(c.propagators)}
	var processors []record.Processor
	for _, e := range c.Exporters {
		p, err := t.processor(e, s.Logger)
		if err != nil {
			return nil, errors.Join(err, record.NewTracer(nil, record.Limits{}, processors...).Shutdown(context.Background()))
		}
		processors = append(processors, p)
	}
	if s.Viewer != nil {
		processors = append(processors, s.Viewer)
	}
	t.tracer = record.NewTracer(samplerOf(c.Sampler), c.spanLimits, processors...)
	return t, nil
}

// processor builds the way of a span to one backend.
func (t *Tracing) processor(c ExporterConfig, logger *slog.Logger) (record.Processor, error) {
	res, err := resourceOf(c.ServiceName)
	if err != nil {
		logger.Warn("OTEL_RESOURCE_ATTRIBUTES was read in part", "err", err)
	}
	exporter, err := newExporter(c, record.Source{Resource: res, Scope: scopeName, Version: version.Loquat}, logger)
	if err != nil {
		return nil, err
	}
	logger.Info("tracing is on", "exporter", exporter.Describe(), "service_name", c.ServiceName)
	if c.Sync {
		return &syncProcessor{exporter: exporter, timeout: syncTimeout, logger: logger}, nil
	}
	b := newBatcher(exporter, t.config.limits, logger)
	t.batchers = append(t.batchers, b)
	return b, nil
}

func newExporter(c ExporterConfig, source record.Source, logger *slog.Logger) (record.Exporter, error) {
	switch {
	case c.OTLP != nil:
		settings := *c.OTLP
		settings.Source, settings.Logger = source, logger
		return otlp.New(settings)
	case c.HTTP != nil:
		settings := *c.HTTP
		settings.Source = source
		return jaeger.NewHTTP(settings)
	default:
		settings := *c.UDP
		settings.Source = source
		return jaeger.NewUDP(settings), nil
	}
}

// Shutdown exports what is waiting, for at most five seconds.
func (t *Tracing) Shutdown(ctx context.Context) error {
	if t == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, shutdownTime)
	defer cancel()
	return t.tracer.Shutdown(ctx)
}

// Flush exports what is waiting and keeps tracing.
func (t *Tracing) Flush(ctx context.Context) error {
	if t == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, shutdownTime)
	defer cancel()
	return t.tracer.Flush(ctx)
}

// Stats count spans since the start, over all backends.
type Stats struct {
	Sent    int64 // taken by a backend
	Dropped int64 // not queued, because the queue was full
	Lost    int64 // given up after they were queued
}

// Stats returns the counts so far.
func (t *Tracing) Stats() Stats {
	var s Stats
	if t == nil {
		return s
	}
	for _, b := range t.batchers {
		s.Sent += b.sent.Load()
		s.Dropped += b.dropped.Load()
		s.Lost += b.lost.Load()
	}
	return s
}

// Waiting is how many spans wait to be exported.
func (t *Tracing) Waiting() int {
	n := 0
	if t != nil {
		for _, b := range t.batchers {
			n += b.waiting()
		}
	}
	return n
}

// resourceOf describes this process to a backend.
func resourceOf(service string) (*resource.Resource, error) {
	own := resource.NewSchemaless(attrServiceName.String(service), attrServiceVersion.String(version.Loquat))
	res, err := resource.New(context.Background(), resource.WithFromEnv(), resource.WithTelemetrySDK())
	if res == nil {
		return own, err
	}
	merged, mergeErr := resource.Merge(res, own)
	if mergeErr != nil {
		return own, errors.Join(err, mergeErr)
	}
	return merged, err
}

func samplerOf(s Sampler) sdktrace.Sampler {
	switch s.Type {
	case "always_on":
		return sdktrace.AlwaysSample()
	case "always_off":
		return sdktrace.NeverSample()
	case "traceidratio":
		return sdktrace.TraceIDRatioBased(s.Ratio)
	case "parentbased_always_off":
		return sdktrace.ParentBased(sdktrace.NeverSample())
	case "parentbased_traceidratio":
		return sdktrace.ParentBased(sdktrace.TraceIDRatioBased(s.Ratio))
	default:
		return sdktrace.ParentBased(sdktrace.AlwaysSample())
	}
}

func propagatorOf(names []string) propagation.TextMapPropagator {
	var all []propagation.TextMapPropagator
	if slices.Contains(names, "tracecontext") {
		all = append(all, propagation.TraceContext{})
	}
	if slices.Contains(names, "baggage") {
		all = append(all, propagation.Baggage{})
	}
	return propagation.NewCompositeTextMapPropagator(all...)
}
