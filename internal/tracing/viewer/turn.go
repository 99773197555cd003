package viewer

import (
	"slices"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
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
	sdktrace.ReadOnlySpan
	Depth  int
	Last   bool   // no sibling follows
	parent bool   // it has children
	rails  []bool // for each ancestor below the root: does a sibling of it follow
}

// newTurn orders the spans below root into a tree. Spans that belong to another
// root of the same trace are returned.
func newTurn(root sdktrace.ReadOnlySpan, spans []sdktrace.ReadOnlySpan, lost int) (Turn, []sdktrace.ReadOnlySpan) {
	children := map[trace.SpanID][]sdktrace.ReadOnlySpan{}
	for _, s := range spans {
		parent := s.Parent().SpanID()
		children[parent] = append(children[parent], s)
	}
	t := Turn{Lost: lost}
	var place func(s sdktrace.ReadOnlySpan, depth int, last bool, rails []bool)
	place = func(s sdktrace.ReadOnlySpan, depth int, last bool, rails []bool) {
		below := children[s.SpanContext().SpanID()]
		t.Spans = append(t.Spans, Span{s, depth, last, len(below) > 0, rails})
		delete(children, s.SpanContext().SpanID())
		slices.SortStableFunc(below, func(a, b sdktrace.ReadOnlySpan) int {
			return a.StartTime().Compare(b.StartTime())
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
	var rest []sdktrace.ReadOnlySpan
	for _, s := range spans {
		if _, left := children[s.Parent().SpanID()]; left {
			rest = append(rest, s)
		}
	}
	return t, rest
}

// attribute finds the first span's attribute with that key, "" if none has it.
func (t Turn) attribute(key string) string {
	for _, s := range t.Spans {
		for _, a := range s.Attributes() {
			if string(a.Key) == key {
				return a.Value.Emit()
			}
		}
	}
	return ""
}
