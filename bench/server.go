package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"
)

// What is asked of the server, and what the real one does on the same kind of
// machine (default pipeline, one core).
const (
	message     = "are you a bot?" // a rule answers it at any time
	connections = 16
	floodTime   = 4 * time.Second
	steadyTime  = 6 * time.Second
	steadyRate  = 1_000
)

// benchServer measures the whole program on examples/starter: training, start,
// memory, and turns with tracing off, on, and on with a dead collector. It is without
// the sentence encoder, for which an assistant that doesn't use it pays nothing; what
// it costs comes last.
func benchServer(ctx context.Context, out io.Writer, root string) error {
	dir, err := os.MkdirTemp("", "loquat-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := copyProject(filepath.Join(root, "examples", "starter"), dir); err != nil {
		return err
	}
	if err := withoutEncoder(filepath.Join(dir, "config.yml")); err != nil {
		return err
	}
	b := &serverBench{out: out, program: filepath.Join(root, "bin", "loquat"), dir: dir}
	sink, err := b.listen()
	if err != nil {
		return err
	}
	defer sink.Close()
	for _, step := range []func() error{b.train, b.start, b.throughput, b.latency, func() error { return b.encoder(root) }} {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

type serverBench struct {
	out          io.Writer
	program, dir string

	sink  string // address of a collector that takes everything
	spans atomic.Int64
	count atomic.Bool // spans are counted only where there is time for it
}

func (b *serverBench) row(name, format string, args ...any) {
	fmt.Fprintf(b.out, "%-58s %s\n", name, fmt.Sprintf(format, args...))
}

func (b *serverBench) train() error {
	start := time.Now()
	cmd := exec.Command(b.program, "train")
	cmd.Dir, cmd.Env = b.dir, append(os.Environ(), "RASA_TELEMETRY_ENABLED=false")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("train: %w\n%s", err, out)
	}
	b.row("train the starter project", "%6.2f s       (at most 1; Rasa 3.6: 61)", time.Since(start).Seconds())
	return nil
}

func (b *serverBench) start() error {
	var best time.Duration
	var memory int64
	for range 3 {
		p, err := serve(b.program, b.dir, allCPUs(), message)
		if err != nil {
			return err
		}
		if best == 0 || p.answer < best {
			best = p.answer
		}
		memory, err = p.resident()
		p.stop()
		if err != nil {
			return err
		}
	}
	b.row("from start to the first answer", "%6.0f ms      (at most 100; Rasa 3.6: 36,000)", best.Seconds()*1000)
	b.row("resident memory after the first answer", "%6.1f MB      (at most 45; Rasa 3.6: 1,108)", float64(memory)/1e6)
	return nil
}

// withoutEncoder takes the sentence encoder out of a configuration.
func withoutEncoder(config string) error {
	data, err := os.ReadFile(config)
	if err != nil {
		return err
	}
	before, rest, found := strings.Cut(string(data), "- name: LanguageModelFeaturizer\n")
	if !found {
		return fmt.Errorf("%s has no LanguageModelFeaturizer", config)
	}
	_, after, _ := strings.Cut(rest, "\n") // its only setting
	return os.WriteFile(config, []byte(before+after), 0o644)
}

// encoder measures the same with the encoder.
func (b *serverBench) encoder(root string) error {
	dir, err := os.MkdirTemp("", "loquat-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := copyProject(filepath.Join(root, "examples", "starter"), dir); err != nil {
		return err
	}
	with := &serverBench{out: b.out, program: b.program, dir: dir}
	b.row("with the sentence encoder:", "")
	for _, step := range []func() error{with.train, with.start} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// setups are the states of tracing.
func (b *serverBench) setups() []struct{ name, endpoints string } {
	return []struct{ name, endpoints string }{
		{"tracing off", ""},
		{"tracing on", "tracing:\n  type: otlp\n  endpoint: http://" + b.sink + "/v1/traces\n"},
		{"dead collector", "tracing:\n  type: otlp\n  endpoint: http://127.0.0.1:1/v1/traces\n"},
	}
}

// run starts the server with a state of tracing.
func (b *serverBench) run(endpoints string, cpus []int, args ...string) (*process, error) {
	if err := os.WriteFile(filepath.Join(b.dir, "endpoints.yml"), []byte(endpoints), 0o644); err != nil {
		return nil, err
	}
	return serve(b.program, b.dir, cpus, message, args...)
}

func (b *serverBench) throughput() error {
	for cores := 1; cores <= 2; cores++ {
		cpus := allCPUs()[:min(cores, len(allCPUs()))]
		for _, setup := range b.setups() {
			if err := b.flood(fmt.Sprintf("turns a second, %d core, in memory, %s", cores, setup.name), setup.endpoints, cpus, "--in-memory"); err != nil {
				return err
			}
		}
		if err := b.flood(fmt.Sprintf("turns a second, %d core, SQLite, tracing off", cores), "", cpus); err != nil {
			return err
		}
	}
	return nil
}

func (b *serverBench) flood(name, endpoints string, cpus []int, args ...string) error {
	p, err := b.run(endpoints, cpus, args...)
	if err != nil {
		return err
	}
	defer p.stop()
	if _, err := flood(p.address, connections, message, time.Second); err != nil { // warm
		return err
	}
	before, err := p.cpuTime()
	if err != nil {
		return err
	}
	perSecond, err := flood(p.address, connections, message, floodTime)
	if err != nil {
		return err
	}
	after, err := p.cpuTime()
	if err != nil {
		return err
	}
	memory, err := p.resident()
	if err != nil {
		return err
	}
	b.row(name, "%6.0f /s      %.0f us of CPU a turn, %.0f MB",
		perSecond, (after-before).Seconds()*1e6/(perSecond*floodTime.Seconds()), float64(memory)/1e6)
	return nil
}

// latency measures at a moderate rate, where nothing queues, and what a span
// costs there: the CPU time that tracing adds, divided by the spans that arrive.
func (b *serverBench) latency() error {
	b.count.Store(true)
	defer b.count.Store(false)
	var without time.Duration
	for i, setup := range b.setups() {
		p, err := b.run(setup.endpoints, allCPUs()[:1], "--in-memory")
		if err != nil {
			return err
		}
		cpu, spans, took, err := b.steady(p)
		p.stop()
		if err != nil {
			return err
		}
		b.row(fmt.Sprintf("at %d turns a second, %s", steadyRate, setup.name), "p50 %.2f ms, p99 %.2f ms, %.1f us of CPU a turn",
			took.percentile(50).Seconds()*1e3, took.percentile(99).Seconds()*1e3, cpu.Seconds()*1e6/float64(len(took)))
		switch {
		case i == 0:
			without = cpu
		case spans > 0:
			b.row("CPU time of a span, with its export", "%6.2f us      (at most 3; %.1f spans a turn)",
				(cpu-without).Seconds()*1e6/float64(spans), float64(spans)/float64(len(took)))
		}
	}
	return nil
}

func (b *serverBench) steady(p *process) (cpu time.Duration, spans int64, took latencies, err error) {
	if _, err = steady(p.address, connections, steadyRate, message, time.Second); err != nil { // warm
		return
	}
	time.Sleep(flushTime)
	spansBefore := b.spans.Load()
	before, err := p.cpuTime()
	if err != nil {
		return
	}
	if took, err = steady(p.address, connections, steadyRate, message, steadyTime); err != nil {
		return
	}
	time.Sleep(flushTime) // the last spans are under way
	after, err := p.cpuTime()
	return after - before, b.spans.Load() - spansBefore, took, err
}

// flushTime is a little more than the time after which spans are exported.
const flushTime = 6 * time.Second

// listen starts a collector that takes everything.
func (b *serverBench) listen() (io.Closer, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	b.sink = l.Addr().String()
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !b.count.Load() {
			_, _ = io.Copy(io.Discard, r.Body)
			return
		}
		body, err := io.ReadAll(r.Body)
		var request collector.ExportTraceServiceRequest
		if err != nil || proto.Unmarshal(body, &request) != nil {
			return // not counted
		}
		for _, resource := range request.ResourceSpans {
			for _, scope := range resource.ScopeSpans {
				b.spans.Add(int64(len(scope.Spans)))
			}
		}
	})}
	go func() { _ = server.Serve(l) }()
	return server, nil
}

func allCPUs() []int {
	cpus := make([]int, runtime.NumCPU())
	for i := range cpus {
		cpus[i] = i
	}
	return cpus
}
