package jaeger

import (
	"encoding/binary"
	"encoding/json"
	"time"

	thriftgen "github.com/jaegertracing/jaeger-idl/thrift-gen/jaeger"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// unknownService is the name of a process whose resource doesn't tell it.
const unknownService = "unknown_service"

// processOf maps a resource: service.name names the process, everything else
// becomes a tag of it.
func processOf(r *resource.Resource) *thriftgen.Process {
	p := &thriftgen.Process{ServiceName: unknownService}
	for it := r.Iter(); it.Next(); {
		if a := it.Attribute(); a.Key == "service.name" {
			p.ServiceName = a.Value.Emit()
		} else {
			p.Tags = append(p.Tags, tag(a))
		}
	}
	return p
}

// spanOf maps a span as "OpenTelemetry to Jaeger Transformation" of the
// OpenTelemetry specification says. Rasa's exporter does it in another way in
// three points, which Jaeger's pages show less well: it repeats the resource on
// every span, calls the name of an event "message", and tags internal spans.
func spanOf(s sdktrace.ReadOnlySpan) *thriftgen.Span {
	own := s.SpanContext()
	high, low := splitTraceID(own.TraceID())
	out := &thriftgen.Span{
		TraceIdHigh: high, TraceIdLow: low,
		SpanId: spanID(own.SpanID()), ParentSpanId: spanID(s.Parent().SpanID()),
		OperationName: s.Name(), Flags: int32(own.TraceFlags()),
		StartTime: micros(s.StartTime()), Duration: s.EndTime().Sub(s.StartTime()).Microseconds(),
		Tags: tagsOf(s),
	}
	for _, e := range s.Events() {
		fields := []*thriftgen.Tag{stringTag("event", e.Name)}
		for _, a := range e.Attributes {
			fields = append(fields, tag(a))
		}
		fields = appendCount(fields, "otel.event.dropped_attributes_count", e.DroppedAttributeCount)
		out.Logs = append(out.Logs, &thriftgen.Log{Timestamp: micros(e.Time), Fields: fields})
	}
	for _, l := range s.Links() {
		high, low := splitTraceID(l.SpanContext.TraceID())
		out.References = append(out.References, &thriftgen.SpanRef{
			RefType: thriftgen.SpanRefType_FOLLOWS_FROM, TraceIdHigh: high, TraceIdLow: low,
			SpanId: spanID(l.SpanContext.SpanID()),
		})
	}
	return out
}

func tagsOf(s sdktrace.ReadOnlySpan) []*thriftgen.Tag {
	attributes, scope := s.Attributes(), s.InstrumentationScope()
	tags := make([]*thriftgen.Tag, 0, len(attributes)+4)
	for _, a := range attributes {
		tags = append(tags, tag(a))
	}
	if kind := s.SpanKind(); kind != trace.SpanKindInternal && kind != trace.SpanKindUnspecified {
		tags = append(tags, stringTag("span.kind", kind.String()))
	}
	if scope.Name != "" {
		tags = append(tags, stringTag("otel.scope.name", scope.Name))
	}
	if scope.Version != "" {
		tags = append(tags, stringTag("otel.scope.version", scope.Version))
	}
	switch s.Status().Code {
	case codes.Ok:
		tags = append(tags, stringTag("otel.status_code", "OK"))
	case codes.Error:
		tags = append(tags, stringTag("otel.status_code", "ERROR"), boolTag("error", true))
		if d := s.Status().Description; d != "" {
			tags = append(tags, stringTag("otel.status_description", d))
		}
	}
	tags = appendCount(tags, "otel.dropped_attributes_count", s.DroppedAttributes())
	tags = appendCount(tags, "otel.dropped_events_count", s.DroppedEvents())
	return appendCount(tags, "otel.dropped_links_count", s.DroppedLinks())
}

func tag(a attribute.KeyValue) *thriftgen.Tag {
	key := string(a.Key)
	switch a.Value.Type() {
	case attribute.BOOL:
		return boolTag(key, a.Value.AsBool())
	case attribute.INT64:
		return longTag(key, a.Value.AsInt64())
	case attribute.FLOAT64:
		v := a.Value.AsFloat64()
		return &thriftgen.Tag{Key: key, VType: thriftgen.TagType_DOUBLE, VDouble: &v}
	case attribute.STRING:
		return stringTag(key, a.Value.AsString())
	case attribute.STRINGSLICE, attribute.BOOLSLICE, attribute.INT64SLICE, attribute.FLOAT64SLICE:
		if text, err := json.Marshal(a.Value.AsInterface()); err == nil {
			return stringTag(key, string(text))
		}
	}
	return stringTag(key, a.Value.Emit())
}

func stringTag(key, v string) *thriftgen.Tag {
	return &thriftgen.Tag{Key: key, VType: thriftgen.TagType_STRING, VStr: &v}
}

func boolTag(key string, v bool) *thriftgen.Tag {
	return &thriftgen.Tag{Key: key, VType: thriftgen.TagType_BOOL, VBool: &v}
}

func longTag(key string, v int64) *thriftgen.Tag {
	return &thriftgen.Tag{Key: key, VType: thriftgen.TagType_LONG, VLong: &v}
}

func appendCount(tags []*thriftgen.Tag, key string, n int) []*thriftgen.Tag {
	if n > 0 {
		tags = append(tags, longTag(key, int64(n)))
	}
	return tags
}

func splitTraceID(id trace.TraceID) (high, low int64) {
	return int64(binary.BigEndian.Uint64(id[:8])), int64(binary.BigEndian.Uint64(id[8:]))
}

// spanID is 0 for the parent of a root span.
func spanID(id trace.SpanID) int64 { return int64(binary.BigEndian.Uint64(id[:])) }

func micros(t time.Time) int64 { return t.UnixNano() / int64(time.Microsecond) }
