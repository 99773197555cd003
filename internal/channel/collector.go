package channel

import (
	"context"
	"errors"
	"strings"
	"sync"

	"github.com/loquat-dev/loquat/internal/pystr"
)

// Collector is an Output that keeps what the assistant says, in the form that
// the REST channel returns. It is safe for concurrent use.
type Collector struct {
	name string

	mu       sync.Mutex
	messages []map[string]any
	taken    bool
	onEach   func(map[string]any) error
}

// ErrGone is returned by a Collector for what is said, by a reminder for
// example, after its messages were taken.
var ErrGone = errors.New("the user's request has been answered already")

// Names of the outputs that answer a request with what is said. A variation of a
// response is meant for one of these when its channel is the name; "rest" is no
// output in Rasa 3.6.21, be it the input.
const (
	collectorName = "collector"
	streamName    = "queue"
)

// NewCollector returns an empty collector.
func NewCollector() *Collector {
	return &Collector{name: collectorName, messages: []map[string]any{}}
}

// NewStream returns a collector that hands on each message instead of keeping it.
// onEach returns ErrGone when nobody is listening any more.
func NewStream(onEach func(message map[string]any) error) *Collector {
	return &Collector{name: streamName, onEach: onEach}
}

// Name implements Output.
func (c *Collector) Name() string { return c.name }

// Send keeps one message of the assistant.
func (c *Collector) Send(_ context.Context, recipientID string, r Response) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.taken {
		return ErrGone
	}
	for _, m := range split(recipientID, r) {
		if c.onEach != nil {
			if err := c.onEach(m); err != nil {
				return err
			}
		} else {
			c.messages = append(c.messages, m)
		}
	}
	return nil
}

// Messages ends the collection and returns what was said.
func (c *Collector) Messages() []map[string]any {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.taken = true
	return c.messages
}

// split gives the messages that Rasa 3.6's REST channel makes of one response, in
// its order: quick replies, else buttons, else text; then custom, image,
// attachment and elements. Text is cut at blank lines, unless it has buttons.
func split(recipientID string, r Response) []map[string]any {
	var out []map[string]any
	add := func(pairs ...any) {
		m := map[string]any{"recipient_id": recipientID}
		for i := 0; i < len(pairs); i += 2 {
			m[pairs[i].(string)] = pairs[i+1]
		}
		out = append(out, m)
	}
	text, hasText := r["text"].(string)
	switch {
	case pystr.Truth(r["quick_replies"]):
		add("text", text, "buttons", r["quick_replies"])
	case pystr.Truth(r["buttons"]) && !hasText:
		add("buttons", r["buttons"])
	case pystr.Truth(r["buttons"]):
		add("text", text, "buttons", r["buttons"])
	case hasText && text != "":
		for _, paragraph := range strings.Split(strings.TrimSpace(text), "\n\n") {
			add("text", paragraph)
		}
	}
	if pystr.Truth(r["custom"]) {
		add("custom", r["custom"])
	}
	for _, key := range []string{"image", "attachment"} {
		if pystr.Truth(r[key]) {
			add(key, r[key])
		}
	}
	elements, _ := r["elements"].([]any)
	for _, x := range elements {
		element, _ := x.(map[string]any)
		title, _ := element["title"].(string)
		subtitle, _ := element["subtitle"].(string)
		buttons := element["buttons"]
		if buttons == nil {
			buttons = []any{}
		}
		add("text", title+" : "+subtitle, "buttons", buttons)
	}
	return out
}
