package otlp

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strconv"
	"sync/atomic"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
)

const (
	tracesPath   = "/v1/traces" // appended to an endpoint without a path
	maxResponse  = 64 << 10     // bytes of an answer that are read
	quotedAnswer = 200          // bytes of an answer that are shown in an error
)

type httpSender struct {
	target   target
	settings Settings
	url      string
	client   *http.Client
	spare    []byte // for the next request's body, if no transport reads it any more
}

func newHTTPSender(t target, s Settings) *httpSender {
	scheme := "http://"
	if s.TLS != nil {
		scheme = "https://"
	}
	path := t.path
	if path == "" {
		path = tracesPath
	}
	transport := &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		TLSHandshakeTimeout: s.Timeout,
		ForceAttemptHTTP2:   true,
		MaxIdleConns:        2,
		IdleConnTimeout:     90 * time.Second,
	}
	if s.TLS != nil {
		transport.TLSClientConfig = s.TLS.Clone()
	}
	return &httpSender{target: t, settings: s, url: scheme + t.address + path, client: &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

func (h *httpSender) protocol() Protocol {
	if h.settings.Protocol == HTTPJSON {
		return HTTPJSON
	}
	return HTTP
}

func (h *httpSender) close() error {
	h.client.CloseIdleConnections()
	return nil
}

func (h *httpSender) send(ctx context.Context, body []byte) error {
	// The transport may go on reading the body after an answer or a failure, so it
	// gets a copy.
	copied := &requestBody{bytes: append(h.spare[:0], body...)}
	h.spare = nil
	defer func() {
		if copied.closed.Load() {
			h.spare = copied.bytes
		}
	}()
	request, connected, err := h.request(ctx, copied)
	if err != nil {
		return err
	}
	response, err := h.client.Do(request)
	if err != nil {
		return h.classify(err, connected.Load())
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxResponse))
	if err != nil {
		return unavailableError{err: err}
	}
	return h.judge(response, answer)
}

// request also returns a flag that is set once a connection was made.
func (h *httpSender) request(ctx context.Context, body *requestBody) (*http.Request, *atomic.Bool, error) {
	if h.settings.Gzip {
		if err := body.compress(); err != nil {
			return nil, nil, err
		}
	}
	body.Reset(body.bytes)
	connected := new(atomic.Bool)
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { connected.Store(true) },
	})
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, h.url, body)
	if err != nil {
		return nil, nil, err
	}
	request.ContentLength = int64(len(body.bytes))
	request.Header.Set("Content-Type", "application/x-protobuf")
	if h.settings.Protocol == HTTPJSON {
		request.Header.Set("Content-Type", "application/json")
	}
	if h.settings.Gzip {
		request.Header.Set("Content-Encoding", "gzip")
	}
	for name, value := range h.settings.Headers {
		request.Header.Set(name, value)
	}
	return request, connected, nil
}

// requestBody is a body that knows when the transport has done with it.
type requestBody struct {
	bytes.Reader
	bytes  []byte
	closed atomic.Bool
}

// Close is the transport's last call.
func (b *requestBody) Close() error {
	b.closed.Store(true)
	return nil
}

func (b *requestBody) compress() error {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if _, err := w.Write(b.bytes); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	b.bytes = packed.Bytes()
	return nil
}

// classify judges a request that got no answer.
func (h *httpSender) classify(err error, connected bool) error {
	if isCertificate(err) {
		return explain(h.target.address, err)
	}
	timeout, ok := errors.AsType[net.Error](err)
	if connected && !errors.Is(err, context.Canceled) && (!ok || !timeout.Timeout()) {
		return wrongProtocolError{protocol: h.protocol(), err: err}
	}
	return unavailableError{err: err}
}

// judge reads an answer.
func (h *httpSender) judge(response *http.Response, answer []byte) error {
	if response.StatusCode/100 == 2 {
		if h.settings.Protocol == HTTPJSON {
			return nil
		}
		return partialSuccess(answer)
	}
	err := fmt.Errorf("%s answered %s: %q", h.url, response.Status, answer[:min(len(answer), quotedAnswer)])
	switch response.StatusCode {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		seconds, _ := strconv.Atoi(response.Header.Get("Retry-After"))
		return unavailableError{after: time.Duration(max(seconds, 0)) * time.Second, err: err}
	case http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusUnsupportedMediaType, http.StatusHTTPVersionNotSupported:
		return wrongProtocolError{protocol: h.protocol(), answered: true, err: err}
	default:
		return err
	}
}

// partialSuccess returns an error when the backend says that it took the
// request but threw spans away.
func partialSuccess(response []byte) error {
	partial := field(response, 1)
	message := field(partial, 2)
	rejected := uint64(0)
	eachField(partial, func(n protowire.Number, t protowire.Type, value []byte) {
		if n == 1 && t == protowire.VarintType {
			rejected, _ = protowire.ConsumeVarint(value)
		}
	})
	if rejected == 0 {
		return nil
	}
	return fmt.Errorf("the backend rejected %d spans: %q", rejected, message)
}

func field(message []byte, number protowire.Number) (value []byte) {
	eachField(message, func(n protowire.Number, t protowire.Type, raw []byte) {
		if n == number && t == protowire.BytesType {
			value, _ = protowire.ConsumeBytes(raw)
		}
	})
	return value
}

func eachField(message []byte, visit func(protowire.Number, protowire.Type, []byte)) {
	for len(message) > 0 {
		number, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return
		}
		length := protowire.ConsumeFieldValue(number, kind, message[n:])
		if length < 0 {
			return
		}
		visit(number, kind, message[n:n+length])
		message = message[n+length:]
	}
}
