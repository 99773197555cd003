package record

import (
	"context"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"sync"
	"time"
	"unicode/utf8"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// Processor takes spans as they end.
type Processor interface {
	// OnEnd takes a finished span, to be released after use. It never waits for
	// long.
	OnEnd(s *Span)
	// Flush does now what was put off.
	Flush(ctx context.Context) error
	// Shutdown flushes and ends the processor.
	Shutdown(ctx context.Context) error
}

// Exporter sends finished spans to a backend.
type Exporter interface {
	// Export sends spans. One caller at a time. An error may implement
	// Retryable() (after time.Duration, ok bool) if another try may help, and
	// LostSpans() int if only some spans were lost.
	Export(ctx context.Context, spans []*Span) error
	// Shutdown closes connections.
	Shutdown(ctx context.Context) error
	// Describe says in a few words where spans go.
	Describe() string
}

// Source says who made the spans. Backends are told once a request.
type Source struct {
	Resource       *resource.Resource
	Scope, Version string // of the instrumentation
}

// Limits bound what one span holds.
type Limits struct {
	Attributes  int
	Events      int
	ValueLength int // characters of a text; negative means any number
}

// DefaultLimits are those of OpenTelemetry's specification.
var DefaultLimits = Limits{Attributes: 128, Events: 128, ValueLength: -1}

// shorten cuts texts to the limit.
func (l *Limits) shorten(a attribute.KeyValue) attribute.KeyValue {
	if l.ValueLength < 0 {
		return a
	}
	switch a.Value.Type() {
	case attribute.STRING:
		a.Value = attribute.StringValue(cut(a.Value.AsString(), l.ValueLength))
	case attribute.STRINGSLICE:
		list := a.Value.AsStringSlice()
		for i := range list {
			list[i] = cut(list[i], l.ValueLength)
		}
		a.Value = attribute.StringSliceValue(list)
	}
	return a
}

func cut(s string, n int) string {
	if len(s) <= n || utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n])
}

// Tracer starts spans. It is safe for concurrent use.
type Tracer struct {
	sampler    sdktrace.Sampler
	limits     Limits
	processors []Processor
	idle       sync.Pool // of *Span
}

// NewTracer returns a tracer whose finished spans go to every processor. The
// sampler decides for a trace as it enters this process; spans below follow.
func NewTracer(sampler sdktrace.Sampler, limits Limits, processors ...Processor) *Tracer {
	return &Tracer{sampler: sampler, limits: limits, processors: processors}
}

// Start starts a span below the one in ctx, and returns it with a context for
// what happens inside it.
func (t *Tracer) Start(ctx context.Context, name string, kind trace.SpanKind, links ...trace.Link) (context.Context, *Span) {
	parent := Current(ctx)
	config := trace.SpanContextConfig{TraceID: parent.TraceID(), SpanID: newSpanID(), TraceState: parent.TraceState()}
	sampled := parent.IsSampled()
	if !parent.IsValid() || parent.IsRemote() {
		if !parent.TraceID().IsValid() {
			config.TraceID = newTraceID()
		}
		decision := t.sampler.ShouldSample(sdktrace.SamplingParameters{
			ParentContext: Export(ctx), TraceID: config.TraceID, Name: name, Kind: kind, Links: links,
		})
		sampled = decision.Decision == sdktrace.RecordAndSample
		config.TraceState = decision.Tracestate
	}
	if sampled {
		config.TraceFlags = parent.TraceFlags() | trace.FlagsSampled
	} else {
		config.TraceFlags = parent.TraceFlags() &^ trace.FlagsSampled
	}
	s, _ := t.idle.Get().(*Span)
	if s == nil {
		s = &Span{tracer: t}
		s.Attributes = s.inline[:0]
	}
	s.Name, s.Kind, s.Context, s.Parent = name, kind, trace.NewSpanContext(config), parent
	if s.recorded, s.ended = sampled, false; sampled {
		s.Links, s.Start = links, time.Now()
	}
	return &inContext{ctx, s.Context}, s
}

// free keeps a span for another use.
func (t *Tracer) free(s *Span) {
	clear(s.Attributes)
	s.Attributes = s.Attributes[:0]
	s.DroppedAttributes, s.Events, s.Links, s.Status, s.Description = 0, nil, nil, codes.Unset, ""
	t.idle.Put(s)
}

// Flush flushes all processors.
func (t *Tracer) Flush(ctx context.Context) error {
	return t.each(func(p Processor) error { return p.Flush(ctx) })
}

// Shutdown ends all processors.
func (t *Tracer) Shutdown(ctx context.Context) error {
	return t.each(func(p Processor) error { return p.Shutdown(ctx) })
}

// each works on all processors at the same time, so that one that hangs doesn't
// take the others' share of the time.
func (t *Tracer) each(do func(Processor) error) error {
	results := make(chan error, len(t.processors))
	for _, p := range t.processors {
		go func() { results <- do(p) }()
	}
	var all []error
	for range t.processors {
		all = append(all, <-results)
	}
	return errors.Join(all...)
}

func newTraceID() (id trace.TraceID) {
	for !id.IsValid() {
		binary.NativeEndian.PutUint64(id[:8], rand.Uint64())
		binary.NativeEndian.PutUint64(id[8:], rand.Uint64())
	}
	return id
}

func newSpanID() (id trace.SpanID) {
	for !id.IsValid() {
		binary.NativeEndian.PutUint64(id[:], rand.Uint64())
	}
	return id
}
