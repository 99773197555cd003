package otlp_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	_ "google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"
)

// received is what a test backend got.
type received struct {
	collector.UnimplementedTraceServiceServer
	mu       sync.Mutex
	requests []*collector.ExportTraceServiceRequest
	headers  []map[string]string
	answer   func(n int) error // of the nth gRPC request, from 1
}

func (r *received) add(request *collector.ExportTraceServiceRequest, headers map[string]string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.requests = append(r.requests, request)
	r.headers = append(r.headers, headers)
	return len(r.requests)
}

func (r *received) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.requests)
}

func (r *received) spans() []*tracepb.Span {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []*tracepb.Span
	for _, request := range r.requests {
		for _, rs := range request.ResourceSpans {
			for _, ss := range rs.ScopeSpans {
				out = append(out, ss.Spans...)
			}
		}
	}
	return out
}

// Export is the gRPC method.
func (r *received) Export(ctx context.Context, request *collector.ExportTraceServiceRequest) (*collector.ExportTraceServiceResponse, error) {
	headers := map[string]string{}
	md, _ := metadata.FromIncomingContext(ctx)
	for k, v := range md {
		headers[k] = v[0]
	}
	n := r.add(request, headers)
	if r.answer != nil {
		if err := r.answer(n); err != nil {
			return nil, err
		}
	}
	return &collector.ExportTraceServiceResponse{}, nil
}

// ServeHTTP is OTLP over HTTP.
func (r *received) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	body, _ := io.ReadAll(request.Body)
	if request.Header.Get("Content-Encoding") == "gzip" {
		z, err := gzip.NewReader(bytes.NewReader(body))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		body, _ = io.ReadAll(z)
	}
	message := &collector.ExportTraceServiceRequest{}
	if err := proto.Unmarshal(body, message); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	headers := map[string]string{"path": request.URL.Path}
	for k, v := range request.Header {
		headers[http.CanonicalHeaderKey(k)] = v[0]
	}
	r.add(message, headers)
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// serveGRPC starts a gRPC receiver and returns its address.
func serveGRPC(t *testing.T, config *tls.Config) (*received, string) {
	t.Helper()
	l := listen(t)
	return serveGRPCOn(t, l, config), l.Addr().String()
}

func serveGRPCOn(t *testing.T, l net.Listener, config *tls.Config) *received {
	t.Helper()
	var options []grpc.ServerOption
	if config != nil {
		options = append(options, grpc.Creds(credentials.NewTLS(config)))
	}
	r := &received{}
	s := grpc.NewServer(options...)
	collector.RegisterTraceServiceServer(s, r)
	go func() { _ = s.Serve(l) }()
	t.Cleanup(s.Stop)
	return r
}

// serveHTTP starts an HTTP receiver and returns its address.
func serveHTTP(t *testing.T, config *tls.Config) (*received, string) {
	t.Helper()
	r := &received{}
	mux := http.NewServeMux()
	mux.Handle("POST /v1/traces", r)
	mux.Handle("POST /custom/path", r)
	s := httptest.NewUnstartedServer(mux)
	s.Config.ErrorLog = nil
	s.EnableHTTP2 = true
	if config != nil {
		s.TLS = config
		s.StartTLS()
	} else {
		s.Start()
	}
	t.Cleanup(s.Close)
	return r, s.Listener.Addr().String()
}
