package jaeger_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/apache/thrift/lib/go/thrift"
	"github.com/google/go-cmp/cmp"
	"github.com/jaegertracing/jaeger-idl/thrift-gen/agent"
	thriftgen "github.com/jaegertracing/jaeger-idl/thrift-gen/jaeger"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/trace"
	"go.uber.org/goleak"

	"github.com/loquat-dev/loquat/internal/tracing/jaeger"
	"github.com/loquat-dev/loquat/internal/tracing/record"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	begin   = time.UnixMicro(1_700_000_000_123_456)
	traceID = trace.TraceID{0xff, 0, 0, 0, 0, 0, 0, 1, 0x80, 0, 0, 0, 0, 0, 0, 0}
	ownID   = trace.SpanID{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe}
)

func stub(name string, attributes ...attribute.KeyValue) *record.Span {
	return &record.Span{
		Name:    name,
		Context: trace.NewSpanContext(trace.SpanContextConfig{TraceID: traceID, SpanID: ownID, TraceFlags: 1}),
		Start:   begin, Duration: 42 * time.Microsecond, Attributes: attributes,
	}
}

var source = record.Source{
	Resource: resource.NewSchemaless(attribute.String("service.name", "rasa"), attribute.String("service.version", "1")),
	Scope:    "loquat", Version: "2",
}

// agentSocket is the socket of a Jaeger agent.
func agentSocket(t *testing.T) (*net.UDPConn, int) {
	t.Helper()
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetReadBuffer(4 << 20)
	return conn, conn.LocalAddr().(*net.UDPAddr).Port
}

// receive reads datagrams until want spans came, and decodes them with the
// official types.
func receive(t *testing.T, conn *net.UDPConn, format jaeger.Format, want int) (batches []*thriftgen.Batch, sizes []int) {
	t.Helper()
	got := 0
	for buffer := make([]byte, 70_000); got < want; {
		_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second))
		n, err := conn.Read(buffer)
		if err != nil {
			t.Fatalf("%d of %d spans came: %v", got, want, err)
		}
		memory := thrift.NewTMemoryBuffer()
		_, _ = memory.Write(buffer[:n])
		var protocol thrift.TProtocol = thrift.NewTCompactProtocolConf(memory, nil)
		if format == jaeger.Binary {
			protocol = thrift.NewTBinaryProtocolConf(memory, nil)
		}
		name, kind, _, err := protocol.ReadMessageBegin(t.Context())
		if err != nil || name != "emitBatch" || kind != thrift.ONEWAY {
			t.Fatalf("message %q of kind %v: %v", name, kind, err)
		}
		arguments := agent.NewAgentEmitBatchArgs()
		if err := arguments.Read(t.Context(), protocol); err != nil {
			t.Fatal(err)
		}
		batches, sizes = append(batches, arguments.Batch), append(sizes, n)
		got += len(arguments.Batch.Spans)
	}
	return batches, sizes
}

func newUDP(t *testing.T, port int, format jaeger.Format) *jaeger.UDPExporter {
	t.Helper()
	e := jaeger.NewUDP(jaeger.UDPSettings{Host: "127.0.0.1", Port: port, Format: format, Source: source})
	t.Cleanup(func() { _ = e.Shutdown(context.Background()) })
	return e
}

func TestSpanArrivesAsTheSpecificationMapsIt(t *testing.T) {
	s := stub("MessageProcessor._run_action",
		attribute.String("text", "ünï\x00🌶"), attribute.Bool("b", false), attribute.Int64("least", math.MinInt64),
		attribute.Float64("pi", math.Pi), attribute.StringSlice("list", []string{`a"`, "b"}))
	parent := trace.NewSpanContext(trace.SpanContextConfig{TraceID: traceID, SpanID: trace.SpanID{0, 0, 0, 0, 0, 0, 0, 5}})
	s.Parent, s.Kind = parent, trace.SpanKindClient
	s.Status, s.Description = codes.Error, "timed out"
	s.Events = []record.Event{{Name: "exception", Time: begin, Attributes: []attribute.KeyValue{attribute.String("exception.type", "timeout")}}}
	s.Links = []trace.Link{{SpanContext: parent}}
	s.DroppedAttributes = 3

	text := func(k, v string) *thriftgen.Tag {
		return &thriftgen.Tag{Key: k, VType: thriftgen.TagType_STRING, VStr: &v}
	}
	no, yes, least, three, pi := false, true, int64(math.MinInt64), int64(3), math.Pi
	want := &thriftgen.Batch{
		Process: &thriftgen.Process{ServiceName: "rasa", Tags: []*thriftgen.Tag{text("service.version", "1")}},
		Spans: []*thriftgen.Span{{
			TraceIdHigh: -0x00ffffffffffffff, TraceIdLow: math.MinInt64, SpanId: -2, ParentSpanId: 5,
			OperationName: "MessageProcessor._run_action", Flags: 1, StartTime: begin.UnixMicro(), Duration: 42,
			Tags: []*thriftgen.Tag{
				text("text", "ünï\x00🌶"), {Key: "b", VType: thriftgen.TagType_BOOL, VBool: &no},
				{Key: "least", VType: thriftgen.TagType_LONG, VLong: &least}, {Key: "pi", VType: thriftgen.TagType_DOUBLE, VDouble: &pi},
				text("list", `["a\"","b"]`), text("span.kind", "client"),
				text("otel.scope.name", "loquat"), text("otel.scope.version", "2"),
				text("otel.status_code", "ERROR"), {Key: "error", VType: thriftgen.TagType_BOOL, VBool: &yes}, text("otel.status_description", "timed out"),
				{Key: "otel.dropped_attributes_count", VType: thriftgen.TagType_LONG, VLong: &three},
			},
			Logs:       []*thriftgen.Log{{Timestamp: begin.UnixMicro(), Fields: []*thriftgen.Tag{text("event", "exception"), text("exception.type", "timeout")}}},
			References: []*thriftgen.SpanRef{{RefType: thriftgen.SpanRefType_FOLLOWS_FROM, TraceIdHigh: -0x00ffffffffffffff, TraceIdLow: math.MinInt64, SpanId: 5}},
		}},
	}
	for _, format := range []jaeger.Format{jaeger.Compact, jaeger.Binary} {
		conn, port := agentSocket(t)
		if err := newUDP(t, port, format).Export(t.Context(), []*record.Span{s}); err != nil {
			t.Fatal(err)
		}
		batches, _ := receive(t, conn, format, 1)
		if diff := cmp.Diff(want, batches[0]); diff != "" {
			t.Errorf("%s: batch differs (-want +got):\n%s", format, diff)
		}
	}
}

func TestLargeTraceIsSplitAndArrivesWhole(t *testing.T) {
	var spans []*record.Span
	for i := range 400 {
		spans = append(spans, stub("span "+strconv.Itoa(i), attribute.String("text", strings.Repeat("x", i*3))))
	}
	conn, port := agentSocket(t)
	if err := newUDP(t, port, jaeger.Compact).Export(t.Context(), spans); err != nil {
		t.Fatal(err)
	}
	batches, sizes := receive(t, conn, jaeger.Compact, len(spans))
	next := 0
	for i, b := range batches {
		if sizes[i] > 65_000 {
			t.Errorf("datagram %d has %d bytes", i, sizes[i])
		}
		for _, s := range b.Spans {
			if want := "span " + strconv.Itoa(next); s.OperationName != want {
				t.Fatalf("got %q, want %q", s.OperationName, want)
			}
			next++
		}
	}
	if len(batches) < 5 {
		t.Errorf("%d datagrams for about 280,000 bytes", len(batches))
	}
}

func TestOversizeSpanIsLeftOutAlone(t *testing.T) {
	conn, port := agentSocket(t)
	spans := []*record.Span{stub("first"), stub("huge", attribute.String("text", strings.Repeat("x", 65_000))), stub("last")}
	err := newUDP(t, port, jaeger.Compact).Export(t.Context(), spans)
	var lost interface{ LostSpans() int }
	if !errors.As(err, &lost) || lost.LostSpans() != 1 || !strings.Contains(err.Error(), `span "huge" was left out`) {
		t.Errorf("got %v", err)
	}
	batches, _ := receive(t, conn, jaeger.Compact, 2)
	var names []string
	for _, b := range batches {
		for _, s := range b.Spans {
			names = append(names, s.OperationName)
		}
	}
	if diff := cmp.Diff([]string{"first", "last"}, names); diff != "" {
		t.Error(diff)
	}
}

// TestSpanThatJustFits has a span whose bound is over the limit and whose true
// size is not.
func TestSpanThatJustFits(t *testing.T) {
	conn, port := agentSocket(t)
	spans := []*record.Span{stub("fits", attribute.String("text", strings.Repeat("x", 64_820)))}
	if err := newUDP(t, port, jaeger.Compact).Export(t.Context(), spans); err != nil {
		t.Fatal(err)
	}
	if _, sizes := receive(t, conn, jaeger.Compact, 1); sizes[0] > 65_000 {
		t.Errorf("the datagram has %d bytes", sizes[0])
	}
}

func TestAgentThatIsDownIsAnErrorAndNoMore(t *testing.T) {
	conn, port := agentSocket(t)
	_ = conn.Close()
	e := newUDP(t, port, jaeger.Compact)
	for range 3 {
		_ = e.Export(t.Context(), []*record.Span{stub("a")})
	}
	if err := jaeger.NewUDP(jaeger.UDPSettings{Host: "no-such-host.invalid", Port: 1, Source: source}).Export(t.Context(), []*record.Span{stub("a")}); err == nil {
		t.Error("a host that doesn't exist gave no error")
	}
}

func TestBatchOverHTTP(t *testing.T) {
	var got thriftgen.Batch
	var user, password, path, kind string
	status := http.StatusAccepted
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, _ = r.BasicAuth()
		path, kind = r.URL.Path, r.Header.Get("Content-Type")
		body, _ := io.ReadAll(r.Body)
		if err := thrift.NewTDeserializer().Read(r.Context(), &got, bytes.Clone(body)); err != nil {
			t.Error(err)
		}
		w.WriteHeader(status)
	}))
	defer s.Close()
	e, err := jaeger.NewHTTP(jaeger.HTTPSettings{Endpoint: s.URL, Username: "ann", Password: "pw", Source: source})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = e.Shutdown(context.Background()) }()
	spans := []*record.Span{stub("a"), stub("b")}
	if err := e.Export(t.Context(), spans); err != nil {
		t.Fatal(err)
	}
	if user != "ann" || password != "pw" || path != "/api/traces" || kind != "application/x-thrift" || len(got.Spans) != 2 {
		t.Errorf("user %q, password %q, path %q, content type %q, %d spans", user, password, path, kind, len(got.Spans))
	}
	for code, again := range map[int]bool{http.StatusServiceUnavailable: true, http.StatusUnauthorized: false} {
		status = code
		err := e.Export(t.Context(), spans)
		var r interface{ Retryable() (time.Duration, bool) }
		if err == nil || errors.As(err, &r) != again {
			t.Errorf("%d: %v", code, err)
		}
	}
}
