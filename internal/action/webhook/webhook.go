// Package webhook calls an action server over HTTP, by the protocol that rasa-sdk
// speaks (core.md §17, Rasa 3.6.21).
package webhook

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/loquat-dev/loquat/internal/action"
	"github.com/loquat-dev/loquat/internal/domain"
	"github.com/loquat-dev/loquat/internal/endpoint"
	"github.com/loquat-dev/loquat/internal/tracker"
)

// maxEvents is how many events, and how many responses, an answer may have.
const maxEvents = 10_000

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
	server   *endpoint.Client
	domain   *domain.Domain
	domainJS []byte // the domain as JSON, made once
	digest   string // stands for it; "" if it is always sent
}

// New returns a client for the action server of an assistant with that domain,
// of which domainJSON is what actions get to see.
func New(s Settings, d *domain.Domain, domainJSON []byte) (*Client, error) {
	server, err := endpoint.New("action_endpoint", endpoint.Settings{
		URL: s.URL, Params: s.Params, Headers: s.Headers, Username: s.Username, Password: s.Password,
		Token: s.Token, TokenName: s.TokenName, CAFile: s.CAFile, Wrap: s.Wrap,
	})
	if err != nil {
		return nil, err
	}
	c := &Client{settings: s, server: server, domain: d, domainJS: domainJSON}
	if s.DomainDigest {
		sum := sha256.Sum256(domainJSON)
		c.digest = hex.EncodeToString(sum[:])
	}
	return c, nil
}

// Run implements action.Server. A server that lacks the domain asks for it.
func (c *Client) Run(ctx context.Context, name string, t *tracker.Tracker) (action.Reply, error) {
	withDomain := c.digest == "" && c.sendsDomain(name)
	reply, err := c.call(ctx, name, t, withDomain)
	if status, ok := errors.AsType[*endpoint.StatusError](err); ok && status.Status == statusDomainMissing && !withDomain {
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
	ctx = WithPurpose(ctx, Purpose{name, t.ConversationID})
	answer, err := c.server.Post(ctx, c.body(name, t, withDomain), c.settings.Compress)
	if err != nil {
		return action.Reply{}, failure(err)
	}
	reply, err := ParseReply(answer)
	if err != nil {
		return action.Reply{}, fmt.Errorf("answer: %w", err)
	}
	return reply, nil
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

// failure reads an error answer. A 400 that names the action rejects its
// execution, any other is a failure.
func failure(err error) error {
	refused, ok := errors.AsType[*endpoint.StatusError](err)
	if !ok {
		return err
	}
	var answer struct {
		Error      string  `json:"error"`
		ActionName *string `json:"action_name"`
	}
	readable := json.Unmarshal(refused.Body, &answer) == nil
	switch {
	case !readable:
		return err
	case refused.Status == http.StatusBadRequest && answer.ActionName != nil:
		return &action.RejectedError{Action: *answer.ActionName, Reason: answer.Error}
	case answer.Error != "":
		return fmt.Errorf("%w: %s", err, Shorten(answer.Error))
	}
	return err
}

// Shorten keeps what an action server says to a length that a log can bear.
func Shorten(text string) string {
	const limit = 300
	if r := []rune(text); len(r) > limit {
		return string(r[:limit]) + "…"
	}
	return text
}
