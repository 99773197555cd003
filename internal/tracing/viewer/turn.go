package viewer

import (
	"slices"

	"go.opentelemetry.io/otel/trace"

	"github.com/loquat-dev/loquat/internal/tracing/record"
)

// Turn is a finished trace, or the part of it that one request made here.
type Turn struct {
	Number int // counts from 1
	Spans  []Span
	Lost   int // spans that were left out
}

// Span is a span in its place in the tree. A turn's spans stand in the order in
// which they are printed: a parent before its children, children by their start.
type Span struct {
	*record.Span
	Depth  int
	Last   bool   // no sibling follows
	parent bool   // it has children
	rails  []bool // for each ancestor below the root: does a sibling of it follow
}

// newTurn orders the spans below root into a tree. Spans that belong to another
// root of the same trace are returned.
func newTurn(root *record.Span, spans []*record.Span, lost int) (Turn, []*record.Span) {
	children := map[trace.SpanID][]*record.Span{}
	for _, s := range spans {
		parent := s.Parent.SpanID()
		children[parent] = append(children[parent], s)
	}
	t := Turn{Lost: lost}
	var place func(s *record.Span, depth int, last bool, rails []bool)
	place = func(s *record.Span, depth int, last bool, rails []bool) {
		below := children[s.Context.SpanID()]
		t.Spans = append(t.Spans, Span{s, depth, last, len(below) > 0, rails})
		delete(children, s.Context.SpanID())
		slices.SortStableFunc(below, func(a, b *record.Span) int {
			return a.Start.Compare(b.Start)
		})
		inner := rails
		if depth > 0 {
			inner = append(slices.Clone(rails), !last)
		}
		for i, c := range below {
			place(c, depth+1, i == len(below)-1, inner)
		}
	}
	place(root, 0, true, nil)
	var rest []*record.Span
	for _, s := range spans {
		if _, left := children[s.Parent.SpanID()]; left {
			rest = append(rest, s)
		}
	}
	return t, rest
}

// attribute finds the first span's attribute with that key, "" if none has it.
func (t Turn) attribute(key string) string {
	for _, s := range t.Spans {
		if v := s.attribute(key); v != "" {
			return v
		}
	}
	return ""
}

// attribute returns the text of an attribute, "" if there is none with that key.
func (s Span) attribute(key string) string {
	for _, a := range s.Attributes {
		if string(a.Key) == key {
			return a.Value.String()
		}
	}
	return ""
}
