package otlp

import (
	"encoding/json"
	"math"
	"strconv"

	"go.opentelemetry.io/otel/attribute"

	"github.com/loquat-dev/loquat/internal/tracing/record"
)

// The JSON form of OTLP: camelCase names, identifiers in hexadecimal, and
// 64-bit numbers as strings.
// Source: opentelemetry.io/docs/specs/otlp, "JSON Protobuf Encoding".

type jsonObject map[string]any

func jsonRequest(from record.Source, spans []*record.Span) ([]byte, error) {
	list := make([]jsonObject, len(spans))
	for i, s := range spans {
		list[i] = jsonSpan(s)
	}
	return json.Marshal(jsonObject{"resourceSpans": []jsonObject{{
		"resource":   jsonObject{"attributes": jsonAttributes(from.Resource.Attributes())},
		"schemaUrl":  from.Resource.SchemaURL(),
		"scopeSpans": []jsonObject{{"scope": jsonObject{"name": from.Scope, "version": from.Version}, "spans": list}},
	}}})
}

func jsonSpan(s *record.Span) jsonObject {
	out := jsonObject{
		"traceId": s.Context.TraceID().String(), "spanId": s.Context.SpanID().String(), "traceState": s.Context.TraceState().String(),
		"name": s.Name, "kind": int(s.Kind), "flags": spanFlags(s.Context, s.Parent),
		"startTimeUnixNano": jsonInt(s.Start.UnixNano()), "endTimeUnixNano": jsonInt(s.EndTime().UnixNano()),
		"attributes": jsonAttributes(s.Attributes), "droppedAttributesCount": s.DroppedAttributes,
		"status": jsonObject{"code": statusCode(s.Status), "message": s.Description},
	}
	if s.Parent.SpanID().IsValid() {
		out["parentSpanId"] = s.Parent.SpanID().String()
	}
	var events, links []jsonObject
	for _, e := range s.Events {
		events = append(events, jsonObject{
			"timeUnixNano": jsonInt(e.Time.UnixNano()), "name": e.Name, "attributes": jsonAttributes(e.Attributes),
		})
	}
	for _, l := range s.Links {
		links = append(links, jsonObject{
			"traceId": l.SpanContext.TraceID().String(), "spanId": l.SpanContext.SpanID().String(),
			"traceState": l.SpanContext.TraceState().String(), "attributes": jsonAttributes(l.Attributes),
			"flags": spanFlags(l.SpanContext, l.SpanContext),
		})
	}
	out["events"], out["links"] = events, links
	return out
}

func jsonAttributes(attributes []attribute.KeyValue) []jsonObject {
	out := make([]jsonObject, len(attributes))
	for i, a := range attributes {
		out[i] = jsonObject{"key": string(a.Key), "value": jsonValue(a.Value)}
	}
	return out
}

func jsonValue(v attribute.Value) jsonObject {
	switch v.Type() {
	case attribute.BOOL:
		return jsonObject{"boolValue": v.AsBool()}
	case attribute.INT64:
		return jsonObject{"intValue": jsonInt(v.AsInt64())}
	case attribute.FLOAT64:
		return jsonObject{"doubleValue": jsonFloat(v.AsFloat64())}
	}
	if items, ok := elements(v); ok {
		values := make([]jsonObject, len(items))
		for i, item := range items {
			values[i] = jsonValue(item)
		}
		return jsonObject{"arrayValue": jsonObject{"values": values}}
	}
	return jsonObject{"stringValue": v.String()}
}

func jsonInt(n int64) string { return strconv.FormatInt(n, 10) }

// jsonFloat writes what JSON has no number for as protobuf's JSON does.
func jsonFloat(f float64) any {
	switch {
	case math.IsNaN(f):
		return "NaN"
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	default:
		return f
	}
}
