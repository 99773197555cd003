package otlp

import (
	"encoding/binary"
	"math"
	"runtime"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/loquat-dev/loquat/internal/tracing/record"
)

// The flags field of a span carries, besides the W3C flags, whether the parent
// is known to be remote.
const (
	flagRemoteKnown = 0x100
	flagRemote      = 0x200
)

// yieldEvery is after how many spans the encoder lets turns go first. On a machine
// with one processor a full batch would hold them up for half a millisecond.
const yieldEvery = 32

// appendRequest appends an ExportTraceServiceRequest with the spans to b.
//
// It writes the wire format of opentelemetry/proto/trace/v1/trace.proto
// straight from the spans. Going through the generated message types, as the
// exporters of the SDK do, costs about five times as much processor time for
// each span, which is most of what a span may cost. The tests decode what is
// written here with those generated types.
func appendRequest(b []byte, from record.Source, spans []*record.Span) []byte {
	b, request := open(b, 1)  // resource_spans
	b, resource := open(b, 1) // resource
	for it := from.Resource.Iter(); it.Next(); {
		b = appendAttribute(b, 1, it.Attribute())
	}
	b = shut(b, resource)
	b, group := open(b, 2) // scope_spans
	b, scope := open(b, 1)
	b = appendString(b, 1, from.Scope)
	b = appendString(b, 2, from.Version)
	b = shut(b, scope)
	for i, s := range spans {
		if b = appendSpan(b, s); i%yieldEvery == yieldEvery-1 {
			runtime.Gosched()
		}
	}
	b = shut(b, group)
	b = appendString(b, 3, from.Resource.SchemaURL())
	return shut(b, request)
}

func appendSpan(b []byte, s *record.Span) []byte {
	b, span := open(b, 2)
	own, parent := s.Context, s.Parent
	traceID, spanID := own.TraceID(), own.SpanID()
	b = appendBytes(b, 1, traceID[:])
	b = appendBytes(b, 2, spanID[:])
	if own.TraceState().Len() > 0 {
		b = appendString(b, 3, own.TraceState().String())
	}
	if parent.SpanID().IsValid() {
		parentID := parent.SpanID()
		b = appendBytes(b, 4, parentID[:])
	}
	b = appendString(b, 5, s.Name)
	b = appendVarint(b, 6, uint64(s.Kind)) // the numbers of the SDK and of the protocol agree
	start := s.Start.UnixNano()
	b = appendFixed64(b, 7, uint64(start))
	b = appendFixed64(b, 8, uint64(start+int64(s.Duration)))
	for _, a := range s.Attributes {
		b = appendAttribute(b, 9, a)
	}
	b = appendVarint(b, 10, uint64(s.DroppedAttributes))
	for i := range s.Events {
		b = appendEvent(b, &s.Events[i])
	}
	for i := range s.Links {
		b = appendLink(b, &s.Links[i])
	}
	b = appendStatus(b, s)
	return shut(appendFixed32(b, 16, spanFlags(own, parent)), span)
}

func appendEvent(b []byte, e *record.Event) []byte {
	b, at := open(b, 11)
	b = appendFixed64(b, 1, uint64(e.Time.UnixNano()))
	b = appendString(b, 2, e.Name)
	for _, a := range e.Attributes {
		b = appendAttribute(b, 3, a)
	}
	return shut(b, at)
}

func appendLink(b []byte, l *trace.Link) []byte {
	b, at := open(b, 13)
	traceID, spanID := l.SpanContext.TraceID(), l.SpanContext.SpanID()
	b = appendBytes(b, 1, traceID[:])
	b = appendBytes(b, 2, spanID[:])
	b = appendString(b, 3, l.SpanContext.TraceState().String())
	for _, a := range l.Attributes {
		b = appendAttribute(b, 4, a)
	}
	return shut(appendFixed32(b, 6, spanFlags(l.SpanContext, l.SpanContext)), at)
}

func appendStatus(b []byte, s *record.Span) []byte {
	if s.Status == codes.Unset {
		return b
	}
	b, at := open(b, 15)
	b = appendString(b, 2, s.Description)
	return shut(appendVarint(b, 3, uint64(statusCode(s.Status))), at)
}

// statusCode gives the number of the protocol, where OK is 1 and ERROR is 2.
func statusCode(c codes.Code) int {
	switch c {
	case codes.Ok:
		return 1
	case codes.Error:
		return 2
	default:
		return 0
	}
}

func spanFlags(own, parent trace.SpanContext) uint32 {
	flags := uint32(own.TraceFlags()) | flagRemoteKnown
	if parent.IsRemote() {
		flags |= flagRemote
	}
	return flags
}

func appendAttribute(b []byte, field protowire.Number, a attribute.KeyValue) []byte {
	if a.Value.Type() == attribute.STRING {
		return appendText(b, field, string(a.Key), a.Value.AsString())
	}
	b, at := open(b, field)
	b = appendString(b, 1, string(a.Key))
	b = appendValue(b, 2, a.Value)
	return shut(b, at)
}

// appendText is appendAttribute for a text, which most attributes are: all
// lengths are known, so nothing has to be moved.
func appendText(b []byte, field protowire.Number, key, text string) []byte {
	const tag = 1 // byte; the fields have small numbers
	value := tag + protowire.SizeBytes(len(text))
	b = protowire.AppendTag(b, field, protowire.BytesType)
	b = protowire.AppendVarint(b, uint64(tag+protowire.SizeBytes(len(key))+tag+protowire.SizeBytes(value)))
	b = protowire.AppendTag(b, 1, protowire.BytesType) // key
	b = protowire.AppendString(b, key)
	b = protowire.AppendTag(b, 2, protowire.BytesType) // value
	b = protowire.AppendVarint(b, uint64(value))
	b = protowire.AppendTag(b, 1, protowire.BytesType) // string_value
	return protowire.AppendString(b, text)
}

func appendValue(b []byte, field protowire.Number, v attribute.Value) []byte {
	b, at := open(b, field)
	switch v.Type() {
	case attribute.STRING:
		b = appendBytes(b, 1, []byte(v.AsString()))
	case attribute.BOOL:
		b = protowire.AppendTag(b, 2, protowire.VarintType)
		b = protowire.AppendVarint(b, protowire.EncodeBool(v.AsBool()))
	case attribute.INT64:
		b = protowire.AppendTag(b, 3, protowire.VarintType)
		b = protowire.AppendVarint(b, uint64(v.AsInt64()))
	case attribute.FLOAT64:
		b = protowire.AppendTag(b, 4, protowire.Fixed64Type)
		b = protowire.AppendFixed64(b, math.Float64bits(v.AsFloat64()))
	default:
		if items, ok := elements(v); ok {
			b = appendList(b, items)
		} else {
			b = appendBytes(b, 1, []byte(v.String()))
		}
	}
	return shut(b, at)
}

func appendList(b []byte, items []attribute.Value) []byte {
	b, at := open(b, 5) // array_value
	for _, item := range items {
		b = appendValue(b, 1, item)
	}
	return shut(b, at)
}

// elements splits a list into its values.
func elements(v attribute.Value) ([]attribute.Value, bool) {
	var out []attribute.Value
	switch v.Type() {
	case attribute.STRINGSLICE:
		for _, x := range v.AsStringSlice() {
			out = append(out, attribute.StringValue(x))
		}
	case attribute.BOOLSLICE:
		for _, x := range v.AsBoolSlice() {
			out = append(out, attribute.BoolValue(x))
		}
	case attribute.INT64SLICE:
		for _, x := range v.AsInt64Slice() {
			out = append(out, attribute.Int64Value(x))
		}
	case attribute.FLOAT64SLICE:
		for _, x := range v.AsFloat64Slice() {
			out = append(out, attribute.Float64Value(x))
		}
	default:
		return nil, false
	}
	return out, true
}

// open starts a nested message. Its length is not known yet: one byte is set
// aside, and shut makes room when the message turns out to be longer than that
// can say.
func open(b []byte, field protowire.Number) ([]byte, int) {
	b = protowire.AppendTag(b, field, protowire.BytesType)
	return append(b, 0), len(b)
}

func shut(b []byte, at int) []byte {
	length := len(b) - at - 1
	if length < 0x80 {
		b[at] = byte(length)
		return b
	}
	extra := protowire.SizeVarint(uint64(length)) - 1
	b = append(b, make([]byte, extra)...)
	copy(b[at+1+extra:], b[at+1:at+1+length])
	binary.PutUvarint(b[at:], uint64(length))
	return b
}

func appendString(b []byte, field protowire.Number, s string) []byte {
	if s == "" {
		return b
	}
	b = protowire.AppendTag(b, field, protowire.BytesType)
	return protowire.AppendString(b, s)
}

func appendBytes(b []byte, field protowire.Number, v []byte) []byte {
	b = protowire.AppendTag(b, field, protowire.BytesType)
	return protowire.AppendBytes(b, v)
}

func appendVarint(b []byte, field protowire.Number, v uint64) []byte {
	if v == 0 {
		return b
	}
	b = protowire.AppendTag(b, field, protowire.VarintType)
	return protowire.AppendVarint(b, v)
}

func appendFixed32(b []byte, field protowire.Number, v uint32) []byte {
	b = protowire.AppendTag(b, field, protowire.Fixed32Type)
	return protowire.AppendFixed32(b, v)
}

func appendFixed64(b []byte, field protowire.Number, v uint64) []byte {
	b = protowire.AppendTag(b, field, protowire.Fixed64Type)
	return protowire.AppendFixed64(b, v)
}
