package interop_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/loquat-dev/loquat/actionsdk"
	"github.com/loquat-dev/loquat/actionsdk/actiongrpc"
	"github.com/loquat-dev/loquat/actionsdk/actiontrace"
	"github.com/loquat-dev/loquat/internal/sharedtest"
	"github.com/loquat-dev/loquat/internal/tracing/tracetree"
)

// goActions has the actions of testdata/tracebot/actions in Go.
func goActions(observer actionsdk.Observer) *actionsdk.Server {
	s := &actionsdk.Server{Logger: slog.New(slog.DiscardHandler), Observer: observer}
	s.Action("action_weather", func(_ context.Context, out *actionsdk.Dispatcher, _ *actionsdk.Tracker) ([]actionsdk.Event, error) {
		out.Say("It is 21 degrees.")
		return []actionsdk.Event{actionsdk.SlotSet{Name: "temperature", Value: 21.0}}, nil
	})
	s.Action("action_fail", func(context.Context, *actionsdk.Dispatcher, *actionsdk.Tracker) ([]actionsdk.Event, error) {
		return nil, errors.New("the thermometer broke")
	})
	s.Action("action_reject", func(context.Context, *actionsdk.Dispatcher, *actionsdk.Tracker) ([]actionsdk.Event, error) {
		return nil, actionsdk.Reject("not today")
	})
	s.Action("action_follow", func(context.Context, *actionsdk.Dispatcher, *actionsdk.Tracker) ([]actionsdk.Event, error) {
		return []actionsdk.Event{actionsdk.FollowupAction{Name: "utter_followed"}}, nil
	})
	return s
}

// serveGo serves them and returns the URL for endpoints.yml.
func serveGo(t *testing.T, scheme string, observer actionsdk.Observer) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	stopped := make(chan error, 1)
	s := goActions(observer)
	go func() {
		if scheme == "grpc" {
			stopped <- actiongrpc.Serve(ctx, s, l)
			return
		}
		stopped <- s.Serve(ctx, l)
	}()
	t.Cleanup(func() {
		stop()
		if err := <-stopped; err != nil {
			t.Error(err)
		}
	})
	if scheme == "grpc" {
		return "grpc://" + l.Addr().String()
	}
	return "http://" + l.Addr().String() + "/webhook"
}

// converse has the conversation of all turns and returns what was published of
// it, without times and generated names.
func converse(t *testing.T, actions string) string {
	t.Helper()
	s := serve(t, endpoints("{type: jaeger, port: 1}", actions))
	for _, turn := range turns {
		header, _ := traceparent()
		if got := strings.Join(s.say("alice", turn.text, header), " "); got != turn.answer {
			t.Errorf("%q is answered %q, want %q\n%s", turn.text, got, turn.answer, s.out)
		}
	}
	s.stop()
	return strings.Join(eventsOf(t, filepath.Join(s.cmd.Dir, "events.jsonl")), "\n")
}

// eventsOf reads published events, without times and generated names.
func eventsOf(t *testing.T, file string) []string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for line := range bytes.Lines(data) {
		var event any
		if err := json.Unmarshal(line, &event); err != nil {
			t.Fatal(err)
		}
		plain, err := json.Marshal(timeless(event))
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, string(plain))
	}
	return out
}

// timeless leaves out what differs from run to run.
func timeless(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for _, key := range []string{"timestamp", "message_id", "model_id"} {
			delete(v, key)
		}
		for k, x := range v {
			v[k] = timeless(x)
		}
	case []any:
		for i, x := range v {
			v[i] = timeless(x)
		}
	}
	return v
}

// TestActionServersAreInterchangeable has the same conversation with action
// servers in Python and in Go, over HTTP and gRPC, and compares all events.
func TestActionServersAreInterchangeable(t *testing.T) {
	want := converse(t, actionServer(t, newestSDK, "{}\n"))
	if !strings.Contains(want, `"name":"temperature"`) || !strings.Contains(want, "action_execution_rejected") {
		t.Fatalf("the conversation is not what it should be:\n%s", want)
	}
	for name, start := range map[string]func(*testing.T) string{
		"Python " + oldSDK: func(t *testing.T) string { return actionServer(t, oldSDK, "{}\n") },
		"Python over gRPC": func(t *testing.T) string { return actionServerRPC(t, newestSDK) },
		"Go":               func(t *testing.T) string { return serveGo(t, "http", nil) },
		"Go over gRPC":     func(t *testing.T) string { return serveGo(t, "grpc", nil) },
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(want, converse(t, start(t))); diff != "" {
				t.Errorf("events differ from those with Python %s (-python +this):\n%s", newestSDK, diff)
			}
		})
	}
}

// TestTracesGoOnInGo compares the spans of an action server in Go with those of
// the Python one, which are recorded.
func TestTracesGoOnInGo(t *testing.T) {
	recorder := tracetest.NewSpanRecorder()
	observer := actiontrace.New(sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder)))
	s := serve(t, endpoints("{type: jaeger, port: 1}", serveGo(t, "http", observer)))
	header, id := traceparent()
	s.say("alice", "weather", header)

	var spans []tracetree.Span
	for _, span := range recorder.Ended() {
		if got := span.SpanContext().TraceID().String(); got != id {
			t.Errorf("%s is in trace %s, want %s", span.Name(), got, id)
		}
		spans = append(spans, tracetree.Span{
			ID: span.SpanContext().SpanID().String(), Parent: span.Parent().SpanID().String(), Name: span.Name(), Kind: span.SpanKind().String(),
			Service: sdkName, Start: span.StartTime(), Attributes: asTree(span.Attributes()),
		})
	}
	recorded, err := os.ReadFile(filepath.Join(sharedtest.ModuleRoot(t), "testdata", "traces", "action_server_"+newestSDK+".tree"))
	if err != nil {
		t.Fatal(err)
	}
	_, want, _ := strings.Cut(string(recorded), "    - create_app.webhook")
	want = "- create_app.webhook" + strings.ReplaceAll(want, "\n    ", "\n")
	if diff := cmp.Diff(want, tracetree.Format(spans)); diff != "" {
		t.Errorf("spans differ (-python +go):\n%s", diff)
	}
}

func asTree(attributes []attribute.KeyValue) []tracetree.Attribute {
	var out []tracetree.Attribute
	for _, a := range attributes {
		kind := "string"
		if a.Value.Type() == attribute.INT64 {
			kind = "int"
		}
		out = append(out, tracetree.Attribute{Key: string(a.Key), Type: kind, Value: a.Value.String()})
	}
	return out
}
