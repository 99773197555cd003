// Package record makes spans: it decides which are kept, notes what they say,
// and hands them on as they end.
//
// It stands in for the tracer of OpenTelemetry's SDK, whose API it implements
// and whose resources and samplers it uses. A turn has some thirty spans, and in
// the SDK each costs about two microseconds and two kilobytes before anything is
// sent, more than the turn itself. Here it is a quarter of that, because there is
// one kind of attribute list, one copy of a span, and one decision to a trace.
package record

import (
	"context"
	"fmt"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
)

// inlineAttributes is how many attributes a span has room for without another
// allocation.
const inlineAttributes = 4

// Span is one span, while it runs and after. While it runs it is changed by its
// methods alone, which are safe for concurrent use; after End nothing changes it,
// and its fields may be read. Processors share it and must not change it.
type Span struct {
	noop.Span // the methods of the API that nobody here needs

	Name     string
	Kind     trace.SpanKind
	Context  trace.SpanContext
	Parent   trace.SpanContext // not valid for the root of a trace
	Start    time.Time
	Duration time.Duration

	Attributes        []attribute.KeyValue // keys are unique
	DroppedAttributes int
	Events            []Event
	Links             []trace.Link
	Status            codes.Code
	Description       string // of an error

	tracer *Tracer // nil for a span that is not recorded
	mu     sync.Mutex
	ended  bool
	inline [inlineAttributes]attribute.KeyValue
}

// Event is something that happened at one moment of a span.
type Event struct {
	Name       string
	Time       time.Time
	Attributes []attribute.KeyValue
}

// EndTime is when the span ended.
func (s *Span) EndTime() time.Time { return s.Start.Add(s.Duration) }

// IsLocalRoot reports whether the span has no parent in this process.
func (s *Span) IsLocalRoot() bool { return !s.Parent.IsValid() || s.Parent.IsRemote() }

// SpanContext identifies the span.
func (s *Span) SpanContext() trace.SpanContext { return s.Context }

// IsRecording reports whether attributes are kept. It says what was decided at
// the start, also after the end.
func (s *Span) IsRecording() bool { return s.tracer != nil }

// SetName changes the name.
func (s *Span) SetName(name string) {
	if s.change() {
		s.Name = name
		s.mu.Unlock()
	}
}

// SetAttributes adds attributes. A key that is there already gets the new value.
func (s *Span) SetAttributes(attributes ...attribute.KeyValue) {
	if !s.change() {
		return
	}
	defer s.mu.Unlock()
	limits := &s.tracer.limits
	for _, a := range attributes {
		a = limits.shorten(a)
		if at := s.find(a.Key); at >= 0 {
			s.Attributes[at] = a
		} else if len(s.Attributes) < limits.Attributes {
			s.Attributes = append(s.Attributes, a)
		} else {
			s.DroppedAttributes++
		}
	}
}

func (s *Span) find(key attribute.Key) int {
	for i := range s.Attributes {
		if s.Attributes[i].Key == key {
			return i
		}
	}
	return -1
}

// AddEvent notes that something happened.
func (s *Span) AddEvent(name string, options ...trace.EventOption) {
	config := trace.NewEventConfig(options...)
	if !s.change() {
		return
	}
	defer s.mu.Unlock()
	if len(s.Events) < s.tracer.limits.Events {
		s.Events = append(s.Events, Event{Name: name, Time: config.Timestamp(), Attributes: config.Attributes()})
	}
}

// RecordError notes an error as an event.
func (s *Span) RecordError(err error, options ...trace.EventOption) {
	if err != nil {
		s.AddEvent("exception", append(options, trace.WithAttributes(
			attribute.String("exception.type", fmt.Sprintf("%T", err)),
			attribute.String("exception.message", err.Error())))...)
	}
}

// SetStatus says how it went. The description counts for errors only.
func (s *Span) SetStatus(code codes.Code, description string) {
	if !s.change() {
		return
	}
	defer s.mu.Unlock()
	s.Status, s.Description = code, ""
	if code == codes.Error {
		s.Description = description
	}
}

// AddLink links the span to another.
func (s *Span) AddLink(link trace.Link) {
	if s.change() {
		s.Links = append(s.Links, link)
		s.mu.Unlock()
	}
}

// End ends the span, once, and hands it to the tracer's processors.
func (s *Span) End(...trace.SpanEndOption) {
	if !s.change() {
		return
	}
	s.Duration = time.Since(s.Start)
	s.ended = true
	s.mu.Unlock()
	for _, p := range s.tracer.processors {
		p.OnEnd(s)
	}
}

// change locks the span, unless it can't be changed any more.
func (s *Span) change() bool {
	if s.tracer == nil {
		return false
	}
	s.mu.Lock()
	if s.ended {
		s.mu.Unlock()
		return false
	}
	return true
}

// FromContext returns the span that runs in ctx, or nil.
func FromContext(ctx context.Context) *Span {
	s, _ := trace.SpanFromContext(ctx).(*Span)
	return s
}
