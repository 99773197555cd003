package otlp_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/trace"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	respb "go.opentelemetry.io/proto/otlp/resource/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/loquat-dev/loquat/internal/tracing/otlp"
	"github.com/loquat-dev/loquat/internal/tracing/record"
)

var (
	begin   = time.Unix(1_700_000_000, 123_456_789)
	traceID = trace.TraceID{0xff, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}
	ownID   = trace.SpanID{0xfe, 2, 3, 4, 5, 6, 7, 8}
	rootID  = trace.SpanID{1, 1, 1, 1, 1, 1, 1, 1}
	longTxt = strings.Repeat("an answer with ünïcödé ", 2000)
)

// everySort is a span in which every field is used.
func everySort() *record.Span {
	state, _ := trace.ParseTraceState("vendor=1")
	own := trace.NewSpanContext(trace.SpanContextConfig{TraceID: traceID, SpanID: ownID, TraceFlags: 1, TraceState: state})
	parent := trace.NewSpanContext(trace.SpanContextConfig{TraceID: traceID, SpanID: rootID, TraceFlags: 1, Remote: true})
	return &record.Span{
		Name: "POST /webhooks/rest/webhook", Context: own, Parent: parent, Kind: trace.SpanKindServer,
		Start: begin, Duration: 1500 * time.Microsecond,
		Attributes: []attribute.KeyValue{
			attribute.String("text", longTxt), attribute.String("empty", ""), attribute.Bool("no", false), attribute.Bool("yes", true),
			attribute.Int64("least", math.MinInt64), attribute.Int("zero", 0), attribute.Float64("pi", math.Pi),
			attribute.StringSlice("list", []string{"a", ""}), attribute.Int64Slice("ints", []int64{-1, 0}),
			attribute.BoolSlice("bools", []bool{true, false}), attribute.Float64Slice("floats", []float64{0, 1.5}),
		},
		Events: []record.Event{{Name: "exception", Time: begin, Attributes: []attribute.KeyValue{attribute.String("exception.type", "x")}}},
		Links:  []trace.Link{{SpanContext: parent, Attributes: []attribute.KeyValue{attribute.Int("n", 1)}}},
		Status: codes.Error, Description: "timed out", DroppedAttributes: 3,
	}
}

var source = record.Source{
	Resource: resource.NewWithAttributes("https://schema", attribute.String("service.name", "rasa")),
	Scope:    "loquat", Version: "1",
}

func TestSpanArrivesWithEveryField(t *testing.T) {
	second := everySort()
	second.Parent, second.Status, second.Events, second.Links = trace.SpanContext{}, codes.Unset, nil, nil
	second.Attributes, second.DroppedAttributes = nil, 0

	backend, address := serveGRPC(t, nil)
	e := newExporter(t, otlp.Settings{Endpoint: address, Protocol: otlp.GRPC})
	if err := e.Export(t.Context(), []*record.Span{everySort(), second}); err != nil {
		t.Fatal(err)
	}
	text := func(s string) *common.AnyValue {
		return &common.AnyValue{Value: &common.AnyValue_StringValue{StringValue: s}}
	}
	number := func(n int64) *common.AnyValue {
		return &common.AnyValue{Value: &common.AnyValue_IntValue{IntValue: n}}
	}
	flag := func(b bool) *common.AnyValue {
		return &common.AnyValue{Value: &common.AnyValue_BoolValue{BoolValue: b}}
	}
	double := func(f float64) *common.AnyValue {
		return &common.AnyValue{Value: &common.AnyValue_DoubleValue{DoubleValue: f}}
	}
	list := func(values ...*common.AnyValue) *common.AnyValue {
		return &common.AnyValue{Value: &common.AnyValue_ArrayValue{ArrayValue: &common.ArrayValue{Values: values}}}
	}
	kv := func(k string, v *common.AnyValue) *common.KeyValue { return &common.KeyValue{Key: k, Value: v} }
	nano := uint64(begin.UnixNano())
	want := &collector.ExportTraceServiceRequest{ResourceSpans: []*tracepb.ResourceSpans{{
		Resource:  &respb.Resource{Attributes: []*common.KeyValue{kv("service.name", text("rasa"))}},
		SchemaUrl: "https://schema",
		ScopeSpans: []*tracepb.ScopeSpans{{Scope: &common.InstrumentationScope{Name: "loquat", Version: "1"}, Spans: []*tracepb.Span{
			{
				TraceId: traceID[:], SpanId: ownID[:], ParentSpanId: rootID[:], TraceState: "vendor=1", Flags: 0x301,
				Name: "POST /webhooks/rest/webhook", Kind: tracepb.Span_SPAN_KIND_SERVER,
				StartTimeUnixNano: nano, EndTimeUnixNano: nano + 1_500_000,
				Attributes: []*common.KeyValue{
					kv("text", text(longTxt)), kv("empty", text("")), kv("no", flag(false)), kv("yes", flag(true)),
					kv("least", number(math.MinInt64)), kv("zero", number(0)), kv("pi", double(math.Pi)),
					kv("list", list(text("a"), text(""))), kv("ints", list(number(-1), number(0))),
					kv("bools", list(flag(true), flag(false))), kv("floats", list(double(0), double(1.5))),
				},
				Events:                 []*tracepb.Span_Event{{TimeUnixNano: nano, Name: "exception", Attributes: []*common.KeyValue{kv("exception.type", text("x"))}}},
				Links:                  []*tracepb.Span_Link{{TraceId: traceID[:], SpanId: rootID[:], Flags: 0x301, Attributes: []*common.KeyValue{kv("n", number(1))}}},
				Status:                 &tracepb.Status{Code: tracepb.Status_STATUS_CODE_ERROR, Message: "timed out"},
				DroppedAttributesCount: 3,
			},
			{
				TraceId: traceID[:], SpanId: ownID[:], TraceState: "vendor=1", Flags: 0x101,
				Name: "POST /webhooks/rest/webhook", Kind: tracepb.Span_SPAN_KIND_SERVER,
				StartTimeUnixNano: nano, EndTimeUnixNano: nano + 1_500_000,
			},
		}}},
	}}}
	if diff := cmp.Diff(want, backend.requests[0], protocmp.Transform()); diff != "" {
		t.Errorf("request differs (-want +got):\n%s", diff)
	}
}
