package otlp_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/loquat-dev/loquat/internal/tracing/otlp"
	"github.com/loquat-dev/loquat/internal/tracing/record"
	"github.com/loquat-dev/loquat/internal/tracing/tlstest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newExporter(t *testing.T, s otlp.Settings) *otlp.Exporter {
	t.Helper()
	s.Source = source
	s.Logger = slog.New(slog.DiscardHandler)
	if s.Timeout == 0 {
		s.Timeout = 3 * time.Second
	}
	e, err := otlp.New(s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Shutdown(context.Background()) })
	return e
}

func export(t *testing.T, e *otlp.Exporter) error {
	t.Helper()
	return e.Export(t.Context(), []*record.Span{everySort()})
}

func mustExport(t *testing.T, e *otlp.Exporter) {
	t.Helper()
	if err := export(t, e); err != nil {
		t.Fatal(err)
	}
}

func retryable(err error) bool {
	var r interface{ Retryable() (time.Duration, bool) }
	if !errors.As(err, &r) {
		return false
	}
	_, ok := r.Retryable()
	return ok
}

func TestProtocolIsFoundOut(t *testing.T) {
	ca := tlstest.New(t)
	for _, encrypted := range []bool{false, true} {
		name := map[bool]string{false: "in the clear", true: "over TLS"}[encrypted]
		server, client := ca.Server(t), ca.Client()
		if !encrypted {
			server, client = nil, nil
		}
		t.Run("gRPC first, "+name, func(t *testing.T) {
			backend, address := serveGRPC(t, server)
			e := newExporter(t, otlp.Settings{Endpoint: address, TLS: client})
			mustExport(t, e)
			mustExport(t, e)
			if backend.count() != 2 {
				t.Errorf("got %d requests, want 2", backend.count())
			}
		})
		t.Run("HTTP after gRPC, "+name, func(t *testing.T) {
			backend, address := serveHTTP(t, server)
			e := newExporter(t, otlp.Settings{Endpoint: address, TLS: client})
			mustExport(t, e)
			mustExport(t, e)
			if backend.count() != 2 || backend.headers[0]["path"] != "/v1/traces" {
				t.Errorf("got %d requests with %v", backend.count(), backend.headers)
			}
			if got := e.Describe(); !strings.Contains(got, "(http/protobuf)") {
				t.Errorf("after it was found out: %s", got)
			}
		})
		t.Run("gRPC after HTTP on the port of HTTP, "+name, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:4318")
			if err != nil {
				t.Skipf("skipped: port 4318 is taken: %v", err)
			}
			backend := serveGRPCOn(t, l, server)
			e := newExporter(t, otlp.Settings{Endpoint: "127.0.0.1:4318", TLS: client})
			mustExport(t, e)
			mustExport(t, e)
			if backend.count() != 2 {
				t.Errorf("got %d requests, want 2", backend.count())
			}
		})
	}
}

func TestNothingIsDecidedWhileNobodyAnswers(t *testing.T) {
	l := listen(t)
	address := l.Addr().String()
	_ = l.Close()
	e := newExporter(t, otlp.Settings{Endpoint: address})
	if err := export(t, e); err == nil || !retryable(err) {
		t.Fatalf("a backend that is down gave %v", err)
	}
	if got := e.Describe(); !strings.Contains(got, "grpc, else http/protobuf") {
		t.Errorf("decided without an answer: %s", got)
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Skipf("skipped: the port was taken meanwhile: %v", err)
	}
	backend := serveGRPCOn(t, l, nil)
	mustExport(t, e)
	if backend.count() != 1 {
		t.Errorf("got %d requests", backend.count())
	}
}

func TestServerThatSpeaksNeitherIsNamed(t *testing.T) {
	s := httptest.NewServer(http.NotFoundHandler())
	defer s.Close()
	e := newExporter(t, otlp.Settings{Endpoint: s.Listener.Addr().String()})
	err := export(t, e)
	if err == nil || !strings.Contains(err.Error(), "understands neither protocol") {
		t.Errorf("got %v", err)
	}
}

func TestWrongAuthorityIsAClearError(t *testing.T) {
	ca, stranger := tlstest.New(t), tlstest.New(t)
	_, grpcAddress := serveGRPC(t, ca.Server(t))
	_, httpAddress := serveHTTP(t, ca.Server(t))
	for address, protocol := range map[string]otlp.Protocol{grpcAddress: otlp.GRPC, httpAddress: otlp.HTTP} {
		e := newExporter(t, otlp.Settings{Endpoint: address, Protocol: protocol, TLS: stranger.Client()})
		err := export(t, e)
		want := "the certificate of " + address + " is not signed by an authority that root_certificates names"
		if err == nil || !strings.Contains(err.Error(), want) || retryable(err) {
			t.Errorf("%s: got %v, want %q", protocol, err, want)
		}
	}
}

func TestServerWithoutTLSIsAClearError(t *testing.T) {
	_, address := serveHTTP(t, nil)
	for _, protocol := range []otlp.Protocol{otlp.GRPC, otlp.HTTP} {
		e := newExporter(t, otlp.Settings{Endpoint: address, Protocol: protocol, TLS: tlstest.New(t).Client()})
		if err := export(t, e); err == nil || !strings.Contains(err.Error(), "insecure: true") {
			t.Errorf("%s: got %v", protocol, err)
		}
	}
}

func TestHeadersAndCompression(t *testing.T) {
	grpcBackend, grpcAddress := serveGRPC(t, nil)
	httpBackend, httpAddress := serveHTTP(t, nil)
	for _, tt := range []struct {
		backend  *received
		address  string
		protocol otlp.Protocol
		header   string
	}{
		{grpcBackend, grpcAddress, otlp.GRPC, "x-tenant"},
		{httpBackend, "http://" + httpAddress + "/custom/path", otlp.Auto, "X-Tenant"},
	} {
		e := newExporter(t, otlp.Settings{Endpoint: tt.address, Protocol: tt.protocol, Gzip: true, Headers: map[string]string{"x-tenant": "a b"}})
		mustExport(t, e)
		if got := tt.backend.headers[0][tt.header]; got != "a b" {
			t.Errorf("%s: header is %q", tt.protocol, got)
		}
		if n := len(tt.backend.spans()); n != 1 {
			t.Errorf("%s: %d spans", tt.protocol, n)
		}
	}
	if path := httpBackend.headers[0]["path"]; path != "/custom/path" {
		t.Errorf("a path in the endpoint became %s", path)
	}
}

func TestAnswersThatAskForAnotherTry(t *testing.T) {
	backend, address := serveGRPC(t, nil)
	backend.answer = func(n int) error {
		return []error{status.Error(codes.Unavailable, "busy"), status.Error(codes.PermissionDenied, "no"), nil}[n-1]
	}
	e := newExporter(t, otlp.Settings{Endpoint: address, Protocol: otlp.GRPC})
	if err := export(t, e); !retryable(err) {
		t.Errorf("unavailable: %v", err)
	}
	if err := export(t, e); err == nil || retryable(err) {
		t.Errorf("permission denied: %v", err)
	}
	mustExport(t, e)

	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(http.StatusTooManyRequests)
	}))
	defer s.Close()
	e = newExporter(t, otlp.Settings{Endpoint: s.URL, Protocol: otlp.HTTP})
	err := export(t, e)
	var r interface{ Retryable() (time.Duration, bool) }
	if !errors.As(err, &r) {
		t.Fatalf("got %v", err)
	}
	if after, ok := r.Retryable(); !ok || after != 7*time.Second {
		t.Errorf("retry after %v, %v", after, ok)
	}
}

func TestRejectedSpansAreReported(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("\x0a\x08\x08\x02\x12\x04full")) // partial_success {rejected_spans: 2, error_message: "full"}
	}))
	defer s.Close()
	e := newExporter(t, otlp.Settings{Endpoint: s.URL, Protocol: otlp.HTTP})
	if err := export(t, e); err == nil || !strings.Contains(err.Error(), `rejected 2 spans: "full"`) {
		t.Errorf("got %v", err)
	}
}

func TestJSONFollowsTheSpecification(t *testing.T) {
	var body []byte
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { body, _ = io.ReadAll(r.Body) }))
	defer s.Close()
	mustExport(t, newExporter(t, otlp.Settings{Endpoint: s.URL, Protocol: otlp.HTTPJSON}))
	var got struct {
		ResourceSpans []struct {
			ScopeSpans []struct{ Spans []map[string]any }
		}
	}
	if err := json.Unmarshal(body, &got); err != nil {
		t.Fatal(err)
	}
	span := got.ResourceSpans[0].ScopeSpans[0].Spans[0]
	for key, want := range map[string]any{
		"traceId": traceID.String(), "parentSpanId": rootID.String(), "kind": float64(2), "startTimeUnixNano": "1700000000123456789",
	} {
		if span[key] != want {
			t.Errorf("%s = %v, want %v", key, span[key], want)
		}
	}
}

func TestEndpointsThatMakeNoSense(t *testing.T) {
	for _, endpoint := range []string{"", "http://", ":4317", "a b", "%zz"} {
		if _, err := otlp.New(otlp.Settings{Endpoint: endpoint}); err == nil {
			t.Errorf("%q was accepted", endpoint)
		}
	}
}
