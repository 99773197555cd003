package tracing

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"

	"go.opentelemetry.io/otel/baggage"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/loquat-dev/loquat/internal/action/webhook"
	"github.com/loquat-dev/loquat/internal/tracing/record"
)

// maxBaggage is how many bytes of baggage are passed on; more is left out. The
// standard allows 8 KiB, but an action server made with rasa-sdk refuses requests
// whose headers together are longer than that.
const maxBaggage = 4 << 10

// ActionServer wraps the transport of the action server's client: each request
// becomes the spans HTTPCustomActionExecutor.run and EndpointConfig.request, and
// carries the trace context and, as baggage, which action runs for whom.
func (t *Tracing) ActionServer(next http.RoundTripper) http.RoundTripper {
	if t == nil {
		return next
	}
	return &transport{Tracing: t, next: next, actions: true}
}

// Endpoint wraps the transport of another configured server, such as the one
// that generates responses: one span, and the trace context without baggage.
func (t *Tracing) Endpoint(next http.RoundTripper) http.RoundTripper {
	if t == nil {
		return next
	}
	return &transport{Tracing: t, next: next}
}

type transport struct {
	*Tracing
	next    http.RoundTripper
	actions bool
}

// RoundTrip sends one request. The spans end with the body of the answer.
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx := r.Context()
	var spans []*record.Span
	if t.actions {
		var span *record.Span
		ctx, span = t.startExecutor(ctx, r)
		spans = append(spans, span)
	}
	ctx, span := t.start(ctx, spanRequest, trace.SpanKindClient)
	spans = append(spans, span)
	if span.IsRecording() {
		host, port := splitHost(r.URL.Host)
		span.SetAttributes(
			attrURL.String(cleanURL(r.URL)),
			attrRequestSize.Int64(max(r.ContentLength, 0)),
			attrHTTPMethod.String(r.Method),
			attrURLFull.String(cleanURL(r.URL)),
			attrServerAddress.String(host),
		)
		if port > 0 {
			span.SetAttributes(attrServerPort.Int(port))
		}
	}
	out := r.Clone(ctx)
	out.Header = r.Header.Clone()
	t.inject(ctx, out.Header)
	response, err := t.next.RoundTrip(out)
	if err != nil {
		t.end(spans, err)
		return nil, err
	}
	if span.IsRecording() {
		span.SetAttributes(attrHTTPStatus.Int(response.StatusCode))
		if response.StatusCode >= 400 {
			for _, s := range spans {
				s.SetAttributes(attrErrorType.String(strconv.Itoa(response.StatusCode)))
				s.SetStatus(codes.Error, http.StatusText(response.StatusCode))
			}
		}
	}
	response.Body = &watchedBody{ReadCloser: response.Body, end: sync.OnceFunc(func() { t.end(spans, nil) })}
	return response, nil
}

func (t *transport) startExecutor(ctx context.Context, r *http.Request) (context.Context, *record.Span) {
	ctx, span := t.start(ctx, spanExecutor, trace.SpanKindInternal)
	if span.IsRecording() {
		span.SetAttributes(
			attrClass.String(strings.TrimSuffix(spanExecutor, ".run")),
			attrURL.String(cleanURL(r.URL)),
			attrActionsModule.String(none),
		)
		if p := webhook.PurposeOf(ctx); p.Action != "" {
			span.SetAttributes(attrActionName.String(p.Action), attrSenderID.String(p.ConversationID))
		}
	}
	return ctx, span
}

// end closes the spans, innermost first.
func (t *transport) end(spans []*record.Span, err error) {
	for i := len(spans) - 1; i >= 0; i-- {
		t.fail(spans[i], err)
		spans[i].End()
	}
}

// inject writes the trace context. The caller's header is a copy of its own, so
// that requests at the same time never see each other's.
func (t *transport) inject(ctx context.Context, h http.Header) {
	h.Del("baggage")
	t.propagate(ctx, propagation.HeaderCarrier(h), t.actions)
}

// propagate writes the trace context, with baggage only for the action server.
func (t *Tracing) propagate(ctx context.Context, carrier propagation.TextMapCarrier, actions bool) {
	if actions && t.config.Baggage {
		ctx = withActionBaggage(ctx)
	} else {
		ctx = baggage.ContextWithoutBaggage(ctx)
	}
	t.propagator.Inject(record.Export(ctx), carrier)
}

// withActionBaggage adds action_name, sender_id and message_id to what came with
// the user's request. They are put in first: when all of it is too long, the
// incoming part is left out, and then the longest of ours.
func withActionBaggage(ctx context.Context) context.Context {
	purpose := webhook.PurposeOf(ctx)
	var own baggage.Baggage
	for _, pair := range [][2]string{
		{string(attrActionName), purpose.Action},
		{string(attrMessageID), messageOf(ctx)},
		{string(attrSenderID), purpose.ConversationID},
	} {
		member, err := baggage.NewMemberRaw(pair[0], pair[1])
		if err != nil {
			continue
		}
		if bigger, err := own.SetMember(member); err == nil && len(bigger.String()) <= maxBaggage {
			own = bigger
		}
	}
	all := own
	for _, member := range baggage.FromContext(ctx).Members() {
		if own.Member(member.Key()).Key() != "" {
			continue
		}
		if bigger, err := all.SetMember(member); err == nil && len(bigger.String()) <= maxBaggage {
			all = bigger
		}
	}
	return baggage.ContextWithBaggage(ctx, all)
}

// cleanURL leaves out credentials and the values of the query.
func cleanURL(u *url.URL) string {
	clean := *u
	clean.User = nil
	clean.RawQuery, clean.Fragment = "", ""
	return clean.String()
}

// watchedBody ends the spans of a request with its answer.
type watchedBody struct {
	io.ReadCloser
	end func()
}

// Read ends the spans at the end of the body.
func (b *watchedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil {
		b.end()
	}
	return n, err
}

// Close ends the spans if the body was not read to its end.
func (b *watchedBody) Close() error {
	b.end()
	return b.ReadCloser.Close()
}
