package tracing_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/grpc"

	"github.com/loquat-dev/loquat/internal/conversation"
	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/graph"
	"github.com/loquat-dev/loquat/internal/tracing"
	"github.com/loquat-dev/loquat/internal/yamlfile"
)

// sinkVariable makes this test binary a backend instead, so that the work of
// receiving isn't counted as the work of sending.
const sinkVariable = "LOQUAT_TEST_SINK"

type sink struct {
	collector.UnimplementedTraceServiceServer
}

// Export takes a request and forgets it.
func (sink) Export(context.Context, *collector.ExportTraceServiceRequest) (*collector.ExportTraceServiceResponse, error) {
	return &collector.ExportTraceServiceResponse{}, nil
}

// beSink listens for gRPC, HTTP and UDP and prints the three ports.
func beSink() {
	g, _ := net.Listen("tcp", "127.0.0.1:0")
	h, _ := net.Listen("tcp", "127.0.0.1:0")
	u, _ := net.ListenPacket("udp", "127.0.0.1:0")
	server := grpc.NewServer()
	collector.RegisterTraceServiceServer(server, sink{})
	go func() { _ = server.Serve(g) }()
	go func() {
		_ = http.Serve(h, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }))
	}()
	go func() {
		for buffer := make([]byte, 70_000); ; {
			if _, _, err := u.ReadFrom(buffer); err != nil {
				return
			}
		}
	}()
	fmt.Println(g.Addr().(*net.TCPAddr).Port, h.Addr().(*net.TCPAddr).Port, u.LocalAddr().(*net.UDPAddr).Port)
	_, _ = io.Copy(io.Discard, os.Stdin) // until the test ends
}

func startSink(tb testing.TB) (grpcPort, httpPort, udpPort int) {
	tb.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), sinkVariable+"=1")
	stdin, err := cmd.StdinPipe()
	if err != nil {
		tb.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { stdin.Close(); _ = cmd.Wait() })
	if _, err := fmt.Fscan(stdout, &grpcPort, &httpPort, &udpPort); err != nil {
		tb.Fatal(err)
	}
	return grpcPort, httpPort, udpPort
}

// readConfig reads the text of an endpoints file.
func readConfig(tb testing.TB, text string) tracing.Config {
	tb.Helper()
	var problems diag.List
	config := tracing.ReadConfig(yamlfile.Parse([]byte(text), "endpoints.yml", &problems), func(string) string { return "" }, &problems)
	if err := problems.Err(); err != nil {
		tb.Fatal(err)
	}
	return config
}

// runTurn makes the spans of a usual turn with the hooks, and returns how many.
func runTurn(ctx context.Context, turns conversation.Hook, nodes graph.Hook) int {
	made := 0
	step := func(ctx context.Context, s conversation.Step, inside func(context.Context)) {
		made++
		ctx, end := turns.Before(ctx, &s)
		if inside != nil {
			inside(ctx)
		}
		s.NumberOfEvents, s.Outcome = 12, "answered"
		end(nil)
	}
	node := func(ctx context.Context, name, class, fn string) {
		made++
		_, end := nodes.Before(ctx, graph.NodeRun{NodeName: name, Component: class, Fn: fn})
		end(graph.NodeResult{})
	}
	const id = "0123456789abcdef0123456789abcdef"
	step(ctx, conversation.Step{Name: conversation.StepAgent, ConversationID: id, InputChannel: "rest", ModelID: id, ModelName: "20261121-080305-x.tar.gz"}, func(ctx context.Context) {
		step(ctx, conversation.Step{Name: conversation.StepLock}, nil)
		step(ctx, conversation.Step{Name: conversation.StepHandle}, func(ctx context.Context) {
			step(ctx, conversation.Step{Name: conversation.StepLog, ConversationID: id, MessageID: id}, func(ctx context.Context) {
				step(ctx, conversation.Step{Name: conversation.StepGetTracker}, nil)
				step(ctx, conversation.Step{Name: conversation.StepParse, ConversationID: id, MessageID: id}, func(ctx context.Context) {
					node(ctx, "nlu_message_converter", "NLUMessageConverter", "convert_user_message")
					node(ctx, "run_WhitespaceTokenizer0", "WhitespaceTokenizer", "process")
					node(ctx, "run_RegexFeaturizer1", "RegexFeaturizer", "process")
					node(ctx, "run_CountVectorsFeaturizer2", "CountVectorsFeaturizer", "process")
					node(ctx, "run_DIETClassifier3", "DIETClassifier", "process")
				})
			})
			step(ctx, conversation.Step{Name: conversation.StepPredictionLoop}, func(ctx context.Context) {
				for _, action := range []string{"utter_greet", "action_listen"} {
					step(ctx, conversation.Step{Name: conversation.StepPredict, IntentName: "greet"}, func(ctx context.Context) {
						node(ctx, "domain_provider", "DomainProvider", "provide_inference")
						node(ctx, "run_RulePolicy0", "RulePolicy", "predict")
						node(ctx, "run_MemoizationPolicy1", "MemoizationPolicy", "predict")
						node(ctx, "select_prediction", "DefaultPolicyPredictionEnsemble", "combine_predictions_from_kwargs")
					})
					step(ctx, conversation.Step{Name: conversation.StepAction, ConversationID: id, MessageID: id, Action: action}, nil)
				}
			})
			step(ctx, conversation.Step{Name: conversation.StepSaveTracker}, func(ctx context.Context) {
				step(ctx, conversation.Step{Name: conversation.StepPublish}, nil)
			})
		})
	})
	return made
}

// BenchmarkSpan measures what one span costs the process from its start until it
// was sent, in processor time of all threads. Turns come at a rate that the
// queue can take, so that every span is sent.
func BenchmarkSpan(b *testing.B) {
	grpcPort, httpPort, udpPort := startSink(b)
	dead := "tracing: {type: otlp, endpoint: 'http://127.0.0.1:1'}"
	for _, c := range []struct{ name, endpoints string }{
		{"otlp_grpc", fmt.Sprintf("tracing: {type: otlp, insecure: true, endpoint: '127.0.0.1:%d', protocol: grpc}", grpcPort)},
		{"otlp_http", fmt.Sprintf("tracing: {type: otlp, insecure: true, endpoint: '127.0.0.1:%d', protocol: http/protobuf}", httpPort)},
		{"jaeger_udp", fmt.Sprintf("tracing: {type: jaeger, host: 127.0.0.1, port: %d}", udpPort)},
		{"dead_collector", dead},
	} {
		b.Run(c.name, func(b *testing.B) {
			t, err := tracing.Start(readConfig(b, c.endpoints), tracing.Settings{Logger: slog.New(slog.DiscardHandler)})
			if err != nil {
				b.Fatal(err)
			}
			turns := t.Turns(tracing.Classes{TrackerStore: "SQLTrackerStore", LockStore: "InMemoryLockStore"})
			nodes := t.Nodes()
			spans, before := 0, cpuTime()
			for b.Loop() {
				spans += runTurn(b.Context(), turns, nodes)
				if c.endpoints != dead && t.Waiting() > 1024 {
					for t.Waiting() > 512 {
						time.Sleep(100 * time.Microsecond)
					}
				}
			}
			_ = t.Shutdown(context.Background())
			b.ReportMetric(float64(cpuTime()-before)/float64(spans), "cpu-ns/span")
			stats := t.Stats()
			b.ReportMetric(float64(stats.Dropped+stats.Lost)/float64(spans), "lost/span")
		})
	}
}

func cpuTime() time.Duration {
	var r syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &r)
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}
