// Package actionrpc calls an action server over gRPC, by the protocol that
// rasa-sdk speaks since 3.9: action_endpoint with a URL of grpc://host:port.
package actionrpc

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/loquat-dev/loquat/internal/action"
	"github.com/loquat-dev/loquat/internal/action/webhook"
	"github.com/loquat-dev/loquat/internal/actionpb"
	"github.com/loquat-dev/loquat/internal/endpoint"
	"github.com/loquat-dev/loquat/internal/tracker"
	"github.com/loquat-dev/loquat/internal/version"
)

// maxAnswer is how many bytes an answer may have, decompressed.
const maxAnswer = 16 << 20

// Settings say where the action server is; they are the keys of action_endpoint
// that mean something over gRPC.
type Settings struct {
	URL      string            // grpc://host:port
	Headers  map[string]string // sent as metadata
	Username string            // basic_auth
	Password string
	CAFile   string // turns TLS on

	// Intercept watches calls, for tracing; nil for none.
	Intercept grpc.UnaryClientInterceptor
}

// IsURL reports whether a URL asks for gRPC.
func IsURL(text string) bool {
	u, err := url.Parse(text)
	return err == nil && u.Scheme == "grpc"
}

// Client is an action server. It is safe for concurrent use.
type Client struct {
	conn     *grpc.ClientConn
	actions  actionpb.ActionServiceClient
	metadata metadata.MD
	place    string
	domain   *actionpb.Domain
	digest   string // stands for the domain
}

// New returns a client for the action server of an assistant, of whose domain
// domainJSON is what actions get to see. The connection is made with the first
// call.
func New(s Settings, domainJSON []byte) (*Client, error) {
	u, err := url.Parse(s.URL)
	if err != nil || u.Scheme != "grpc" || u.Hostname() == "" {
		return nil, fmt.Errorf("action_endpoint: %q is not the URL of a gRPC server, grpc://host:port", s.URL)
	}
	address := u.Host
	if u.Port() == "" {
		address = net.JoinHostPort(u.Hostname(), "5055")
	}
	security := insecure.NewCredentials()
	if s.CAFile != "" {
		pool, err := endpoint.ReadCA(s.CAFile)
		if err != nil {
			return nil, fmt.Errorf("action_endpoint: %w", err)
		}
		security = credentials.NewTLS(&tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12})
	}
	d, err := domainMessage(domainJSON)
	if err != nil {
		return nil, err
	}
	c := &Client{place: "grpc://" + address, domain: d, metadata: metadata.New(s.Headers)}
	if s.Username != "" {
		c.metadata.Set("authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(s.Username+":"+s.Password)))
	}
	sum := sha256.Sum256(domainJSON)
	c.digest = hex.EncodeToString(sum[:])
	options := []grpc.DialOption{
		grpc.WithTransportCredentials(security), grpc.WithDisableServiceConfig(), grpc.WithNoProxy(),
		// By default a server that was away for long is not tried for two minutes more.
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: 100 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: time.Second},
			MinConnectTimeout: 5 * time.Second,
		}),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 5 * time.Minute}),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxAnswer), grpc.UseCompressor(gzip.Name)),
	}
	if s.Intercept != nil {
		options = append(options, grpc.WithUnaryInterceptor(s.Intercept))
	}
	if c.conn, err = grpc.NewClient("dns:///"+address, options...); err != nil {
		return nil, fmt.Errorf("action_endpoint: %w", err)
	}
	c.actions = actionpb.NewActionServiceClient(c.conn)
	return c, nil
}

// Close ends the connection.
func (c *Client) Close() error { return c.conn.Close() }

// ExecutorClass is what Rasa calls this way of running actions.
func (c *Client) ExecutorClass() string { return "GRPCCustomActionExecutor" }

// Run implements action.Server. The domain is sent when the server says that it
// does not know its digest.
func (c *Client) Run(ctx context.Context, name string, t *tracker.Tracker) (action.Reply, error) {
	ctx, cancel := context.WithTimeout(ctx, endpoint.Timeout)
	defer cancel()
	reply, err := c.call(ctx, name, t, nil)
	if missing, ok := errors.AsType[*callError](err); ok && missing.domainMissing() {
		reply, err = c.call(ctx, name, t, c.domain)
	}
	if _, rejected := errors.AsType[*action.RejectedError](err); err != nil && !rejected {
		return action.Reply{}, fmt.Errorf("run action %q: %w", name, err)
	}
	return reply, err
}

func (c *Client) call(ctx context.Context, name string, t *tracker.Tracker, d *actionpb.Domain) (action.Reply, error) {
	state, err := trackerMessage(t)
	if err != nil {
		return action.Reply{}, err
	}
	ctx = webhook.WithPurpose(metadata.NewOutgoingContext(ctx, c.metadata.Copy()), webhook.Purpose{Action: name, ConversationID: t.ConversationID})
	response, err := c.actions.Webhook(ctx, &actionpb.WebhookRequest{
		NextAction: name, SenderId: t.ConversationID, Tracker: state, Domain: d, Version: version.Rasa, DomainDigest: &c.digest,
	})
	if err != nil {
		return action.Reply{}, c.failure(name, err)
	}
	reply, err := replyFrom(response)
	if err != nil {
		return action.Reply{}, fmt.Errorf("answer: %w", err)
	}
	return reply, nil
}

// callError is an answer that says that the action failed.
type callError struct {
	code     codes.Code
	resource string // what was not found: ACTION or DOMAIN
	text     string
}

// Error quotes the server.
func (e *callError) Error() string { return e.text }

// ErrorType is the error's class, free of what the server said.
func (e *callError) ErrorType() string { return e.code.String() }

func (e *callError) domainMissing() bool {
	return e.code == codes.NotFound && e.resource == "DOMAIN"
}

// failure reads the error of a call. The server puts JSON into its message:
// INTERNAL with the action's name is a rejection.
func (c *Client) failure(name string, err error) error {
	s := status.Convert(err)
	var details struct {
		ActionName   *string `json:"action_name"`
		Message      string  `json:"message"`
		ResourceType string  `json:"resource_type"`
	}
	if json.Unmarshal([]byte(s.Message()), &details) != nil {
		details.Message = s.Message()
	}
	switch {
	case s.Code() == codes.Internal && details.ActionName != nil && *details.ActionName == name:
		return &action.RejectedError{Action: name, Reason: details.Message}
	case s.Code() == codes.Unavailable:
		return &callError{code: s.Code(), text: fmt.Sprintf("no answer from %s: %s", c.place, webhook.Shorten(details.Message))}
	case s.Code() == codes.Canceled:
		return context.Canceled
	case s.Code() == codes.DeadlineExceeded:
		return fmt.Errorf("no answer from %s: %w", c.place, context.DeadlineExceeded)
	}
	return &callError{
		code: s.Code(), resource: details.ResourceType,
		text: fmt.Sprintf("the action server answered %s: %s", s.Code(), webhook.Shorten(details.Message)),
	}
}
