package tracing_test

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/grpc"

	"github.com/loquat-dev/loquat/internal/action/webhook"
	"github.com/loquat-dev/loquat/internal/domain"
	"github.com/loquat-dev/loquat/internal/tracing"
	"github.com/loquat-dev/loquat/internal/tracing/record"
	"github.com/loquat-dev/loquat/internal/tracing/tracetree"
	"github.com/loquat-dev/loquat/internal/tracing/viewer"
	"github.com/loquat-dev/loquat/internal/tracker"
)

var update = flag.Bool("update", false, "write the expected files")

// watched is tracing into memory: the viewer keeps the turns.
type watched struct {
	*tracing.Tracing
	viewer *viewer.Viewer
}

func watch(t *testing.T, config tracing.Config) watched {
	t.Helper()
	v := viewer.New(io.Discard, viewer.Options{Keep: 5000})
	tr, err := tracing.Start(config, tracing.Settings{Logger: slog.New(slog.DiscardHandler), Viewer: v})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := tr.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return watched{tr, v}
}

// tree writes the traces so far.
func (w watched) tree() string {
	var spans []tracetree.Span
	for _, turn := range w.viewer.Turns() {
		for _, s := range turn.Spans {
			spans = append(spans, convert(s.Span))
		}
	}
	return tracetree.Format(spans)
}

func convert(s *record.Span) tracetree.Span {
	out := tracetree.Span{
		ID: s.Context.SpanID().String(), Parent: s.Parent.SpanID().String(), Name: s.Name, Kind: s.Kind.String(),
		Start: s.Start, Failed: s.Status == codes.Error, Status: s.Description,
	}
	for _, a := range s.Attributes {
		kind := strings.ToLower(a.Value.Type().String())
		switch a.Value.Type() {
		case attribute.INT64:
			kind = "int"
		case attribute.FLOAT64:
			kind = "double"
		case attribute.STRINGSLICE:
			kind = "list"
		}
		out.Attributes = append(out.Attributes, tracetree.Attribute{Key: string(a.Key), Type: kind, Value: a.Value.String()})
	}
	for _, e := range s.Events {
		out.Events = append(out.Events, e.Name)
	}
	return out
}

// golden compares with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs (-want +got):\n%s", file, diff)
	}
}

// backend collects spans that come over gRPC.
type backend struct {
	collector.UnimplementedTraceServiceServer
	mu    sync.Mutex
	spans []*tracepb.Span
	names []string // of services
}

// Export takes a request.
func (b *backend) Export(_ context.Context, r *collector.ExportTraceServiceRequest) (*collector.ExportTraceServiceResponse, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, rs := range r.ResourceSpans {
		for _, a := range rs.Resource.Attributes {
			if a.Key == "service.name" {
				b.names = append(b.names, a.Value.GetStringValue())
			}
		}
		for _, ss := range rs.ScopeSpans {
			b.spans = append(b.spans, ss.Spans...)
		}
	}
	return &collector.ExportTraceServiceResponse{}, nil
}

func (b *backend) count() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.spans)
}

func startBackend(t *testing.T, options ...grpc.ServerOption) (*backend, string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b, s := &backend{}, grpc.NewServer(options...)
	collector.RegisterTraceServiceServer(s, b)
	go func() { _ = s.Serve(l) }()
	t.Cleanup(s.Stop)
	return b, l.Addr().String()
}

// actionServer answers every request with the given status and notes its headers.
type actionServer struct {
	*httptest.Server
	mu      sync.Mutex
	status  int
	headers []http.Header
}

func startActionServer(t *testing.T) *actionServer {
	t.Helper()
	a := &actionServer{status: http.StatusOK}
	a.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		a.mu.Lock()
		defer a.mu.Unlock()
		a.headers = append(a.headers, r.Header.Clone())
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(a.status)
		fmt.Fprint(w, `{"events": [], "responses": [], "error": "no", "action_name": "a"}`)
	}))
	t.Cleanup(a.Close)
	return a
}

// call runs an action through a traced transport.
func (a *actionServer) call(ctx context.Context, wrap func(http.RoundTripper) http.RoundTripper, name, sender string) error {
	d := &domain.Domain{}
	client, err := webhook.New(webhook.Settings{URL: a.URL + "/webhook", Token: "secret", Username: "user", Password: "secret", Wrap: wrap}, d, []byte("{}"))
	if err != nil {
		return err
	}
	_, err = client.Run(ctx, name, tracker.New(sender, d))
	return err
}
