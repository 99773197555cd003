package record

import (
	"context"

	"go.opentelemetry.io/otel/trace"
)

// inContext is a context inside a span. It holds a copy of the span's identity,
// because a context may live longer than its span. The API's own way to put a
// span into a context takes two allocations for each span; so what needs that way
// calls Export.
type inContext struct {
	context.Context
	span trace.SpanContext
}

type spanKey struct{}

// Value finds the innermost span.
func (c *inContext) Value(key any) any {
	if key == (spanKey{}) {
		return &c.span
	}
	return c.Context.Value(key)
}

// Current identifies the span that ctx is inside of, which may be a remote one.
// The zero value is none.
func Current(ctx context.Context) trace.SpanContext {
	if span, ok := ctx.Value(spanKey{}).(*trace.SpanContext); ok {
		return *span
	}
	return trace.SpanContext{}
}

// Export returns a context in which OpenTelemetry's API, such as a propagator,
// finds the current span.
func Export(ctx context.Context) context.Context {
	return trace.ContextWithSpanContext(ctx, Current(ctx))
}

// Import returns a context whose current span is the one that OpenTelemetry's API
// put there, such as a propagator that read the headers of a request.
func Import(ctx context.Context) context.Context {
	if span := trace.SpanContextFromContext(ctx); span.IsValid() {
		return &inContext{ctx, span}
	}
	return ctx
}
