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
	"fmt"
	"log/slog"
	"slices"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/loquat-dev/loquat/internal/tracing/jaeger"
	"github.com/loquat-dev/loquat/internal/tracing/otlp"
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
	provider   *sdktrace.TracerProvider
	tracer     trace.Tracer
	propagator propagation.TextMapPropagator
	batchers   []*batcher
}

// Start sets up exporters. It returns nil when there is nothing to trace for:
// no exporter and no viewer.
func Start(c Config, s Settings) (*Tracing, error) {
	if !c.On() && s.Viewer == nil {
		return nil, nil
	}
	if c.limits.Queue == 0 { // a configuration that was not read
		c.limits = environment{getenv: func(string) string { return "" }}.batchLimits()
		c.propagators = []string{"tracecontext", "baggage"}
		c.Baggage, c.TrustIncoming, c.serviceName = true, TrustYes, defaultService
	}
	t := &Tracing{config: c, propagator: propagatorOf(c.propagators)}
	res, err := resourceOf(c)
	if err != nil {
		s.Logger.Warn("OTEL_RESOURCE_ATTRIBUTES was read in part", "err", err)
	}
	options := []sdktrace.TracerProviderOption{sdktrace.WithResource(res)}
	if sampler := samplerOf(c.Sampler); sampler != nil {
		options = append(options, sdktrace.WithSampler(sampler))
	}
	var processors fanOut
	for _, e := range c.Exporters {
		p, err := t.processor(e, s.Logger)
		if err != nil {
			return nil, errors.Join(err, processors.Shutdown(context.Background()))
		}
		processors = append(processors, p)
	}
	if s.Viewer != nil {
		processors = append(processors, s.Viewer)
	}
	t.provider = sdktrace.NewTracerProvider(append(options, sdktrace.WithSpanProcessor(processors))...)
	t.tracer = t.provider.Tracer(scopeName, trace.WithInstrumentationVersion(version.Loquat))
	return t, nil
}

// processor builds the way of a span to one backend.
func (t *Tracing) processor(c ExporterConfig, logger *slog.Logger) (sdktrace.SpanProcessor, error) {
	var exporter sdktrace.SpanExporter
	var name string
	timeout := otlp.DefaultTimeout
	switch {
	case c.OTLP != nil:
		settings := *c.OTLP
		settings.Logger = logger
		e, err := otlp.New(settings)
		if err != nil {
			return nil, err
		}
		exporter, name, timeout = e, e.Describe(), max(settings.Timeout, time.Second)
	case c.HTTP != nil:
		e, err := jaeger.NewHTTP(*c.HTTP)
		if err != nil {
			return nil, err
		}
		exporter, name = e, "jaeger thrift over HTTP "+e.Endpoint()
	case c.UDP != nil:
		exporter = jaeger.NewUDP(*c.UDP)
		name = fmt.Sprintf("jaeger thrift %s over UDP %s:%d", c.UDP.Format, c.UDP.Host, c.UDP.Port)
	}
	logger.Info("tracing is on", "exporter", name, "service_name", c.ServiceName)
	if c.ServiceName != "" && c.ServiceName != t.config.service() {
		exporter = renamed{exporter, c.ServiceName}
	}
	if c.Sync {
		return &syncProcessor{name: name, exporter: exporter, timeout: timeout, logger: logger}, nil
	}
	b := newBatcher(name, exporter, t.config.limits, logger)
	t.batchers = append(t.batchers, b)
	return b, nil
}

// Shutdown exports what is waiting, for at most five seconds.
func (t *Tracing) Shutdown(ctx context.Context) error {
	if t == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, shutdownTime)
	defer cancel()
	return t.provider.Shutdown(ctx)
}

// Flush exports what is waiting and keeps tracing.
func (t *Tracing) Flush(ctx context.Context) error {
	if t == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, shutdownTime)
	defer cancel()
	return t.provider.ForceFlush(ctx)
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

// service is the service name of the resource that spans are made with.
func (c Config) service() string {
	if len(c.Exporters) > 0 {
		return c.Exporters[0].ServiceName
	}
	return c.serviceName
}

func resourceOf(c Config) (*resource.Resource, error) {
	own := resource.NewSchemaless(
		attrServiceName.String(c.service()),
		attrServiceVersion.String(version.Loquat),
	)
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
	case "parentbased_always_on":
		return sdktrace.ParentBased(sdktrace.AlwaysSample())
	case "parentbased_always_off":
		return sdktrace.ParentBased(sdktrace.NeverSample())
	case "parentbased_traceidratio":
		return sdktrace.ParentBased(sdktrace.TraceIDRatioBased(s.Ratio))
	default:
		return nil // the SDK reads OTEL_TRACES_SAMPLER
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

// fanOut hands one snapshot of a finished span to every processor. The SDK
// would take one for each.
type fanOut []sdktrace.SpanProcessor

// OnStart is part of the SDK's span processor.
func (f fanOut) OnStart(ctx context.Context, s sdktrace.ReadWriteSpan) {
	for _, p := range f {
		p.OnStart(ctx, s)
	}
}

// OnEnd passes a finished span on.
func (f fanOut) OnEnd(s sdktrace.ReadOnlySpan) {
	for _, p := range f {
		p.OnEnd(s)
	}
}

// Shutdown ends all processors at the same time, so that one that hangs doesn't
// take the others' share of the time.
func (f fanOut) Shutdown(ctx context.Context) error {
	return f.each(func(p sdktrace.SpanProcessor) error { return p.Shutdown(ctx) })
}

// ForceFlush flushes all processors.
func (f fanOut) ForceFlush(ctx context.Context) error {
	return f.each(func(p sdktrace.SpanProcessor) error { return p.ForceFlush(ctx) })
}

func (f fanOut) each(do func(sdktrace.SpanProcessor) error) error {
	results := make(chan error, len(f))
	for _, p := range f {
		go func() { results <- do(p) }()
	}
	var all []error
	for range f {
		all = append(all, <-results)
	}
	return errors.Join(all...)
}

// renamed exports spans under another service name than they were made with.
type renamed struct {
	sdktrace.SpanExporter
	service string
}

// ExportSpans passes the spans on with a changed resource.
func (r renamed) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	out := make([]sdktrace.ReadOnlySpan, len(spans))
	var res *resource.Resource
	for i, s := range spans {
		if res == nil {
			res, _ = resource.Merge(s.Resource(), resource.NewSchemaless(attribute.String(string(attrServiceName), r.service)))
		}
		out[i] = withResource{s, res}
	}
	return r.SpanExporter.ExportSpans(ctx, out)
}

type withResource struct {
	sdktrace.ReadOnlySpan
	resource *resource.Resource
}

// Resource is what the span says that it is about.
func (w withResource) Resource() *resource.Resource { return w.resource }
