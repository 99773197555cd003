package interop_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/loquat-dev/loquat/internal/tracing/tracetree"
)

const (
	oldSDK    = "3.13.0" // the last that exports Thrift
	newestSDK = "3.21.1"
	sdkName   = "rasa_sdk" // service name of an action server
)

// ways are the ways by which spans reach Jaeger.
var ways = map[string]string{
	"udp":                "{type: jaeger}",
	"otlp grpc":          "{type: otlp, endpoint: 'localhost:4317', insecure: true}",
	"otlp http":          "{type: otlp, endpoint: 'http://localhost:4318'}",
	"collector grpc":     "{type: otlp, endpoint: 'localhost:14317', insecure: true}",
	"collector http":     "{type: otlp, endpoint: 'http://localhost:14318/v1/traces'}",
	"collector udp":      "{type: jaeger, port: 16831}",
	"thrift over http":   "{type: jaeger, port: 14268}",
	"thrift binary udp":  "{type: jaeger, port: 6832}",
	"jaeger port 4317":   "{type: jaeger, port: 4317}",
	"two at once":        "[{type: otlp, endpoint: 'http://localhost:4317'}, {type: jaeger, host: localhost, port: 1}]",
	"synchronous export": "{type: jaeger, sync_export: true}",
}

// turns are the messages of the recorded trees.
var turns = []struct{ name, text, answer string }{
	{"first_turn", "hello", "Hello!"},
	{"second_turn", "weather", "It is 21 degrees."},
	{"failing_action", "fail", ""},
	{"rejected_action", "reject", "I did not understand that."},
	{"follow_up", "follow", "And this followed."},
	{"fall_back", "gibberish", "I did not understand that."},
}

func endpoints(tracing, actions string) string {
	return fmt.Sprintf("tracing: %s\naction_endpoint: {url: '%s'}\nevent_broker: {type: file, path: events.jsonl}\n", tracing, actions)
}

// TestTurnsArriveWhole talks to the assistant over every way and compares what
// Jaeger says with testdata/traces.
func TestTurnsArriveWhole(t *testing.T) {
	setting(t, "LOQUAT_TEST_JAEGER")
	actions := actionServer(t, oldSDK, "{}\n")
	for way, tracing := range ways {
		t.Run(way, func(t *testing.T) {
			if strings.Contains(way, "collector") {
				setting(t, "LOQUAT_TEST_COLLECTOR")
			}
			s := serve(t, endpoints(tracing, actions))
			for _, turn := range turns {
				header, id := traceparent()
				answers := s.say("alice", turn.text, header)
				if got := strings.Join(answers, " "); got != turn.answer {
					t.Errorf("%q is answered %q, want %q\n%s", turn.text, got, turn.answer, s.out)
				}
				want(t, turn.name, func() []tracetree.Span { return trace(t, id) })
			}
		})
	}
}

// TestActionServersHangBelow has real action servers that trace on their own.
func TestActionServersHangBelow(t *testing.T) {
	setting(t, "LOQUAT_TEST_JAEGER")
	for _, c := range []struct{ version, endpoints string }{
		{oldSDK, "tracing: {type: jaeger, host: localhost, port: 6831, service_name: rasa_sdk}"},
		{oldSDK, "tracing: {type: otlp, endpoint: 'http://localhost:4317', insecure: true}"},
		{newestSDK, "tracing: {type: otlp, endpoint: 'localhost:4317'}"},
	} {
		t.Run(c.version+" "+c.endpoints, func(t *testing.T) {
			// Without a scheme the Python exporter insists on TLS, which Jaeger has not.
			actions := actionServer(t, c.version, c.endpoints, "OTEL_EXPORTER_OTLP_INSECURE=true")
			s := serve(t, endpoints("{type: jaeger}", actions))
			header, id := traceparent()
			s.say("alice", "weather", header)
			want(t, "action_server_"+c.version, func() []tracetree.Span { return below("EndpointConfig.request", trace(t, id)) })
		})
	}
}

// below leaves the span of that name and what is below it.
func below(name string, spans []tracetree.Span) []tracetree.Span {
	keep := map[string]bool{}
	for range spans { // each round reaches one level deeper
		for _, s := range spans {
			if s.Name == name || keep[s.Parent] {
				keep[s.ID] = true
			}
		}
	}
	var out []tracetree.Span
	for _, s := range spans {
		if keep[s.ID] {
			out = append(out, s)
		}
	}
	return out
}

// TestLargeTraceArrivesOverUDP has a sender with a long name talk for a while
// within one trace, which fills several datagrams.
func TestLargeTraceArrivesOverUDP(t *testing.T) {
	setting(t, "LOQUAT_TEST_JAEGER")
	s := serve(t, endpoints("{type: jaeger}", actionServer(t, oldSDK, "{}\n")))
	small, smallID := traceparent()
	large, largeID := traceparent()
	for range 12 {
		s.say("alice", "follow", small)
		s.say(strings.Repeat("long ", 200), "follow", large)
	}
	expected := settle(func() []tracetree.Span { return trace(t, smallID) })
	got := settle(func() []tracetree.Span { return trace(t, largeID) })
	bytes := 0
	for _, span := range trace(t, largeID) {
		for _, a := range span.Attributes {
			bytes += len(a.Value)
		}
	}
	if got != expected || bytes < 65_000 {
		t.Errorf("%d spans with %d bytes arrived, want %d with more than 65,000\n%s", got, bytes, expected, s.out)
	}
}

// TestParallelSendersKeepTheirTraces sends from 1,000 users at a time and looks
// for spans in foreign traces.
func TestParallelSendersKeepTheirTraces(t *testing.T) {
	setting(t, "LOQUAT_TEST_JAEGER")
	const senders = 1000
	s := serve(t, endpoints("{type: otlp, endpoint: 'http://localhost:4317'}", actionServer(t, oldSDK, "tracing: {type: otlp, endpoint: 'http://localhost:4317', insecure: true}")))
	ids := make([]string, senders)
	headers := make([]string, senders)
	for i := range ids {
		headers[i], ids[i] = traceparent()
	}
	var wg sync.WaitGroup
	for i := range senders {
		wg.Go(func() {
			if _, err := s.post(fmt.Sprint("sender-", i), "weather", headers[i]); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	expected := settle(func() []tracetree.Span { return without(sdkName, trace(t, ids[senders-1])) })
	for i, id := range ids {
		spans := trace(t, id)
		if n := len(without(sdkName, spans)); n != expected {
			t.Errorf("trace %d has %d spans, want %d", i, n, expected)
		}
		for _, span := range spans {
			for _, a := range span.Attributes {
				if a.Key == "sender_id" && a.Value != fmt.Sprint("sender-", i) {
					t.Fatalf("trace %d has a span of %s", i, a.Value)
				}
			}
		}
	}
}
