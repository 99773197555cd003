package tracing

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/loquat-dev/loquat/internal/tracing/record"
)

// quiet are the routes that health checks ask for; a span of each would bury the
// others.
var quiet = map[string]bool{"/": true, "/status": true, "/version": true, "/healthz": true, "/readyz": true}

// Middleware makes a span of every request and takes over the trace context of
// its headers. A query is never recorded: it may hold the token.
func (t *Tracing) Middleware(next http.Handler) http.Handler {
	if t == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if isHealthCheck(r) {
			next.ServeHTTP(w, r)
			return
		}
		ctx, links := t.incoming(r)
		ctx, span := t.tracer.Start(ctx, r.Method+" "+r.URL.Path, trace.SpanKindServer, links...)
		defer span.End()
		if t.config.ExposeTraceID {
			expose(w, span.SpanContext())
		}
		watched := &statusWriter{ResponseWriter: w, status: http.StatusOK}
		r = r.WithContext(ctx)
		next.ServeHTTP(watched, r)
		if !span.IsRecording() {
			return
		}
		name := r.Method
		if route := routeOf(r.URL, watched.status); route != "" {
			name += " " + route
			span.SetAttributes(attrHTTPRoute.String(route))
		}
		span.SetName(name)
		span.SetAttributes(requestAttributes(r)...)
		span.SetAttributes(attrHTTPStatus.Int(watched.status))
		if watched.status >= 500 {
			span.SetAttributes(attrErrorType.String(strconv.Itoa(watched.status)))
			span.SetStatus(codes.Error, http.StatusText(watched.status))
		}
	})
}

// isHealthCheck recognises GET /, /status, /version and /webhooks/<channel>/.
func isHealthCheck(r *http.Request) bool {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return false
	}
	rest, ok := strings.CutPrefix(r.URL.Path, "/webhooks/")
	return quiet[r.URL.Path] || ok && strings.Count(rest, "/") == 1 && strings.HasSuffix(rest, "/")
}

// incoming gives the context that a request's span starts in, and what it is
// linked to.
func (t *Tracing) incoming(r *http.Request) (context.Context, []trace.Link) {
	ctx := r.Context()
	if t.config.TrustIncoming == TrustNo {
		return ctx, nil
	}
	remote := t.propagator.Extract(ctx, propagation.HeaderCarrier(r.Header))
	if t.config.TrustIncoming == TrustLink {
		if sc := trace.SpanContextFromContext(remote); sc.IsValid() {
			return ctx, []trace.Link{{SpanContext: sc}}
		}
		return ctx, nil
	}
	return record.Import(remote), nil
}

// routeOf is the route that a path belongs to: the path itself, with a
// placeholder for the conversation, which would make a name of its own for every
// user. A path that nobody knows has no route.
func routeOf(u *url.URL, status int) string {
	if status == http.StatusNotFound || status == http.StatusMethodNotAllowed {
		return ""
	}
	path := strings.TrimSuffix(u.EscapedPath(), "/")
	if rest, ok := strings.CutPrefix(path, "/conversations/"); ok {
		_, method, _ := strings.Cut(rest, "/")
		return "/conversations/{conversation_id}/" + method
	}
	return path
}

func requestAttributes(r *http.Request) []attribute.KeyValue {
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	out := []attribute.KeyValue{
		attrHTTPMethod.String(r.Method),
		attrURLPath.String(r.URL.Path),
		attrURLScheme.String(scheme),
		attrProtocol.String(strings.TrimPrefix(r.Proto, "HTTP/")),
	}
	host, port := splitHost(r.Host)
	out = append(out, attrServerAddress.String(host))
	if port > 0 {
		out = append(out, attrServerPort.Int(port))
	}
	if client, _, err := net.SplitHostPort(r.RemoteAddr); err == nil {
		out = append(out, attrClientAddress.String(client))
	}
	if agent := r.UserAgent(); agent != "" {
		out = append(out, attrUserAgent.String(agent))
	}
	return out
}

func splitHost(hostport string) (host string, port int) {
	host, text, err := net.SplitHostPort(hostport)
	if err != nil {
		return hostport, 0
	}
	port, _ = strconv.Atoi(text)
	return host, port
}

// expose tells the caller the trace's identifier.
func expose(w http.ResponseWriter, sc trace.SpanContext) {
	w.Header().Set("X-Trace-Id", sc.TraceID().String())
	w.Header().Set("traceresponse", "00-"+sc.TraceID().String()+"-"+sc.SpanID().String()+"-"+sc.TraceFlags().String())
}

// statusWriter remembers the status of a response.
type statusWriter struct {
	http.ResponseWriter
	status  int
	written bool
}

// WriteHeader notes the first final status.
func (w *statusWriter) WriteHeader(status int) {
	if !w.written && status >= 200 {
		w.status, w.written = status, true
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write sends part of the body.
func (w *statusWriter) Write(b []byte) (int, error) {
	w.written = true
	return w.ResponseWriter.Write(b)
}

// Flush sends what is buffered, for answers that come in pieces.
func (w *statusWriter) Flush() { _ = http.NewResponseController(w.ResponseWriter).Flush() }

// Unwrap lets http.ResponseController find the server's writer.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// LogHandler adds trace_id, span_id and trace_flags to records that are logged
// inside a span.
func (t *Tracing) LogHandler(next slog.Handler) slog.Handler {
	if t == nil {
		return next
	}
	return logHandler{next}
}

type logHandler struct{ slog.Handler }

// Handle adds the identifiers.
func (h logHandler) Handle(ctx context.Context, r slog.Record) error {
	if sc := record.Current(ctx); sc.IsValid() {
		r.AddAttrs(
			slog.String("trace_id", sc.TraceID().String()),
			slog.String("span_id", sc.SpanID().String()),
			slog.String("trace_flags", sc.TraceFlags().String()),
		)
	}
	return h.Handler.Handle(ctx, r)
}

// WithAttrs keeps the identifiers for derived loggers.
func (h logHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return logHandler{h.Handler.WithAttrs(attrs)}
}

// WithGroup keeps the identifiers for derived loggers.
func (h logHandler) WithGroup(name string) slog.Handler { return logHandler{h.Handler.WithGroup(name)} }
