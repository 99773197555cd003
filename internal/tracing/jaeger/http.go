package jaeger

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/apache/thrift/lib/go/thrift"
	thriftgen "github.com/jaegertracing/jaeger-idl/thrift-gen/jaeger"

	"github.com/loquat-dev/loquat/internal/tracing/record"
)

// DefaultTimeout bounds one request, as Rasa's exporter does.
const DefaultTimeout = 10 * time.Second

// defaultPath is where a Jaeger collector takes batches.
const defaultPath = "/api/traces"

// HTTPSettings say where batches are posted.
type HTTPSettings struct {
	Endpoint           string // URL; the path /api/traces is added when there is none
	Username, Password string // basic authentication when both are given
	Timeout            time.Duration
	Source             record.Source
}

// HTTPExporter is a record.Exporter.
type HTTPExporter struct {
	settings HTTPSettings
	client   *http.Client
}

// NewHTTP returns an exporter. No connection is made before the first spans come.
func NewHTTP(s HTTPSettings) (*HTTPExporter, error) {
	u, err := url.Parse(s.Endpoint)
	if err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("%q is not an http or https URL", s.Endpoint)
	}
	if strings.Trim(u.Path, "/") == "" {
		u.Path = defaultPath
	}
	s.Endpoint = u.String()
	if s.Timeout <= 0 {
		s.Timeout = DefaultTimeout
	}
	transport := &http.Transport{Proxy: http.ProxyFromEnvironment, MaxIdleConns: 1, IdleConnTimeout: 90 * time.Second}
	return &HTTPExporter{settings: s, client: &http.Client{Transport: transport, Timeout: s.Timeout}}, nil
}

// Describe says where spans go, without a password that the URL may hold.
func (e *HTTPExporter) Describe() string {
	u, err := url.Parse(e.settings.Endpoint)
	if err != nil {
		return "jaeger thrift over HTTP"
	}
	return "jaeger thrift over HTTP " + u.Redacted()
}

// Export posts one batch.
func (e *HTTPExporter) Export(ctx context.Context, spans []*record.Span) error {
	if len(spans) == 0 {
		return nil
	}
	batch := &thriftgen.Batch{Process: processOf(e.settings.Source.Resource)}
	scope := scopeTags(e.settings.Source)
	for _, s := range spans {
		batch.Spans = append(batch.Spans, spanOf(s, scope))
	}
	body, err := thrift.NewTSerializer().Write(ctx, batch) // the binary encoding
	if err != nil {
		return fmt.Errorf("encode spans for Jaeger: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, e.settings.Endpoint, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/x-thrift")
	if e.settings.Username != "" && e.settings.Password != "" {
		request.SetBasicAuth(e.settings.Username, e.settings.Password)
	}
	response, err := e.client.Do(request)
	if err != nil {
		return unavailableError{err}
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, 64<<10))
	switch {
	case response.StatusCode/100 == 2:
		return nil
	case response.StatusCode == http.StatusTooManyRequests || response.StatusCode >= 502 && response.StatusCode <= 504:
		return unavailableError{fmt.Errorf("%s answered %s", request.URL.Redacted(), response.Status)}
	default:
		return fmt.Errorf("%s answered %s", request.URL.Redacted(), response.Status)
	}
}

// Shutdown closes idle connections.
func (e *HTTPExporter) Shutdown(context.Context) error {
	e.client.CloseIdleConnections()
	return nil
}

// unavailableError says that the same request may succeed later.
type unavailableError struct{ error }

func (e unavailableError) Unwrap() error { return e.error }

// Retryable tells the caller that it may try again.
func (e unavailableError) Retryable() (time.Duration, bool) { return 0, true }
