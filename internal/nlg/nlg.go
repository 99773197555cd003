// Package nlg turns the name of a response into what the assistant says: it
// chooses a variation and fills in values.
package nlg

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"

	"golang.org/x/text/cases"

	"github.com/loquat-dev/loquat/internal/channel"
	"github.com/loquat-dev/loquat/internal/domain"
	"github.com/loquat-dev/loquat/internal/tracker"
)

// Request asks for one response.
type Request struct {
	Name      string // "utter_greet"
	Tracker   *tracker.Tracker
	Channel   string         // name of the channel that the answer goes to
	Arguments map[string]any // values that override slots
}

// Generator makes responses. It is safe for concurrent use.
type Generator interface {
	// Generate returns the content of a response, which the caller may change, or
	// nil when nothing fits the situation.
	Generate(ctx context.Context, r Request) (map[string]any, error)
}

// External marks generators that may have responses that the domain lacks.
type External interface{ External() }

// Templates generates the responses of a domain.
type Templates struct {
	domain *domain.Domain
	choose func(n int) int
	logger *slog.Logger
}

// NewTemplates returns a generator for the domain's responses. Where several
// variations fit, choose picks one of n; nil picks at random.
func NewTemplates(d *domain.Domain, choose func(n int) int, logger *slog.Logger) *Templates {
	if choose == nil {
		choose = rand.IntN
	}
	return &Templates{domain: d, choose: choose, logger: logger}
}

// Generate implements Generator.
func (g *Templates) Generate(ctx context.Context, r Request) (map[string]any, error) {
	fitting := candidates(g.domain.Responses[r.Name], r.Tracker, r.Channel)
	if len(fitting) == 0 {
		g.logger.ErrorContext(ctx, "no variation of the response fits", "response", r.Name, "channel", r.Channel)
		return nil, nil
	}
	chosen := fitting[g.choose(len(fitting))]
	content := chosen.Content()
	lookup := func(name string) (any, bool) {
		if v, ok := r.Arguments[name]; ok {
			return v, true
		}
		v, ok := r.Tracker.Slots()[name]
		return v, ok
	}
	for _, key := range []string{"text", "image", "custom", "buttons", "attachment", "quick_replies"} {
		if v, ok := content[key]; ok {
			content[key] = g.fill(ctx, r.Name, v, lookup)
		}
	}
	return content, nil
}

// candidates are the variations of the first group that is not empty: conditional
// ones for the channel, others for the channel, conditional ones for any channel,
// others for any channel (Rasa 3.6.21).
func candidates(variations []domain.Response, t *tracker.Tracker, channelName string) []domain.Response {
	var groups [4][]domain.Response
	for _, v := range variations {
		group := 3
		if v.Conditions != nil {
			if !holds(v.Conditions, t) {
				continue
			}
			group = 2
		}
		switch v.Channel {
		case "":
		case channelName:
			group -= 2
		default:
			continue
		}
		groups[group] = append(groups[group], v)
	}
	for _, g := range groups {
		if len(g) > 0 {
			return g
		}
	}
	return nil
}

// VariationID returns the id of the first variation that fits, "" if it has none or
// shares it with another variation of the response.
func VariationID(d *domain.Domain, r Request) string {
	fitting := candidates(d.Responses[r.Name], r.Tracker, r.Channel)
	if len(fitting) == 0 {
		return ""
	}
	id, same := fitting[0].ID, 0
	for _, v := range d.Responses[r.Name] {
		if v.ID == id {
			same++
		}
	}
	if same > 1 {
		return ""
	}
	return id
}

// holds reports whether there are conditions and all are met.
func holds(conditions []domain.ResponseCondition, t *tracker.Tracker) bool {
	for _, c := range conditions {
		if !equal(t.Slot(c.Name), c.Value) {
			return false
		}
	}
	return len(conditions) > 0 // an empty list is never met in Rasa 3.6.21
}

// equal compares a slot with a condition's value; the case of strings does not
// count.
func equal(a, b any) bool {
	x, isString := a.(string)
	y, alsoString := b.(string)
	if isString && alsoString {
		return x == y || cases.Fold().String(x) == cases.Fold().String(y)
	}
	f, isNumber := number(a)
	g, alsoNumber := number(b)
	if isNumber && alsoNumber {
		return f == g
	}
	return fmt.Sprintf("%T%v", a, a) == fmt.Sprintf("%T%v", b, b)
}

func number(v any) (float64, bool) {
	switch v := v.(type) {
	case int64:
		return float64(v), true
	case float64:
		return v, true
	case json.Number:
		f, err := v.Float64()
		return f, err == nil
	case bool: // True == 1 in Python
		if v {
			return 1, true
		}
		return 0, true
	}
	return 0, false
}

// parts are the keys of a response that are the message itself; everything else
// is metadata.
var parts = []string{"elements", "quick_replies", "buttons", "attachment", "image", "custom"}

// BotEvent makes the event of an utterance from a response's content.
func BotEvent(content map[string]any) *tracker.BotUttered {
	e := &tracker.BotUttered{Data: make(map[string]any, len(parts))}
	e.Text, e.HasText = content["text"].(string)
	for _, key := range parts {
		e.Data[key] = content[key]
	}
	if e.Data["attachment"] == nil {
		e.Data["attachment"] = content["image"]
	}
	for key, value := range content {
		if _, isPart := e.Data[key]; !isPart && key != "text" {
			if e.Metadata == nil {
				e.Metadata = map[string]any{}
			}
			e.Metadata[key] = value
		}
	}
	return e
}

// Message is what a channel gets to send for an utterance.
func Message(e *tracker.BotUttered) channel.Response {
	r := channel.Response{}
	maps.Copy(r, e.Metadata)
	maps.Copy(r, e.Data)
	if e.HasText {
		r["text"] = e.Text
	}
	image, isText := r["image"].(string)
	if attachment, ok := r["attachment"].(string); ok && isText && attachment == image {
		r["attachment"] = nil
	}
	return r
}
