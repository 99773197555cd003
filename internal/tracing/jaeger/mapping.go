package jaeger

import (
	"encoding/binary"
	"time"

	thriftgen "github.com/jaegertracing/jaeger-idl/thrift-gen/jaeger"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/trace"

	"github.com/loquat-dev/loquat/internal/tracing/record"
)

// unknownService is the name of a process whose resource doesn't tell it.
const unknownService = "unknown_service"

// processOf maps a resource: service.name names the process, everything else
// becomes a tag of it.
func processOf(r *resource.Resource) *thriftgen.Process {
	p := &thriftgen.Process{ServiceName: unknownService}
	for it := r.Iter(); it.Next(); {
		if a := it.Attribute(); a.Key == "service.name" {
			p.ServiceName = a.Value.String()
		} else {
			t := tag(a)
			p.Tags = append(p.Tags, &t)
		}
	}
	return p
}

// errorTag marks a failed span for Jaeger's pages.
var errorTag = &thriftgen.Tag{Key: "error", VType: thriftgen.TagType_BOOL, VBool: new(true)}

// scopeTags name the instrumentation on every span.
func scopeTags(s record.Source) (tags []*thriftgen.Tag) {
	if s.Scope != "" {
		tags = append(tags, stringTag("otel.scope.name", s.Scope))
	}
	if s.Version != "" {
		tags = append(tags, stringTag("otel.scope.version", s.Version))
	}
	return tags
}

// spanOf maps a span as "OpenTelemetry to Jaeger Transformation" of the
// OpenTelemetry specification says. Rasa's exporter does it in another way in
// three points, which Jaeger's pages show less well: it repeats the resource on
// every span, calls the name of an event "message", and tags internal spans.
func spanOf(s *record.Span, scope []*thriftgen.Tag) *thriftgen.Span {
	own := s.Context
	high, low := splitTraceID(own.TraceID())
	out := &thriftgen.Span{
		TraceIdHigh: high, TraceIdLow: low,
		SpanId: spanID(own.SpanID()), ParentSpanId: spanID(s.Parent.SpanID()),
		OperationName: s.Name, Flags: int32(own.TraceFlags()),
		StartTime: micros(s.Start), Duration: s.Duration.Microseconds(),
		Tags: tagsOf(s, scope),
	}
	for _, e := range s.Events {
		fields := []*thriftgen.Tag{stringTag("event", e.Name)}
		for _, a := range e.Attributes {
			t := tag(a)
			fields = append(fields, &t)
		}
		out.Logs = append(out.Logs, &thriftgen.Log{Timestamp: micros(e.Time), Fields: fields})
	}
	for _, l := range s.Links {
		high, low := splitTraceID(l.SpanContext.TraceID())
		out.References = append(out.References, &thriftgen.SpanRef{
			RefType: thriftgen.SpanRefType_FOLLOWS_FROM, TraceIdHigh: high, TraceIdLow: low,
			SpanId: spanID(l.SpanContext.SpanID()),
		})
	}
	return out
}

func tagsOf(s *record.Span, scope []*thriftgen.Tag) []*thriftgen.Tag {
	tags := make([]*thriftgen.Tag, 0, len(s.Attributes)+len(scope)+4)
	slab := make([]thriftgen.Tag, len(s.Attributes)) // one allocation for all
	for i := range s.Attributes {
		slab[i] = tag(s.Attributes[i])
		tags = append(tags, &slab[i])
	}
	if s.Kind != trace.SpanKindInternal && s.Kind != trace.SpanKindUnspecified {
		tags = append(tags, stringTag("span.kind", s.Kind.String()))
	}
	tags = append(tags, scope...)
	switch s.Status {
	case codes.Ok:
		tags = append(tags, stringTag("otel.status_code", "OK"))
	case codes.Error:
		tags = append(tags, stringTag("otel.status_code", "ERROR"), errorTag)
		if d := s.Description; d != "" {
			tags = append(tags, stringTag("otel.status_description", d))
		}
	}
	if s.DroppedAttributes > 0 {
		t := tag(attribute.Int("otel.dropped_attributes_count", s.DroppedAttributes))
		tags = append(tags, &t)
	}
	return tags
}

func tag(a attribute.KeyValue) thriftgen.Tag {
	key := string(a.Key)
	switch a.Value.Type() {
	case attribute.BOOL:
		v := a.Value.AsBool()
		return thriftgen.Tag{Key: key, VType: thriftgen.TagType_BOOL, VBool: &v}
	case attribute.INT64:
		v := a.Value.AsInt64()
		return thriftgen.Tag{Key: key, VType: thriftgen.TagType_LONG, VLong: &v}
	case attribute.FLOAT64:
		v := a.Value.AsFloat64()
		return thriftgen.Tag{Key: key, VType: thriftgen.TagType_DOUBLE, VDouble: &v}
	}
	v := a.Value.String() // a list becomes JSON
	return thriftgen.Tag{Key: key, VType: thriftgen.TagType_STRING, VStr: &v}
}

func stringTag(key, v string) *thriftgen.Tag {
	t := tag(attribute.String(key, v))
	return &t
}

func splitTraceID(id trace.TraceID) (high, low int64) {
	return int64(binary.BigEndian.Uint64(id[:8])), int64(binary.BigEndian.Uint64(id[8:]))
}

// spanID is 0 for the parent of a root span.
func spanID(id trace.SpanID) int64 { return int64(binary.BigEndian.Uint64(id[:])) }

func micros(t time.Time) int64 { return t.UnixNano() / int64(time.Microsecond) }
