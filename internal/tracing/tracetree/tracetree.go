// Package tracetree writes traces as text, so that a test can compare what came
// out of a backend with what a reviewer has read: names, kinds, parents,
// attributes with their types and values. What differs from run to run becomes a
// word in angle brackets.
package tracetree

import (
	"cmp"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Span is a span as any backend tells it.
type Span struct {
	ID, Parent string
	Name       string
	Kind       string // internal, server, client, producer, consumer
	Service    string
	Start      time.Time
	Failed     bool
	Status     string // description of an error
	Attributes []Attribute
	Events     []string // names
}

// Attribute is one attribute.
type Attribute struct {
	Key, Type, Value string // Type is string, bool, int, double or list
}

// Format writes the spans as a tree, roots and siblings by their start. A span
// whose parent is not among them is a root. Attributes are sorted.
func Format(spans []Span) string {
	known := map[string]bool{}
	for _, s := range spans {
		known[s.ID] = true
	}
	children := map[string][]Span{}
	for _, s := range spans {
		parent := s.Parent
		if !known[parent] {
			parent = ""
		}
		children[parent] = append(children[parent], s)
	}
	var b strings.Builder
	var write func(parent, indent, service string)
	write = func(parent, indent, service string) {
		for _, s := range order(children[parent]) {
			writeSpan(&b, s, indent, service)
			write(s.ID, indent+"    ", s.Service)
		}
	}
	write("", "", "")
	return b.String()
}

// order sorts siblings by their start. Graph nodes that run side by side start in
// any order, so those among them are sorted by name in the places that they have.
func order(spans []Span) []Span {
	slices.SortStableFunc(spans, func(a, b Span) int { return a.Start.Compare(b.Start) })
	var nodes []Span
	for _, s := range spans {
		if strings.HasPrefix(s.Name, "GraphNode.") {
			nodes = append(nodes, s)
		}
	}
	slices.SortStableFunc(nodes, func(a, b Span) int { return cmp.Compare(a.attribute("node_name"), b.attribute("node_name")) })
	for i, s := range spans {
		if strings.HasPrefix(s.Name, "GraphNode.") {
			spans[i], nodes = nodes[0], nodes[1:]
		}
	}
	return spans
}

func (s Span) attribute(key string) string {
	for _, a := range s.Attributes {
		if a.Key == key {
			return a.Value
		}
	}
	return ""
}

func writeSpan(b *strings.Builder, s Span, indent, service string) {
	fmt.Fprintf(b, "%s- %s (%s)", indent, s.Name, s.Kind)
	if s.Service != service {
		fmt.Fprintf(b, " of %s", s.Service)
	}
	if s.Failed {
		fmt.Fprintf(b, " ERROR %q", s.Status)
	}
	b.WriteByte('\n')
	slices.SortFunc(s.Attributes, func(a, b Attribute) int { return cmp.Compare(a.Key, b.Key) })
	for _, a := range s.Attributes {
		if a.Type == "string" && strings.HasPrefix(a.Value, "[") && json.Valid([]byte(a.Value)) {
			a.Type = "list" // Jaeger's Thrift has no lists and carries them as text
		}
		fmt.Fprintf(b, "%s      %s: %s %s\n", indent, a.Key, a.Type, normal(a))
	}
	for _, e := range s.Events {
		fmt.Fprintf(b, "%s      event %s\n", indent, e)
	}
}

// varying are the attributes whose values differ from run to run.
var varying = map[string]string{
	"message_id":                 "<id>",
	"model_id":                   "<id>",
	"model_name":                 "<file>",
	"model_file":                 "<file>",
	"output_filename":            "<path>",
	"file.size":                  "<bytes>",
	"project.fingerprint":        "<fingerprint>",
	"loquat.lock.wait_ms":        "<ms>",
	"request_body_size_in_bytes": "<bytes>",
	"server.port":                "<port>",
	"client.address":             "<address>",
	"server.address":             "<host>",
	"user_agent.original":        "<agent>",
	"version":                    "<version>",
}

var hostPort = regexp.MustCompile(`//[^/]+`)

func normal(a Attribute) string {
	if word, ok := varying[a.Key]; ok {
		if a.Value == "" || a.Value == "None" || a.Value == "default" {
			return fmt.Sprintf("%q", a.Value)
		}
		return word
	}
	switch {
	case a.Key == "url" || a.Key == "url.full":
		return hostPort.ReplaceAllString(a.Value, "//<host>")
	case a.Type == "string":
		return fmt.Sprintf("%q", a.Value)
	default:
		return a.Value
	}
}
