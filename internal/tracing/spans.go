package tracing

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"

	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/loquat-dev/loquat/internal/action"
	"github.com/loquat-dev/loquat/internal/tracing/record"
)

// start begins a span. Attributes that cost something are set later, and only on
// a span that is recorded.
func (t *Tracing) start(ctx context.Context, name string, kind trace.SpanKind) (context.Context, *record.Span) {
	return t.tracer.Start(ctx, name, kind)
}

// fail marks a span as failed. What is said about the error is free of content
// unless capture_content allows it.
func (t *Tracing) fail(span *record.Span, err error) {
	if err == nil || !span.IsRecording() {
		return
	}
	if _, rejected := errors.AsType[*action.RejectedError](err); rejected {
		span.AddEvent(eventRejected) // a way of answering, and no failure
		return
	}
	kind, text := describe(err)
	if t.config.CaptureContent {
		text = err.Error()
	}
	span.AddEvent(eventException, attrExceptionType.String(kind), attrExceptionText.String(text))
	span.SetAttributes(attrErrorType.String(kind))
	span.SetStatus(codes.Error, text)
}

// describe gives a short class and a sentence for an error. Neither repeats the
// error's own text, which may quote what a user or an action server said; the log
// has it, with the trace's identifier beside it.
func describe(err error) (kind, text string) {
	var dns *net.DNSError
	var authority x509.UnknownAuthorityError
	var errno syscall.Errno
	var network net.Error
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return "timeout", "timed out"
	case errors.Is(err, context.Canceled):
		return "cancelled", "cancelled"
	case errors.As(err, &dns):
		return "dns", "the host name was not found"
	case errors.As(err, &authority):
		return "tls", "the certificate is signed by an unknown authority"
	case errors.As(err, &errno):
		return strings.ReplaceAll(errno.Error(), " ", "_"), errno.Error()
	case errors.As(err, &network) && network.Timeout():
		return "timeout", "timed out"
	}
	var classified interface{ ErrorType() string }
	if kind = typeName(err); errors.As(err, &classified) {
		kind = classified.ErrorType()
	}
	return kind, "failed (" + kind + ")"
}

// typeName is the innermost named type of an error that is not one of the
// standard library's plain texts.
func typeName(err error) string {
	name := "error"
	for ; err != nil; err = errors.Unwrap(err) {
		switch t := strings.TrimPrefix(fmt.Sprintf("%T", err), "*"); t {
		case "errors.errorString", "fmt.wrapError", "fmt.wrapErrors", "errors.joinError":
		default:
			name = t
		}
	}
	return name
}

// orNone gives Rasa's word for an absent value.
func orNone(s string) string {
	if s == "" {
		return none
	}
	return s
}
