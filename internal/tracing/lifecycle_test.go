package tracing_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"github.com/loquat-dev/loquat/internal/conversation"
	"github.com/loquat-dev/loquat/internal/tracing"
	"github.com/loquat-dev/loquat/internal/tracing/tlstest"
)

// logBuffer collects log records.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func start(t *testing.T, endpoints string) (*tracing.Tracing, *logBuffer) {
	t.Helper()
	var out logBuffer
	tr, err := tracing.Start(readConfig(t, endpoints), tracing.Settings{Logger: slog.New(slog.NewTextHandler(&out, nil))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tr.Shutdown(context.Background()) })
	return tr, &out
}

// oneSpan makes a span.
func oneSpan(tr *tracing.Tracing) {
	_, end := tr.Turns(classes).Before(context.Background(), &conversation.Step{Name: conversation.StepHandle})
	end(nil)
}

// TestOffIsNothing: an empty section makes no goroutine, no connection, and wraps
// nothing.
func TestOffIsNothing(t *testing.T) {
	before := runtime.NumGoroutine()
	tr, err := tracing.Start(readConfig(t, "tracing:"), tracing.Settings{Logger: slog.New(slog.DiscardHandler)})
	if tr != nil || err != nil {
		t.Fatalf("got %v, %v", tr, err)
	}
	if tr.Turns(classes) != nil || tr.Nodes() != nil {
		t.Error("a hook exists")
	}
	handler, transport := http.NewServeMux(), &http.Transport{}
	if tr.Middleware(handler) != http.Handler(handler) || tr.ActionServer(transport) != http.RoundTripper(transport) || tr.Endpoint(transport) != http.RoundTripper(transport) || tr.ActionServerRPC() != nil {
		t.Error("something is wrapped")
	}
	ctx, end := tr.TrainCommand(t.Context(), "x")
	_, endTrainer := tr.GraphTrainer(ctx, &tracing.Training{})
	_, endPackage := tr.Package(ctx, &tracing.Training{})
	endPackage(nil)
	endTrainer(nil)
	end("trained", nil)
	_, endTest := tr.TestCommand(t.Context())
	endTest(nil)
	_, endTest = tr.TestCoreCommand(t.Context())
	endTest(nil)
	if err := tr.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if after := runtime.NumGoroutine(); after > before { // those of earlier tests may end meanwhile
		t.Errorf("%d goroutines, %d before", after, before)
	}
}

func TestTwoBackendsGetEverySpanUnderTheirNames(t *testing.T) {
	first, firstAddress := startBackend(t)
	second, secondAddress := startBackend(t)
	tr, _ := start(t, fmt.Sprintf(`tracing:
- {type: otlp, endpoint: "http://%s", service_name: one}
- {type: otlp, endpoint: "http://%s", service_name: two, sync_export: true}`, firstAddress, secondAddress))
	oneSpan(tr)
	if second.count() != 1 {
		t.Errorf("sync_export: %d spans as the span ended", second.count())
	}
	if err := tr.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if first.count() != 1 || first.names[0] != "one" || second.names[0] != "two" {
		t.Errorf("%d spans, services %v and %v", first.count(), first.names, second.names)
	}
}

func TestShutdownSendsWhatWaits(t *testing.T) {
	b, address := startBackend(t)
	tr, _ := start(t, "tracing: {type: otlp, endpoint: 'http://"+address+"'}")
	for range 700 {
		oneSpan(tr)
	}
	if err := tr.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	if b.count() != 700 || tr.Stats().Sent != 700 {
		t.Errorf("%d spans arrived, %+v", b.count(), tr.Stats())
	}
}

// TestBackendThatDoesNotAnswer: nothing waits for it, what is lost is counted, the
// log says so once, and the end comes soon.
func TestBackendThatDoesNotAnswer(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0") // accepts and says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = silent.Close() }()
	refused, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = refused.Close()
	for name, address := range map[string]string{"refused": refused.Addr().String(), "silent": silent.Addr().String()} {
		t.Run(name, func(t *testing.T) {
			tr, out := start(t, "tracing: {type: otlp, timeout: 0.2, endpoint: 'http://"+address+"'}")
			for range 5000 {
				oneSpan(tr)
			}
			if err := tr.Shutdown(t.Context()); err != nil {
				t.Errorf("shutdown: %v", err)
			}
			stats := tr.Stats()
			if stats.Sent != 0 || stats.Dropped+stats.Lost != 5000 || stats.Dropped == 0 || stats.Lost == 0 {
				t.Errorf("%+v", stats)
			}
			if n := strings.Count(out.String(), "traces can't be exported"); n != 1 {
				t.Errorf("%d complaints:\n%s", n, out)
			}
		})
	}
}

func TestLogRecordsCarryTheTrace(t *testing.T) {
	tr := watch(t, tracing.Config{})
	var out bytes.Buffer
	logger := slog.New(tr.LogHandler(slog.NewTextHandler(&out, nil))).With("a", 1)
	ctx, end := tr.Turns(classes).Before(t.Context(), &conversation.Step{Name: conversation.StepHandle})
	logger.InfoContext(ctx, "inside")
	end(nil)
	logger.Info("outside")
	inside, outside, _ := strings.Cut(out.String(), "\n")
	id := tr.viewer.Turns()[0].Spans[0].Context
	if !strings.Contains(inside, "trace_id="+id.TraceID().String()+" span_id="+id.SpanID().String()+" trace_flags=01") || strings.Contains(outside, "trace_id") {
		t.Errorf("log:\n%s", out.String())
	}
}

func TestSamplerKeepsItsShare(t *testing.T) {
	none := watch(t, readConfig(t, "tracing: {type: jaeger, sampler: {type: always_off}}"))
	half := watch(t, readConfig(t, "tracing: {type: jaeger, sampler: {ratio: 0.5}}"))
	for range 2000 {
		oneSpan(none.Tracing)
		oneSpan(half.Tracing)
	}
	if n := len(none.viewer.Turns()); n != 0 {
		t.Errorf("always_off kept %d", n)
	}
	if n := len(half.viewer.Turns()); n < 800 || n > 1200 {
		t.Errorf("ratio 0.5 kept %d of 2000", n)
	}
}

func TestTrainingTree(t *testing.T) {
	tr := watch(t, tracing.Config{})
	train := func(kind string, finetuning bool, err error) {
		ctx, end := tr.TrainCommand(t.Context(), "abc")
		training := &tracing.Training{Type: kind, Language: "en", Recipe: "default.v1", Output: "models/20261121-013538-x.tar.gz", Finetuning: finetuning}
		inner, endTrainer := tr.GraphTrainer(ctx, training)
		_, endPackage := tr.Package(inner, training)
		training.Size, training.ModelID = 10, "0f"
		endPackage(err)
		endTrainer(err)
		end("trained", err)
	}
	train("NLU", false, nil)
	train("CORE", true, nil)
	train("BOTH", false, nil)
	train("END-TO-END", false, context.Canceled)
	ctx, end := tr.TestCommand(t.Context()) // one that trains a model for each part of the examples
	_, endTrainer := tr.GraphTrainer(ctx, &tracing.Training{Type: "NLU", ModelID: "0e"})
	endTrainer(nil)
	end(nil)
	_, end = tr.TestCoreCommand(t.Context())
	end(errors.New("a story went another way"))
	golden(t, "training.tree", tr.tree())
}

func TestPrivateAuthority(t *testing.T) {
	authority := tlstest.New(t)
	ca, stranger := authority.File(t), tlstest.New(t).File(t)
	b, address := startBackend(t, grpc.Creds(credentials.NewTLS(authority.Server(t))))
	tr, _ := start(t, fmt.Sprintf("tracing: {type: otlp, endpoint: '%s', root_certificates: '%s'}", address, ca))
	oneSpan(tr)
	if err := tr.Shutdown(t.Context()); err != nil || b.count() != 1 {
		t.Errorf("%d spans, %v", b.count(), err)
	}
	tr, out := start(t, fmt.Sprintf("tracing: {type: otlp, endpoint: '%s', root_certificates: '%s'}", address, stranger))
	oneSpan(tr)
	_ = tr.Shutdown(t.Context())
	if want := "is not signed by an authority that root_certificates names"; b.count() != 1 || !strings.Contains(out.String(), want) {
		t.Errorf("%d spans, log:\n%s", b.count(), out)
	}
}
