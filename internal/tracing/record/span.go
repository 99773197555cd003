// Package record makes spans: it decides which are kept, notes what they say,
// and hands them on as they end.
//
// It stands in for the tracer of OpenTelemetry's SDK, whose API it implements
// and whose resources and samplers it uses. A turn has some thirty spans, and in
// the SDK each costs about two microseconds and two kilobytes before anything is
// sent, more than the turn itself. Here it is a quarter of that, because there is
// one kind of attribute list, one copy of a span, which is used again once it was
// sent, and one decision to a trace.
package record

import (
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

// inlineAttributes is how many attributes a span has room for without another
// allocation.
const inlineAttributes = 4

// Span is one span, while it runs and after. While it runs it belongs to who
// started it, and is not safe for concurrent use. End hands it to the processors,
// which read its fields, don't change them, and Release it. Who started it must
// not touch it after End: it may be another span by then.
type Span struct {
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

	tracer   *Tracer
	recorded bool
	ended    bool
	users    atomic.Int32 // processors that have not released it
	inline   [inlineAttributes]attribute.KeyValue
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

// IsRecording reports whether attributes are kept.
func (s *Span) IsRecording() bool { return s.recorded }

// SetName changes the name.
func (s *Span) SetName(name string) {
	if s.isOpen() {
		s.Name = name
	}
}

// SetAttributes adds attributes. A key that is there already gets the new value.
func (s *Span) SetAttributes(attributes ...attribute.KeyValue) {
	if !s.isOpen() {
		return
	}
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
func (s *Span) AddEvent(name string, attributes ...attribute.KeyValue) {
	if !s.isOpen() {
		return
	}
	if len(s.Events) < s.tracer.limits.Events {
		s.Events = append(s.Events, Event{Name: name, Time: time.Now(), Attributes: attributes})
	}
}

// SetStatus says how it went. The description counts for errors only.
func (s *Span) SetStatus(code codes.Code, description string) {
	if !s.isOpen() {
		return
	}
	s.Status, s.Description = code, ""
	if code == codes.Error {
		s.Description = description
	}
}

// End ends the span and hands it to the tracer's processors.
func (s *Span) End() {
	if !s.recorded {
		s.tracer.free(s)
		return
	}
	if s.ended {
		return
	}
	s.Duration = time.Since(s.Start)
	s.ended = true
	s.users.Store(int32(len(s.tracer.processors)))
	for _, p := range s.tracer.processors {
		p.OnEnd(s)
	}
}

// Release tells that a processor has no more use for the span. With the last
// one's word it is used for another span.
func (s *Span) Release() {
	if s.users.Add(-1) == 0 {
		s.tracer.free(s)
	}
}

// isOpen reports whether the span can be changed.
func (s *Span) isOpen() bool { return s.recorded && !s.ended }
