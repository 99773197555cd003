package webhook

import (
	"bytes"
	"compress/zlib"
	"context"
	"net/http"
	"strings"

	"github.com/loquat-dev/loquat/internal/tracker"
	"github.com/loquat-dev/loquat/internal/version"
)

func (c *Client) request(ctx context.Context, name string, t *tracker.Tracker, withDomain bool) (*http.Request, error) {
	body := c.body(name, t, withDomain)
	if c.settings.Compress {
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
	request, err := http.NewRequestWithContext(WithPurpose(ctx, Purpose{name, t.ConversationID}), http.MethodPost, c.url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	if c.settings.Compress {
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

// body is the request that rasa-sdk expects.
func (c *Client) body(name string, t *tracker.Tracker, withDomain bool) []byte {
	b := tracker.AppendValue([]byte(`{"next_action":`), name)
	b = tracker.AppendValue(append(b, `,"sender_id":`...), t.ConversationID)
	b = t.AppendState(append(b, `,"tracker":`...), tracker.All)
	if withDomain {
		b = append(append(b, `,"domain":`...), c.domainJS...)
	}
	if c.digest != "" {
		b = tracker.AppendValue(append(b, `,"domain_digest":`...), c.digest)
	}
	b = tracker.AppendValue(append(b, `,"version":`...), version.Rasa)
	return append(b, '}')
}

// sendsDomain reports whether an action gets the domain: every one, unless
// enable_selective_domain leaves it to those that ask for it and to validation.
func (c *Client) sendsDomain(name string) bool {
	if !c.settings.SelectiveDomain || strings.HasPrefix(name, "validate_") {
		return true
	}
	for _, a := range c.domain.Actions {
		if a.Name == name {
			return a.SendDomain
		}
	}
	return false
}
