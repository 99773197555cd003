package viewer_test

import (
	"bytes"
	"context"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
	"go.uber.org/goleak"

	"github.com/loquat-dev/loquat/internal/tracing/record"
	"github.com/loquat-dev/loquat/internal/tracing/viewer"
)

var update = flag.Bool("update", false, "write the expected trees")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var begin = time.Unix(1_700_000_000, 0)

// span makes a finished span. from and to are microseconds after begin.
func span(traceNumber, id, parent byte, name string, from, to int, attributes ...attribute.KeyValue) *record.Span {
	s := &record.Span{
		Name:    name,
		Context: trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{15: traceNumber}, SpanID: trace.SpanID{7: id}, TraceFlags: 1}),
		Start:   begin.Add(time.Duration(from) * time.Microsecond), Duration: time.Duration(to-from) * time.Microsecond,
		Attributes: attributes,
	}
	if parent > 0 {
		s.Parent = trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{15: traceNumber}, SpanID: trace.SpanID{7: parent}})
	}
	return s
}

// turn is a turn in the order in which its spans end.
func turn() []*record.Span {
	str := attribute.String
	request := span(1, 8, 7, "EndpointConfig.request", 4200, 7900, str("url", "http://localhost:5055/webhook"), attribute.Int("http.response.status_code", 500))
	request.Kind = trace.SpanKindClient
	request.Status, request.Description = codes.Error, "Internal Server Error"
	action := span(1, 7, 5, "MessageProcessor._run_action", 4100, 8000, str("action_name", "action_weather"), str("sender_id", "alice"), str("message_id", "9f86d081884c7d659a2feaa0c55ad015"), str("events", "None"))
	action.Kind = trace.SpanKindClient
	root := span(1, 1, 0, "POST /webhooks/rest/webhook", 0, 8400, str("http.request.method", "POST"), attribute.Int("http.response.status_code", 200))
	root.Kind = trace.SpanKindServer
	root.Parent = trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{15: 1}, SpanID: trace.SpanID{7: 99}, Remote: true})
	return []*record.Span{
		span(1, 3, 2, "InMemoryLockStore.lock", 200, 201, str("lock_store_class", "InMemoryLockStore")),
		span(1, 6, 4, "GraphNode.DIETClassifier", 1000, 4000, str("node_name", "run_DIETClassifier5"), str("component_class", "DIETClassifier"), str("fn_name", "process")),
		span(1, 4, 2, "MessageProcessor.log_message", 300, 4050),
		request, action,
		span(1, 5, 2, "MessageProcessor._run_prediction_loop", 4060, 8100),
		span(1, 2, 1, "Agent.handle_message", 100, 8350, str("input_channel", "rest"), str("sender_id", "alice"), str("model_name", "20261121-080305-old gold.tar.gz")),
		root,
	}
}

func show(t *testing.T, v *viewer.Viewer, spans []*record.Span) {
	t.Helper()
	for _, s := range spans {
		v.OnEnd(s)
	}
	if err := v.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestTreeLooksAsRecorded(t *testing.T) {
	for name, options := range map[string]viewer.Options{
		"plain.txt":  {},
		"narrow.txt": {Width: 100},
		"color.txt":  {Width: 200, Color: true},
	} {
		var out bytes.Buffer
		v := viewer.New(&out, options)
		show(t, v, turn())
		_ = v.Shutdown(t.Context())
		file := filepath.Join("testdata", name)
		if *update {
			if err := os.WriteFile(file, out.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), out.String()); diff != "" {
			t.Errorf("%s differs (-want +got):\n%s", file, diff)
		}
	}
}

func TestValuesCannotSteerTheTerminal(t *testing.T) {
	var out bytes.Buffer
	v := viewer.New(&out, viewer.Options{Color: false})
	show(t, v, []*record.Span{span(1, 1, 0, "evil\x1b[2J", 0, 10,
		attribute.String("sender_id", "\x1b]0;owned\x07\u202egnp\u200b\nnext line"), attribute.String("empty", ""))})
	_ = v.Shutdown(t.Context())
	for _, forbidden := range []string{"\x1b", "\x07", "\u202e", "\u200b", "\nnext"} {
		if strings.Contains(out.String(), forbidden) {
			t.Errorf("%q reached the terminal", forbidden)
		}
	}
	if !strings.Contains(out.String(), `empty=""`) {
		t.Errorf("an empty value is not visible:\n%s", out.String())
	}
}

func TestLastTurnsAreKept(t *testing.T) {
	var out bytes.Buffer
	v := viewer.New(&out, viewer.Options{Keep: 2})
	for n := byte(1); n <= 5; n++ {
		show(t, v, []*record.Span{span(n, 1, 0, "turn", 0, 10)})
	}
	_ = v.Shutdown(t.Context())
	turns := v.Turns()
	if len(turns) != 2 || turns[0].Number != 4 || turns[1].Number != 5 {
		t.Errorf("kept %+v", turns)
	}
}

func TestTwoRootsOfOneTraceAreTwoTurns(t *testing.T) {
	var out bytes.Buffer
	v := viewer.New(&out, viewer.Options{})
	show(t, v, []*record.Span{
		span(1, 11, 1, "first child", 0, 10), span(1, 12, 2, "second child", 0, 10),
		span(1, 1, 0, "first", 0, 20), span(1, 2, 0, "second", 0, 20),
	})
	_ = v.Shutdown(t.Context())
	for i, t2 := range v.Turns() {
		if len(t2.Spans) != 2 || !strings.HasPrefix(t2.Spans[1].Name, t2.Spans[0].Name) {
			t.Errorf("turn %d: %+v", i, t2.Spans)
		}
	}
}

func TestMemoryIsBounded(t *testing.T) {
	v := viewer.New(&bytes.Buffer{}, viewer.Options{})
	defer func() { _ = v.Shutdown(context.Background()) }()
	many := []*record.Span{}
	for range 2500 {
		many = append(many, span(1, 2, 1, "child", 0, 1))
	}
	show(t, v, append(many, span(1, 1, 0, "root", 0, 1)))
	if turn := v.Turns()[0]; turn.Lost != 500 {
		t.Errorf("%d spans were left out, want 500", turn.Lost)
	}
}
