package record_test

import (
	"context"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/loquat-dev/loquat/internal/tracing/record"
)

// memory keeps finished spans.
type memory struct{ spans []*record.Span }

func (m *memory) OnEnd(s *record.Span)           { m.spans = append(m.spans, s) }
func (m *memory) Flush(context.Context) error    { return nil }
func (m *memory) Shutdown(context.Context) error { return nil }

func tracer(sampler sdktrace.Sampler, limits record.Limits) (*record.Tracer, *memory) {
	m := &memory{}
	return record.NewTracer(sampler, limits, m), m
}

func TestChildFollowsItsParent(t *testing.T) {
	tr, m := tracer(sdktrace.AlwaysSample(), record.DefaultLimits)
	ctx, root := tr.Start(t.Context(), "root", trace.SpanKindServer)
	_, child := tr.Start(ctx, "child", trace.SpanKindInternal)
	child.End()
	root.End()
	if len(m.spans) != 2 || child.Parent.SpanID() != root.Context.SpanID() || child.Context.TraceID() != root.Context.TraceID() {
		t.Errorf("%d spans, parent %v of root %v", len(m.spans), child.Parent.SpanID(), root.Context.SpanID())
	}
	if !root.IsLocalRoot() || child.IsLocalRoot() || !record.Current(ctx).Equal(root.Context) || !root.Context.IsSampled() {
		t.Error("the root is not told from its child")
	}
}

func TestEndedSpanDoesNotChange(t *testing.T) {
	tr, m := tracer(sdktrace.AlwaysSample(), record.DefaultLimits)
	_, s := tr.Start(t.Context(), "a", trace.SpanKindInternal)
	s.End()
	s.SetAttributes(attribute.Int("late", 1))
	s.SetName("late")
	s.SetStatus(codes.Error, "late")
	s.AddEvent("late")
	s.End()
	if len(m.spans) != 1 || len(s.Attributes)+len(s.Events) != 0 || s.Name != "a" || s.Status != codes.Unset {
		t.Errorf("%d times, %+v", len(m.spans), s)
	}
}

func TestLastValueOfAKeyCounts(t *testing.T) {
	tr, _ := tracer(sdktrace.AlwaysSample(), record.DefaultLimits)
	_, s := tr.Start(t.Context(), "a", trace.SpanKindInternal)
	s.SetAttributes(attribute.Int("n", 1), attribute.String("k", "v"), attribute.Int("n", 2))
	if len(s.Attributes) != 2 || s.Attributes[0].Value.AsInt64() != 2 {
		t.Errorf("%v", s.Attributes)
	}
}

func TestLimitsOfASpan(t *testing.T) {
	tr, _ := tracer(sdktrace.AlwaysSample(), record.Limits{Attributes: 3, Events: 1, ValueLength: 4})
	_, s := tr.Start(t.Context(), "a", trace.SpanKindInternal)
	s.SetAttributes(attribute.String("k", strings.Repeat("é", 9)), attribute.StringSlice("l", []string{"abcdef"}), attribute.Int("m", 1), attribute.Int("n", 1))
	s.AddEvent("first")
	s.AddEvent("second")
	if s.Attributes[0].Value.AsString() != "éééé" || s.Attributes[1].Value.AsStringSlice()[0] != "abcd" || s.DroppedAttributes != 1 || len(s.Events) != 1 {
		t.Errorf("%v, %d dropped, %d events", s.Attributes, s.DroppedAttributes, len(s.Events))
	}
}

func TestDecisionIsMadeOnceForATrace(t *testing.T) {
	asked := 0
	tr, m := tracer(counting{sdktrace.NeverSample(), &asked}, record.DefaultLimits)
	ctx, root := tr.Start(t.Context(), "root", trace.SpanKindInternal)
	_, child := tr.Start(ctx, "child", trace.SpanKindInternal)
	child.SetAttributes(attribute.Int("n", 1))
	child.End()
	root.End()
	if asked != 1 || len(m.spans) != 0 || child.IsRecording() || child.Context.IsSampled() || child.Context.TraceID() != root.Context.TraceID() {
		t.Errorf("asked %d times, %d spans", asked, len(m.spans))
	}
}

type counting struct {
	sdktrace.Sampler
	n *int
}

func (c counting) ShouldSample(p sdktrace.SamplingParameters) sdktrace.SamplingResult {
	*c.n++
	return c.Sampler.ShouldSample(p)
}

// TestSpanIsUsedAgainWithoutItsPast has a processor that releases at once, and a
// second one that holds on to one span.
func TestSpanIsUsedAgainWithoutItsPast(t *testing.T) {
	held := &memory{}
	tr := record.NewTracer(sdktrace.AlwaysSample(), record.DefaultLimits, releasing{}, held)
	ctx, first := tr.Start(t.Context(), "first", trace.SpanKindServer)
	first.SetAttributes(attribute.Int("a", 1), attribute.Int("b", 1), attribute.Int("c", 1), attribute.Int("d", 1), attribute.Int("e", 1))
	first.AddEvent("event")
	first.SetStatus(codes.Error, "failed")
	identity := first.Context
	first.End()
	_, second := tr.Start(ctx, "second", trace.SpanKindInternal)
	if second == first {
		t.Error("a span was used again while a processor held it")
	}
	held.spans[0].Release()
	for range 100 { // the pool may give others first
		_, s := tr.Start(ctx, "again", trace.SpanKindInternal)
		if len(s.Attributes)+len(s.Events)+len(s.Links)+s.DroppedAttributes != 0 || s.Status != codes.Unset || s.Description != "" {
			t.Errorf("a new span has a past: %+v", s.Attributes)
		}
		if s.Parent.SpanID() != identity.SpanID() {
			t.Errorf("the context lost its span: parent %v, want %v", s.Parent.SpanID(), identity.SpanID())
		}
	}
}

type releasing struct{}

func (releasing) OnEnd(s *record.Span)           { s.Release() }
func (releasing) Flush(context.Context) error    { return nil }
func (releasing) Shutdown(context.Context) error { return nil }
