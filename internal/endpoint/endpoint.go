// Package endpoint posts JSON to a server that endpoints.yml names: an action
// server, or one that generates responses. What comes back is bounded, and
// errors hold no secrets.
package endpoint

import (
	"bytes"
	"compress/zlib"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"time"
)

// Timeout is how long an answer may take, as in Rasa.
const Timeout = 300 * time.Second

// Limits of an answer.
const (
	MaxAnswer = 16 << 20 // bytes
	MaxDepth  = 200      // nesting of JSON values
)

// Settings are the keys that every section of endpoints.yml has.
type Settings struct {
	URL       string
	Params    map[string]string
	Headers   map[string]string
	Username  string // basic_auth
	Password  string
	Token     string // sent as a query parameter
	TokenName string // "token" if empty
	CAFile    string

	// Wrap decorates the transport, for tracing; nil leaves it as it is.
	Wrap func(http.RoundTripper) http.RoundTripper
}

// Client talks to one server. It is safe for concurrent use.
type Client struct {
	settings Settings
	url      string
	place    string // scheme, host and port, for messages: the rest may hold secrets
	http     *http.Client
}

// New returns a client; section is the one of endpoints.yml, for errors.
func New(section string, s Settings) (*Client, error) {
	target, err := url.Parse(s.URL)
	if err != nil || target.Host == "" || target.Scheme != "http" && target.Scheme != "https" {
		return nil, fmt.Errorf("%s: %q is not the URL of an HTTP server", section, s.URL)
	}
	query := target.Query()
	for k, v := range s.Params {
		query.Set(k, v)
	}
	if s.Token != "" {
		name := s.TokenName
		if name == "" {
			name = "token"
		}
		query.Set(name, s.Token)
	}
	target.RawQuery = query.Encode()

	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 64
	transport.Proxy = nil // these servers are neighbours; Rasa asks no proxy either
	if s.CAFile != "" {
		pool, err := ReadCA(s.CAFile)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", section, err)
		}
		transport.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	}
	var wrapped http.RoundTripper = transport
	if s.Wrap != nil {
		wrapped = s.Wrap(transport)
	}
	return &Client{
		settings: s, url: target.String(), place: target.Scheme + "://" + target.Host,
		http: &http.Client{Transport: wrapped, Timeout: Timeout, CheckRedirect: sameHost},
	}, nil
}

// ReadCA reads certificates in PEM.
func ReadCA(file string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("cafile: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("cafile: %s holds no certificate in PEM", file)
	}
	return pool, nil
}

// sameHost follows redirects on one host only: the request holds the whole
// conversation, and its headers hold secrets.
func sameHost(r *http.Request, via []*http.Request) error {
	if len(via) >= 5 {
		return errors.New("more than 5 redirects")
	}
	if first := via[0].URL; r.URL.Host != first.Host || r.URL.Scheme != first.Scheme {
		return fmt.Errorf("it redirects to another host, %s://%s", r.URL.Scheme, r.URL.Host)
	}
	return nil
}

// Post sends a JSON body, compressed by zlib if compress is set, and returns the
// answer's JSON. An answer with a status from 300 on is a *StatusError.
func (c *Client) Post(ctx context.Context, body []byte, compress bool) ([]byte, error) {
	request, err := c.request(ctx, body, compress)
	if err != nil {
		return nil, err
	}
	response, err := c.http.Do(request)
	if err != nil {
		return nil, fmt.Errorf("no answer from %s: %w", c.place, withoutQuery(err))
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, MaxAnswer+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read answer: %w", err)
	case len(answer) > MaxAnswer:
		return nil, fmt.Errorf("the answer has more than %d bytes", MaxAnswer)
	case response.StatusCode >= 300:
		return nil, &StatusError{Status: response.StatusCode, Body: answer, text: c.place + " answered " + response.Status}
	}
	if kind, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type")); kind != "application/json" {
		return nil, fmt.Errorf("the answer is %q, not application/json", kind)
	}
	return answer, checkDepth(answer)
}

func (c *Client) request(ctx context.Context, body []byte, compress bool) (*http.Request, error) {
	if compress {
		var b bytes.Buffer
		w := zlib.NewWriter(&b)
		if _, err := w.Write(body); err != nil {
			return nil, err
		}
		if err := w.Close(); err != nil {
			return nil, err
		}
		body = b.Bytes()
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	if compress {
		request.Header.Set("Content-Encoding", "deflate")
	}
	for k, v := range c.settings.Headers {
		request.Header.Set(k, v)
	}
	if c.settings.Username != "" {
		request.SetBasicAuth(c.settings.Username, c.settings.Password)
	}
	return request, nil
}

// StatusError is an answer that says that something failed.
type StatusError struct {
	Status int
	Body   []byte
	text   string
}

// Error names the server and the status.
func (e *StatusError) Error() string { return e.text }

// ErrorType is the error's class, free of what the server said.
func (e *StatusError) ErrorType() string { return strconv.Itoa(e.Status) }

// withoutQuery takes the URL, which may hold a token, out of an error.
func withoutQuery(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}

// checkDepth refuses JSON that is nested too deeply, before it is decoded.
func checkDepth(body []byte) error {
	depth, inString, escaped := 0, false, false
	for _, c := range body {
		switch {
		case escaped:
			escaped = false
		case inString:
			escaped = c == '\\'
			inString = c != '"'
		case c == '"':
			inString = true
		case c == '{' || c == '[':
			if depth++; depth > MaxDepth {
				return fmt.Errorf("the answer is nested more than %d levels deep", MaxDepth)
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return nil
}
