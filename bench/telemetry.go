package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/loquat-dev/loquat/internal/telemetry"
)

// repeats is how often a command is run for a median.
const repeats = 20

// benchTelemetry measures what usage telemetry costs: the start of a command,
// whole commands, and turns of a server, with collectors in every kind of trouble.
func benchTelemetry(ctx context.Context, out io.Writer, root string) error {
	dir, err := os.MkdirTemp("", "loquat-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b := &telemetryBench{program: filepath.Join(root, "bin", "loquat"), homes: dir, dir: filepath.Join(dir, "project")}
	b.server = serverBench{out: out}
	if err := copyProject(filepath.Join(root, "examples", "starter"), b.dir); err != nil {
		return err
	}
	setups, closeAll := b.collectors()
	defer closeAll()
	for _, setup := range setups {
		if err := b.command(setup, "telemetry", "enable"); err != nil {
			return err
		}
	}
	if err := b.command(setups[0], "train"); err != nil {
		return err
	}
	if err := b.startUp(setups[1]); err != nil {
		return err
	}
	for _, args := range [][]string{{"data", "validate"}, {"train"}} {
		if err := b.commands(ctx, setups, args); err != nil {
			return err
		}
	}
	for _, setup := range setups {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := b.turns(setup); err != nil {
			return err
		}
	}
	return nil
}

type telemetryBench struct {
	program, homes, dir string
	server              serverBench // for its rows
}

// setup is a state of telemetry, of a user with a home of its own.
type setup struct {
	name string
	env  []string
}

// collectors are the states that are compared.
func (b *telemetryBench) collectors() (setups []setup, closeAll func()) {
	setups = []setup{{"off", []string{"RASA_TELEMETRY_ENABLED=false"}}, {"local", nil}}
	release := make(chan struct{})
	var servers []*httptest.Server
	add := func(name string, answer http.HandlerFunc) {
		s := httptest.NewServer(answer)
		servers = append(servers, s)
		setups = append(setups, setup{name, []string{"LOQUAT_TELEMETRY_ENDPOINT=" + s.URL, "RASA_TELEMETRY_WRITE_KEY=key"}})
	}
	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
	}
	add("collector answers 200", status(200))
	add("collector answers 429", status(429))
	add("collector answers 500", status(500))
	add("collector answers 302", status(302))
	add("collector resets", func(w http.ResponseWriter, _ *http.Request) {
		if c, _, err := w.(http.Hijacker).Hijack(); err == nil {
			_ = c.Close()
		}
	})
	add("collector hangs", func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	})
	setups = append(setups, setup{"collector over plain http", []string{"LOQUAT_TELEMETRY_ENDPOINT=http://telemetry.example.com", "RASA_TELEMETRY_WRITE_KEY=key"}})
	return setups, func() {
		close(release)
		for _, s := range servers {
			s.Close()
		}
	}
}

func (b *telemetryBench) home(s setup) string { return filepath.Join(b.homes, s.name) }

func (b *telemetryBench) environ(s setup) []string {
	return append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + b.home(s)}, s.env...)
}

func (b *telemetryBench) command(s setup, args ...string) error {
	cmd := exec.Command(b.program, args...)
	cmd.Dir, cmd.Env = b.dir, b.environ(s)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("loquat %v: %w\n%s", args, err, out)
	}
	return nil
}

// startUp measures what a command pays before it does anything, and for recording
// an event.
func (b *telemetryBench) startUp(of setup) error {
	s := telemetry.Settings{
		LookupEnv: func(string) (string, bool) { return "", false }, Home: b.home(of),
		ConfigDir: filepath.Join(b.home(of), ".config"), CacheDir: filepath.Join(b.home(of), ".cache"),
		ProjectFiles: []string{filepath.Join(b.dir, "endpoints.yml"), filepath.Join(b.dir, "config.yml")},
	}
	var starts, records []time.Duration
	for range 10 * repeats {
		begun := time.Now()
		r := telemetry.Start(s, telemetry.Options{Notice: io.Discard, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
		started := time.Now()
		r.Record(telemetry.ProjectCreated{})
		records = append(records, time.Since(started))
		starts = append(starts, started.Sub(begun))
		r.Close(false)
	}
	b.server.row("start-up of telemetry, and recording an event", "%6.2f ms      (at most 1); %.2f us", median(starts).Seconds()*1e3, median(records).Seconds()*1e6)
	return nil
}

func median(d []time.Duration) time.Duration {
	slices.Sort(d)
	return d[len(d)/2]
}

// commands measures a whole command. The setups take turns, so that what else the
// machine does disturbs them alike; in the second round a request is due.
func (b *telemetryBench) commands(ctx context.Context, setups []setup, args []string) error {
	took := make([][]time.Duration, len(setups))
	for range repeats {
		for i, setup := range setups {
			if err := ctx.Err(); err != nil {
				return err
			}
			begun := time.Now()
			if err := b.command(setup, args...); err != nil {
				return err
			}
			took[i] = append(took[i], time.Since(begun))
		}
	}
	for i, setup := range setups {
		b.server.row(fmt.Sprintf("%s, median of %d, %s", strings.Join(args, " "), repeats, setup.name), "%6.1f ms", median(took[i]).Seconds()*1e3)
	}
	return nil
}

// forget makes a request due.
func (b *telemetryBench) forget(s setup) {
	_ = os.Remove(filepath.Join(b.home(s), ".cache", "loquat", "telemetry", "send.json"))
}

// turns measures a server at a moderate rate while a request is under way, twice,
// and keeps the quieter time.
func (b *telemetryBench) turns(s setup) error {
	best := latencies{time.Hour}
	for range 2 {
		if err := b.command(s, "data", "validate"); err != nil {
			return err
		}
		b.forget(s)
		p, err := serveWith(b.environ(s), b.program, b.dir, allCPUs()[:1], message, "--in-memory")
		if err != nil {
			return err
		}
		took, err := steady(p.address, connections, steadyRate, message, steadyTime/2)
		p.stop()
		if err != nil {
			return err
		}
		if took.percentile(99) < best.percentile(99) {
			best = took
		}
	}
	b.server.row(fmt.Sprintf("at %d turns a second, %s", steadyRate, s.name), "p50 %.2f ms, p99 %.2f ms", best.percentile(50).Seconds()*1e3, best.percentile(99).Seconds()*1e3)
	return nil
}
