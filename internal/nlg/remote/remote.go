// Package remote asks another server for responses, as nlg: url: in endpoints.yml
// says. The server gets the name of the response and the conversation, and answers
// with what is to be said (core.md §18, Rasa 3.6.21). When it does not, the action
// that wanted the response fails: the domain's own text is never said instead.
package remote

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/loquat-dev/loquat/internal/domain"
	"github.com/loquat-dev/loquat/internal/endpoint"
	"github.com/loquat-dev/loquat/internal/nlg"
	"github.com/loquat-dev/loquat/internal/tracker"
)

// Generator is a server that generates responses. It is safe for concurrent use.
type Generator struct {
	server *endpoint.Client
	domain *domain.Domain
}

// New returns a generator that asks the server of the settings; the domain says
// which variation of a response would have been taken.
func New(s endpoint.Settings, d *domain.Domain) (*Generator, error) {
	server, err := endpoint.New("nlg", s)
	if err != nil {
		return nil, err
	}
	return &Generator{server: server, domain: d}, nil
}

// External implements nlg.External.
func (g *Generator) External() {}

// Generate implements nlg.Generator.
func (g *Generator) Generate(ctx context.Context, r nlg.Request) (map[string]any, error) {
	answer, err := g.server.Post(ctx, g.body(r), false)
	if err != nil {
		if refused, ok := errors.AsType[*endpoint.StatusError](err); ok && refused.Status == http.StatusNotFound {
			return nil, fmt.Errorf("nlg: %w; does it know the response?", err)
		}
		return nil, fmt.Errorf("nlg: %w", err)
	}
	content, err := Parse(answer)
	if err != nil {
		return nil, fmt.Errorf("nlg: answer: %w", err)
	}
	return content, nil
}

// body is the request that Rasa sends. It has no id where an action server asked
// for the response.
func (g *Generator) body(r nlg.Request) []byte {
	var id any
	if text := nlg.VariationID(g.domain, r); text != "" && r.Arguments == nil {
		id = text
	}
	arguments := map[string]any{}
	for k, v := range r.Arguments {
		if k != "response" {
			arguments[k] = v
		}
	}
	b := tracker.AppendValue([]byte(`{"response":`), r.Name)
	b = tracker.AppendValue(append(b, `,"id":`...), id)
	b = tracker.AppendValue(append(b, `,"arguments":`...), arguments)
	b = r.Tracker.AppendState(append(b, `,"tracker":`...), tracker.All)
	b = tracker.AppendValue(append(b, `,"channel":{"name":`...), r.Channel)
	return append(b, "}}"...)
}

// kinds are the keys of an answer that must be of a type; all but text may be null,
// and other keys are passed on as they are.
var kinds = map[string]string{
	"text": "string", "id": "string", "image": "string", "buttons": "list", "elements": "list", "quick_replies": "list",
	"attachment": "object", "custom": "object",
}

// Parse reads an answer.
func Parse(answer []byte) (map[string]any, error) {
	v, err := tracker.DecodeValue(answer)
	if err != nil {
		return nil, fmt.Errorf("not valid JSON: %w", err)
	}
	content, ok := v.(map[string]any)
	if !ok {
		return nil, errors.New("not a JSON object")
	}
	for key, value := range content {
		kind := kinds[key]
		if kind == "" || value == nil && key != "text" {
			continue
		}
		if !is(value, kind) {
			return nil, fmt.Errorf("%s is no %s", key, kind)
		}
		if kind != "list" {
			continue
		}
		for i, item := range value.([]any) {
			if !is(item, "object") {
				return nil, fmt.Errorf("%s[%d] is not an object", key, i)
			}
		}
	}
	delete(content, "id")
	return content, nil
}

func is(v any, kind string) (ok bool) {
	switch kind {
	case "string":
		_, ok = v.(string)
	case "list":
		_, ok = v.([]any)
	case "object":
		_, ok = v.(map[string]any)
	}
	return ok
}
