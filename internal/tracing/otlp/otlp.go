// Package otlp sends finished spans to a backend that speaks the OpenTelemetry
// protocol, over gRPC or over HTTP.
//
// Users rarely know which of the two their collector listens for: Rasa always
// speaks gRPC, its own documentation shows the port of HTTP, and a wrong guess
// loses every trace in silence. So with the protocol left at Auto the exporter
// tries the more probable one first, the other one once when the first answer
// shows that the server speaks something else, and stays with what worked.
package otlp

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/loquat-dev/loquat/internal/tracing/record"
)

// Protocol is how requests travel.
type Protocol string

// The protocols, spelt as the OTEL_EXPORTER_OTLP_PROTOCOL variable spells them.
const (
	Auto     Protocol = "auto"
	GRPC     Protocol = "grpc"
	HTTP     Protocol = "http/protobuf"
	HTTPJSON Protocol = "http/json"
)

// Protocols lists what a configuration may name.
var Protocols = []Protocol{Auto, GRPC, HTTP, HTTPJSON}

// DefaultTimeout bounds one request, as the specification of the exporter says.
const DefaultTimeout = 10 * time.Second

// portHTTP is the port registered for OTLP over HTTP.
const portHTTP = "4318"

// Settings say where and how spans are sent.
type Settings struct {
	// Endpoint is host:port, or a URL whose scheme plays no part here (TLS says
	// whether the connection is encrypted). A path other than / means HTTP.
	Endpoint string
	Protocol Protocol          // Auto when empty
	TLS      *tls.Config       // nil sends in the clear
	Headers  map[string]string // sent with every request
	Gzip     bool
	Timeout  time.Duration // of one request; DefaultTimeout when 0
	Source   record.Source
	Logger   *slog.Logger
}

// sender carries one encoded request to the backend.
type sender interface {
	// send returns nil when the backend took the request, a wrongProtocolError
	// when whoever listens there doesn't understand this protocol, an
	// unavailableError when trying again later may help, and any other error
	// when it would not.
	send(ctx context.Context, request []byte) error
	close() error
	protocol() Protocol
}

// Exporter is a record.Exporter. It is safe for concurrent use; requests are sent
// one at a time.
type Exporter struct {
	settings Settings
	mu       sync.Mutex
	current  sender
	other    sender // the alternative that was not tried yet, or nil
	buffer   []byte // of the last request, used again
}

// New returns an exporter. No connection is made before the first spans come.
func New(s Settings) (*Exporter, error) {
	target, err := parseEndpoint(s.Endpoint)
	if err != nil {
		return nil, err
	}
	if s.Protocol == "" {
		s.Protocol = Auto
	}
	if !slices.Contains(Protocols, s.Protocol) {
		return nil, fmt.Errorf("unknown protocol %q", s.Protocol)
	}
	if s.Timeout <= 0 {
		s.Timeout = DefaultTimeout
	}
	e := &Exporter{settings: s}
	switch {
	case s.Protocol == GRPC:
		e.current, err = newGRPCSender(target, s)
	case s.Protocol == HTTP || s.Protocol == HTTPJSON || target.path != "":
		e.current = newHTTPSender(target, s)
	default:
		e.other = newHTTPSender(target, s)
		e.current, err = newGRPCSender(target, s)
		if target.port() == portHTTP {
			e.current, e.other = e.other, e.current
		}
	}
	return e, err
}

// Describe says in a few words where spans go, for the log at start.
func (e *Exporter) Describe() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	how := string(e.current.protocol())
	if e.other != nil {
		how += ", else " + string(e.other.protocol())
	}
	return "otlp " + e.settings.Endpoint + " (" + how + ")"
}

// Export sends one request. What it returns may implement
// Retryable() (after time.Duration, ok bool).
func (e *Exporter) Export(ctx context.Context, spans []*record.Span) error {
	if len(spans) == 0 {
		return nil
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	err := e.send(ctx, e.current, spans)
	if e.other == nil {
		return err
	}
	if err == nil {
		return e.settle(nil)
	}
	if wrong, ok := errors.AsType[wrongProtocolError](err); ok {
		return e.tryOther(ctx, spans, wrong)
	}
	return err // the server was not reached: nothing was learnt about it
}

func (e *Exporter) tryOther(ctx context.Context, spans []*record.Span, wrong wrongProtocolError) error {
	err := e.send(ctx, e.other, spans)
	if _, down := errors.AsType[unavailableError](err); down {
		return err
	}
	if _, alsoWrong := errors.AsType[wrongProtocolError](err); alsoWrong {
		return e.settle(fmt.Errorf("%s understands neither protocol: %w; %w", e.settings.Endpoint, wrong, err))
	}
	e.current, e.other = e.other, e.current
	return e.settle(err)
}

// settle stays with the current sender for good.
func (e *Exporter) settle(err error) error {
	_ = e.other.close()
	e.other = nil
	e.settings.Logger.Info("the trace exporter found its protocol",
		"endpoint", e.settings.Endpoint, "protocol", string(e.current.protocol()))
	return err
}

func (e *Exporter) send(ctx context.Context, to sender, spans []*record.Span) error {
	ctx, cancel := context.WithTimeout(ctx, e.settings.Timeout)
	defer cancel()
	if to.protocol() == HTTPJSON {
		request, err := jsonRequest(e.settings.Source, spans)
		if err != nil {
			return err
		}
		return to.send(ctx, request)
	}
	e.buffer = appendRequest(e.buffer[:0], e.settings.Source, spans)
	return to.send(ctx, e.buffer)
}

// Shutdown closes the connections. Nothing is waiting here to be sent.
func (e *Exporter) Shutdown(context.Context) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	err := e.current.close()
	if e.other != nil {
		err = errors.Join(err, e.other.close())
	}
	return err
}

// target is a parsed endpoint.
type target struct {
	address string // host:port
	path    string // without the root path
}

func (t target) port() string {
	_, port, _ := net.SplitHostPort(t.address)
	return port
}

// CheckEndpoint tells what is wrong with an endpoint, or nil.
func CheckEndpoint(endpoint string) error {
	_, err := parseEndpoint(endpoint)
	return err
}

func parseEndpoint(endpoint string) (target, error) {
	raw := strings.TrimSpace(endpoint)
	if !strings.Contains(raw, "://") {
		raw = "none://" + raw
	}
	u, err := url.Parse(raw)
	if err != nil || u.Hostname() == "" {
		return target{}, fmt.Errorf("%q is neither host:port nor a URL", endpoint)
	}
	port := u.Port()
	if port == "" {
		switch u.Scheme {
		case "http":
			port = "80"
		case "https":
			port = "443"
		default:
			port = "4317"
		}
	}
	return target{address: net.JoinHostPort(u.Hostname(), port), path: strings.TrimSuffix(u.Path, "/")}, nil
}
