// Package webhook calls an action server over HTTP, by the protocol that rasa-sdk
// speaks (core.md §17, Rasa 3.6.21).
package webhook

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"time"

	"github.com/loquat-dev/loquat/internal/action"
	"github.com/loquat-dev/loquat/internal/domain"
	"github.com/loquat-dev/loquat/internal/tracker"
)

// Timeout is how long an action may take.
const Timeout = 300 * time.Second

// Limits of an answer.
const (
	maxAnswer = 16 << 20 // bytes
	MaxDepth  = 200      // nesting of JSON values
	maxEvents = 10_000
)

// Settings say where the action server is and how to talk to it; they are the
// keys of action_endpoint.
type Settings struct {
	URL             string
	Params          map[string]string
	Headers         map[string]string
	Username        string // basic_auth
	Password        string
	Token           string // sent as a query parameter
	TokenName       string // "token" if empty
	CAFile          string
	SelectiveDomain bool // enable_selective_domain
	// DomainDigest sends a digest of the domain instead of it, which servers made
	// with rasa-sdk 3.9 or newer understand.
	DomainDigest bool
	Compress     bool // COMPRESS_ACTION_SERVER_REQUEST

	// Wrap decorates the transport, for tracing; nil leaves it as it is.
	Wrap func(http.RoundTripper) http.RoundTripper
}

// Client is an action server. It is safe for concurrent use.
type Client struct {
	settings Settings
	url      string
	place    string // scheme, host and port, for messages: the rest may hold secrets
	http     *http.Client
	domain   *domain.Domain
	domainJS []byte // the domain as JSON, made once
	digest   string // stands for it; "" if it is always sent
}

// New returns a client for the action server of an assistant with that domain,
// of which domainJSON is what actions get to see.
func New(s Settings, d *domain.Domain, domainJSON []byte) (*Client, error) {
	target, err := url.Parse(s.URL)
	if err != nil || target.Host == "" || target.Scheme != "http" && target.Scheme != "https" {
		return nil, fmt.Errorf("action_endpoint: %q is not the URL of an HTTP server", s.URL)
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
	transport.Proxy = nil // action servers are neighbours; Rasa asks no proxy either
	if s.CAFile != "" {
		pool, err := ReadCA(s.CAFile)
		if err != nil {
			return nil, fmt.Errorf("action_endpoint: %w", err)
		}
		transport.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	}
	var wrapped http.RoundTripper = transport
	if s.Wrap != nil {
		wrapped = s.Wrap(transport)
	}
	c := &Client{
		settings: s, url: target.String(), place: target.Scheme + "://" + target.Host, domain: d, domainJS: domainJSON,
		http: &http.Client{Transport: wrapped, Timeout: Timeout, CheckRedirect: sameHost},
	}
	if s.DomainDigest {
		sum := sha256.Sum256(domainJSON)
		c.digest = hex.EncodeToString(sum[:])
	}
	return c, nil
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

// Run implements action.Server. A server that lacks the domain asks for it.
func (c *Client) Run(ctx context.Context, name string, t *tracker.Tracker) (action.Reply, error) {
	withDomain := c.digest == "" && c.sendsDomain(name)
	reply, err := c.call(ctx, name, t, withDomain)
	if status, ok := errors.AsType[*StatusError](err); ok && status.Status == statusDomainMissing && !withDomain {
		reply, err = c.call(ctx, name, t, true)
	}
	if _, rejected := errors.AsType[*action.RejectedError](err); err != nil && !rejected {
		return action.Reply{}, fmt.Errorf("run action %q: %w", name, err)
	}
	return reply, err
}

// statusDomainMissing is how newer action servers ask for the domain.
const statusDomainMissing = 449

func (c *Client) call(ctx context.Context, name string, t *tracker.Tracker, withDomain bool) (action.Reply, error) {
	request, err := c.request(ctx, name, t, withDomain)
	if err != nil {
		return action.Reply{}, err
	}
	response, err := c.http.Do(request)
	if err != nil {
		return action.Reply{}, fmt.Errorf("no answer from %s: %w", c.place, withoutQuery(err))
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	switch {
	case err != nil:
		return action.Reply{}, fmt.Errorf("read answer: %w", err)
	case len(body) > maxAnswer:
		return action.Reply{}, fmt.Errorf("the answer has more than %d bytes", maxAnswer)
	case response.StatusCode == http.StatusBadRequest:
		return action.Reply{}, rejection(response, body)
	case response.StatusCode >= 300:
		return action.Reply{}, &StatusError{response.StatusCode, response.Status + reason(body)}
	}
	if kind, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type")); kind != "application/json" {
		return action.Reply{}, fmt.Errorf("the answer is %q, not application/json", kind)
	}
	reply, err := ParseReply(body)
	if err != nil {
		return action.Reply{}, fmt.Errorf("answer: %w", err)
	}
	return reply, nil
}

// StatusError is an answer that says that the action failed.
type StatusError struct {
	Status int
	text   string // with what the server says about it
}

// Error quotes the server.
func (e *StatusError) Error() string { return "the action server answered " + e.text }

// ErrorType is the error's class, free of what the server said.
func (e *StatusError) ErrorType() string { return strconv.Itoa(e.Status) }

// withoutQuery takes the URL, which may hold a token, out of an error.
func withoutQuery(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}

// Purpose says which action a request runs, and in which conversation.
type Purpose struct{ Action, ConversationID string }

// PurposeOf returns what a request with that context is made for; the zero value
// if it is none of ours. Settings.Wrap may ask for it.
func PurposeOf(ctx context.Context) Purpose {
	p, _ := ctx.Value(purposeKey{}).(Purpose)
	return p
}

// WithPurpose says what calls with that context are made for.
func WithPurpose(ctx context.Context, p Purpose) context.Context {
	return context.WithValue(ctx, purposeKey{}, p)
}

type purposeKey struct{}

// rejection reads a 400: one that names the action rejects its execution, any
// other is a failure.
func rejection(response *http.Response, body []byte) error {
	var answer struct {
		Error      string  `json:"error"`
		ActionName *string `json:"action_name"`
	}
	if err := json.Unmarshal(body, &answer); err != nil || answer.ActionName == nil {
		return &StatusError{response.StatusCode, response.Status + reason(body)}
	}
	return &action.RejectedError{Action: *answer.ActionName, Reason: answer.Error}
}

// reason is the start of an error answer, for the log.
func reason(body []byte) string {
	var answer struct {
		Error string `json:"error"`
	}
	if json.Unmarshal(body, &answer) != nil || answer.Error == "" {
		return ""
	}
	return ": " + Shorten(answer.Error)
}

// Shorten keeps what an action server says to a length that a log can bear.
func Shorten(text string) string {
	const limit = 300
	if r := []rune(text); len(r) > limit {
		return string(r[:limit]) + "…"
	}
	return text
}
