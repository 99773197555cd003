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

// How often something is measured in one run. What is compared takes turns in each
// round, in another order each time, so that what else the machine does disturbs all
// alike. It only ever makes things slower: figures are the lower quartile of the rounds,
// which is what the quieter ones agree on.
const (
	commandRounds = 40
	turnRounds    = 24
	turnTime      = 700 * time.Millisecond // less than a request may hang
)

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
	if err := b.startUp(ctx, setups[1]); err != nil {
		return err
	}
	for _, args := range [][]string{{"data", "validate"}, {"train"}} {
		err := b.compare(ctx, setups, commandRounds, strings.Join(args, " "), []string{"ms", "of CPU"}, func(s setup) ([]time.Duration, error) {
			return b.timed(s, args...)
		})
		if err != nil {
			return err
		}
	}
	var during []setup // those that differ for a server
	for _, s := range setups {
		if slices.Contains([]string{"off", "local", "collector answers 200", "collector hangs", "no collector there"}, s.name) {
			during = append(during, s)
		}
	}
	return b.compare(ctx, during, turnRounds, fmt.Sprintf("%d turns a second", steadyRate), []string{"ms p50", "ms p99"}, b.turns)
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
	setups = append(setups, setup{"no collector there", []string{"LOQUAT_TELEMETRY_ENDPOINT=http://127.0.0.1:1", "RASA_TELEMETRY_WRITE_KEY=key"}})
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
	_, err := b.timed(s, args...)
	return err
}

// timed runs a command and returns how long it took, and its time on processors.
func (b *telemetryBench) timed(s setup, args ...string) ([]time.Duration, error) {
	cmd := exec.Command(b.program, args...)
	cmd.Dir, cmd.Env = b.dir, b.environ(s)
	begun := time.Now()
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("loquat %v: %w\n%s", args, err, out)
	}
	took := time.Since(begun)
	return []time.Duration{took, cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()}, nil
}

// startUp measures what a command pays before it does anything, in fresh processes:
// this program, which does nothing else then.
func (b *telemetryBench) startUp(ctx context.Context, of setup) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	took := make([][]time.Duration, 2)
	for range commandRounds {
		out, err := exec.CommandContext(ctx, self, "telemetry-start", b.home(of), b.dir).Output()
		if err != nil {
			return err
		}
		for i, text := range strings.Fields(string(out)) {
			d, err := time.ParseDuration(text)
			if err != nil {
				return err
			}
			took[i] = append(took[i], d)
		}
	}
	b.server.row(fmt.Sprintf("start-up of telemetry, and recording an event, %d processes", commandRounds),
		"%6.2f ms      (at most 1); %.2f us", quiet(took[0]).Seconds()*1e3, quiet(took[1]).Seconds()*1e6)
	return nil
}

// telemetryStart starts telemetry once, as a command does, records events, and prints
// how long the start and one event took.
func telemetryStart(home, project string) {
	s := telemetry.Settings{
		LookupEnv: func(string) (string, bool) { return "", false }, Home: home, GitRemote: func() string { return "" },
		ConfigDir: filepath.Join(home, ".config"), CacheDir: filepath.Join(home, ".cache"),
		ProjectFiles: []string{filepath.Join(project, "endpoints.yml"), filepath.Join(project, "config.yml")},
	}
	begun := time.Now()
	r := telemetry.Start(s, telemetry.Options{Notice: io.Discard, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	started := time.Now()
	const events = 50 // fewer than may wait
	for range events {
		r.Record(telemetry.ProjectCreated{})
	}
	recorded := time.Since(started)
	fmt.Println(started.Sub(begun), recorded/events)
	r.Close(true)
}

// quiet is the lower quartile.
func quiet(d []time.Duration) time.Duration {
	return slices.Sorted(slices.Values(d))[len(d)/4]
}

// compare measures all setups in turn, and prints each figure, and what it has on top
// of that of the first setup.
func (b *telemetryBench) compare(ctx context.Context, setups []setup, rounds int, what string, figures []string, measure func(setup) ([]time.Duration, error)) error {
	took := make([][][]time.Duration, len(setups)) // setup, figure, round
	for i := range took {
		took[i] = make([][]time.Duration, len(figures))
	}
	for round := range rounds {
		for n := range setups {
			i := (n + round) % len(setups)
			if err := ctx.Err(); err != nil {
				return err
			}
			measured, err := measure(setups[i])
			if err != nil {
				return err
			}
			for f := range figures {
				took[i][f] = append(took[i][f], measured[f])
			}
		}
	}
	for i, setup := range setups {
		var texts []string
		for f, figure := range figures {
			of := quiet(took[i][f])
			texts = append(texts, fmt.Sprintf("%.2f (%+.2f) %s", of.Seconds()*1e3, (of-quiet(took[0][f])).Seconds()*1e3, figure))
		}
		b.server.row(fmt.Sprintf("%s, %d rounds, %s", what, rounds, setup.name), "%s", strings.Join(texts, ", "))
	}
	return nil
}

// turns measures a server at a moderate rate while its request is under way.
func (b *telemetryBench) turns(s setup) ([]time.Duration, error) {
	if err := b.command(s, "data", "validate"); err != nil { // so that something is to be sent
		return nil, err
	}
	_ = os.Remove(filepath.Join(b.home(s), ".cache", "loquat", "telemetry", "send.json")) // and is due
	p, err := serveWith(b.environ(s), b.program, b.dir, allCPUs()[:1], message, "--in-memory")
	if err != nil {
		return nil, err
	}
	took, err := steady(p.address, connections, steadyRate, message, turnTime)
	p.stop()
	if err != nil {
		return nil, err
	}
	return []time.Duration{took.percentile(50), took.percentile(99)}, nil
}
