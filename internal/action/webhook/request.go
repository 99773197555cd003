package webhook

import (
	"strings"

	"github.com/loquat-dev/loquat/internal/tracker"
	"github.com/loquat-dev/loquat/internal/version"
)

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
