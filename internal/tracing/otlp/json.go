package otlp

import (
	"encoding/json"
	"math"
	"strconv"

	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// The JSON form of OTLP: camelCase names, identifiers in hexadecimal, and
// 64-bit numbers as strings.
// Source: opentelemetry.io/docs/specs/otlp, "JSON Protobuf Encoding".

type jsonObject map[string]any

func jsonRequest(spans []sdktrace.ReadOnlySpan) ([]byte, error) {
	var scopeSpans []jsonObject
	for _, scope := range scopesOf(spans) {
		var list []jsonObject
		for _, s := range spans {
			if s.InstrumentationScope() == scope {
				list = append(list, jsonSpan(s))
			}
		}
		scopeSpans = append(scopeSpans, jsonObject{
			"scope": jsonObject{"name": scope.Name, "version": scope.Version, "attributes": jsonAttributes(scope.Attributes.ToSlice())},
			"spans": list, "schemaUrl": scope.SchemaURL,
		})
	}
	resource := spans[0].Resource()
	return json.Marshal(jsonObject{"resourceSpans": []jsonObject{{
		"resource":   jsonObject{"attributes": jsonAttributes(resource.Attributes())},
		"scopeSpans": scopeSpans, "schemaUrl": resource.SchemaURL(),
	}}})
}

func jsonSpan(s sdktrace.ReadOnlySpan) jsonObject {
	own, parent := s.SpanContext(), s.Parent()
	out := jsonObject{
		"traceId": own.TraceID().String(), "spanId": own.SpanID().String(), "traceState": own.TraceState().String(),
		"name": s.Name(), "kind": int(s.SpanKind()), "flags": spanFlags(own, parent),
		"startTimeUnixNano": jsonInt(s.StartTime().UnixNano()), "endTimeUnixNano": jsonInt(s.EndTime().UnixNano()),
		"attributes": jsonAttributes(s.Attributes()), "droppedAttributesCount": s.DroppedAttributes(),
		"droppedEventsCount": s.DroppedEvents(), "droppedLinksCount": s.DroppedLinks(),
		"status": jsonObject{"code": statusCode(s.Status().Code), "message": s.Status().Description},
	}
	if parent.SpanID().IsValid() {
		out["parentSpanId"] = parent.SpanID().String()
	}
	var events, links []jsonObject
	for _, e := range s.Events() {
		events = append(events, jsonObject{
			"timeUnixNano": jsonInt(e.Time.UnixNano()), "name": e.Name,
			"attributes": jsonAttributes(e.Attributes), "droppedAttributesCount": e.DroppedAttributeCount,
		})
	}
	for _, l := range s.Links() {
		links = append(links, jsonObject{
			"traceId": l.SpanContext.TraceID().String(), "spanId": l.SpanContext.SpanID().String(),
			"traceState": l.SpanContext.TraceState().String(), "attributes": jsonAttributes(l.Attributes),
			"droppedAttributesCount": l.DroppedAttributeCount, "flags": spanFlags(l.SpanContext, l.SpanContext),
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
	return jsonObject{"stringValue": v.Emit()}
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
