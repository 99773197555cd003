package interop_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/loquat-dev/loquat/internal/sharedtest"
	"github.com/loquat-dev/loquat/internal/tracing/tlstest"
	"github.com/loquat-dev/loquat/internal/tracing/tracetree"
)

// collector starts a Collector of its own, which forwards to Jaeger. receiver is
// the YAML of its OTLP protocols.
func collector(t *testing.T, address, receiver string) {
	t.Helper()
	binary := setting(t, "LOQUAT_TEST_OTELCOL")
	setting(t, "LOQUAT_TEST_JAEGER")
	file := filepath.Join(t.TempDir(), "collector.yaml")
	config := fmt.Sprintf(`
receivers: {otlp: {protocols: %s}}
exporters: {otlp: {endpoint: 127.0.0.1:4317, tls: {insecure: true}}}
service:
  telemetry: {metrics: {level: none}}
  pipelines: {traces: {receivers: [otlp], exporters: [otlp]}}
`, receiver)
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	launch(t, t.TempDir(), nil, listening(address), binary, "--config", file)
}

// firstTurn says hello and compares the trace.
func firstTurn(t *testing.T, tracing string) *server {
	t.Helper()
	s := serve(t, "tracing: "+tracing+"\nevent_broker: {type: file, path: events.jsonl}\naction_endpoint: {url: 'http://127.0.0.1:1'}\n")
	header, id := traceparent()
	if got := s.say("alice", "hello", header); strings.Join(got, "") != "Hello!" {
		t.Errorf("the answer is %q", got)
	}
	want(t, "first_turn", func() []tracetree.Span { return trace(t, id) })
	return s
}

func TestGRPCReceiverOnThePortOfHTTP(t *testing.T) {
	collector(t, "127.0.0.2:4318", "{grpc: {endpoint: '127.0.0.2:4318'}}")
	s := firstTurn(t, "{type: otlp, endpoint: '127.0.0.2:4318', insecure: true}")
	if log := s.out.String(); !strings.Contains(log, "found its protocol") {
		t.Errorf("the log doesn't name the protocol:\n%s", log)
	}
}

// TestDocumentedSamples uses the two files of the documentation as they stand,
// but for the host and the authority's file.
func TestDocumentedSamples(t *testing.T) {
	sample := func(t *testing.T, name, host, ca string) string {
		text, err := os.ReadFile(sharedtest.Dir(t, "spec", "samples", name))
		if err != nil {
			t.Fatal(err)
		}
		return strings.NewReplacer("my-otlp-host", host, "./tests/unit/tracing/fixtures/ca.pem", ca).Replace(string(text)) +
			"\nevent_broker: {type: file, path: events.jsonl}\naction_endpoint: {url: 'http://127.0.0.1:1'}\n"
	}
	hello := func(t *testing.T, endpoints string) {
		s := serve(t, endpoints)
		header, id := traceparent()
		s.say("alice", "hello", header)
		want(t, "first_turn", func() []tracetree.Span { return trace(t, id) })
		if log := s.out.String(); strings.Contains(log, "warning") {
			t.Errorf("the log warns:\n%s", log)
		}
	}
	t.Run("jaeger.yml", func(t *testing.T) {
		setting(t, "LOQUAT_TEST_JAEGER")
		hello(t, sample(t, "jaeger.yml", "", ""))
	})
	authority := tlstest.New(t)
	certificate, key := authority.ServerFiles(t)
	tls := fmt.Sprintf("tls: {cert_file: '%s', key_file: '%s'}", certificate, key)
	t.Run("otlp.yml over HTTP", func(t *testing.T) {
		collector(t, "127.0.0.3:4318", "{http: {endpoint: '127.0.0.3:4318', "+tls+"}}")
		hello(t, sample(t, "otlp.yml", "127.0.0.3", authority.File(t)))
	})
	t.Run("otlp.yml over gRPC", func(t *testing.T) {
		collector(t, "127.0.0.2:4318", "{grpc: {endpoint: '127.0.0.2:4318', "+tls+"}}")
		hello(t, sample(t, "otlp.yml", "127.0.0.2", authority.File(t)))
	})
}

func TestWrongAuthorityChangesNoTurn(t *testing.T) {
	certificate, key := tlstest.New(t).ServerFiles(t)
	tls := fmt.Sprintf("tls: {cert_file: '%s', key_file: '%s'}", certificate, key)
	collector(t, "127.0.0.2:4318", "{http: {endpoint: '127.0.0.2:4318', "+tls+"}}")
	s := serve(t, "tracing: {type: otlp, endpoint: '127.0.0.2:4318', root_certificates: '"+tlstest.New(t).File(t)+"'}\naction_endpoint: {url: 'http://127.0.0.1:1'}\n")
	if got := s.say("alice", "hello", ""); strings.Join(got, "") != "Hello!" {
		t.Errorf("the answer is %q", got)
	}
	s.stop()
	if log := s.out.String(); !strings.Contains(log, "is not signed by an authority that root_certificates names") {
		t.Errorf("the log doesn't say what is wrong:\n%s", log)
	}
}

func TestBackendThatIsAwayChangesNoTurn(t *testing.T) {
	setting(t, "LOQUAT_TEST_JAEGER")
	for _, tracing := range []string{"{type: otlp, endpoint: 'http://127.0.0.1:1'}", "{type: jaeger, port: 1}", "{type: jaeger, host: no-such-host.invalid}"} {
		s := serve(t, "tracing: "+tracing+"\naction_endpoint: {url: 'http://127.0.0.1:1'}\n")
		if got := s.say("alice", "hello", ""); strings.Join(got, "") != "Hello!" {
			t.Errorf("%s: the answer is %q", tracing, got)
		}
		s.stop()
		if state := s.cmd.ProcessState; !state.Success() {
			t.Errorf("%s: ended with %v\n%s", tracing, state, s.out)
		}
	}
}
