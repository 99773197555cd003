package endtoend

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/loquat-dev/loquat/internal/telemetry"
)

// installation is a user's home with a project, and the program.
type installation struct {
	t         *testing.T
	home, dir string
	env       map[string]string
}

func install(t *testing.T) *installation {
	t.Helper()
	i := &installation{t: t, home: t.TempDir(), dir: t.TempDir(), env: map[string]string{}}
	writeProject(t, i.dir)
	i.write(".git/config", "[remote \"origin\"]\n\turl = https://example.com/acme/bot.git\n")
	return i
}

func (i *installation) write(name, text string) {
	i.t.Helper()
	path := filepath.Join(i.dir, filepath.FromSlash(name))
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
		i.t.Fatal(err)
	}
}

// with is the same installation with other variables.
func (i *installation) with(env map[string]string) *installation {
	other := *i
	other.env = maps.Clone(i.env)
	maps.Copy(other.env, env)
	return &other
}

func (i *installation) environ() []string {
	out := []string{"PATH=" + os.Getenv("PATH"), "HOME=" + i.home, asProgram + "=1", "GORACE=" + os.Getenv("GORACE")}
	for k, v := range i.env {
		out = append(out, k+"="+v)
	}
	return out
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

type outcome struct {
	stdout, stderr string
	code           int
}

// loquat runs a command to its end.
func (i *installation) loquat(args ...string) outcome { return i.loquatOn("", args...) }

func (i *installation) loquatOn(stdin string, args ...string) outcome {
	i.t.Helper()
	return i.run(stdin, exec.Command(program(i.t), args...))
}

// onAFullDisk runs a command that can make files and write nothing into them.
func (i *installation) onAFullDisk(args ...string) outcome {
	i.t.Helper()
	return i.run("", exec.Command("sh", append([]string{"-c", `ulimit -f 0; exec "$0" "$@"`, program(i.t)}, args...)...))
}

func (i *installation) run(stdin string, cmd *exec.Cmd) outcome {
	i.t.Helper()
	cmd.Dir, cmd.Env = i.dir, i.environ()
	var stdout, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &stdout, &stderr
	err := cmd.Run()
	if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited {
		i.t.Fatal(err)
	}
	return outcome{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

// ok runs a command that must succeed and returns its standard output.
func (i *installation) ok(args ...string) string {
	i.t.Helper()
	o := i.loquat(args...)
	if o.code != 0 {
		i.t.Fatalf("loquat %s: %d\n%s%s", strings.Join(args, " "), o.code, o.stdout, o.stderr)
	}
	return o.stdout
}

// recorded are the reports of the local log, each judged by the schemas.
func (i *installation) recorded() []map[string]any {
	i.t.Helper()
	var out []map[string]any
	decoder := json.NewDecoder(strings.NewReader(i.ok("telemetry", "log", "--json", "-n", "10000")))
	for {
		var entry telemetry.Entry
		if err := decoder.Decode(&entry); errors.Is(err, io.EOF) {
			return out
		} else if err != nil {
			i.t.Fatal(err)
		}
		report, err := telemetry.Decode(entry.Report)
		if err == nil {
			err = telemetry.Validate(report)
		}
		if err != nil {
			i.t.Errorf("%v: %s", err, entry.Report)
		}
		out = append(out, report)
	}
}

// names counts reports by event.
func names(reports []map[string]any) map[string]int {
	out := map[string]int{}
	for _, r := range reports {
		out[r["event"].(string)]++
	}
	return out
}

func properties(reports []map[string]any, event string) map[string]any {
	for _, r := range slices.Backward(reports) {
		if r["event"] == event {
			return r["properties"].(map[string]any)
		}
	}
	return nil
}

func (i *installation) status() telemetry.Status {
	i.t.Helper()
	var s telemetry.Status
	if err := json.Unmarshal([]byte(i.ok("telemetry", "status", "--json")), &s); err != nil {
		i.t.Fatal(err)
	}
	return s
}

// collector records whatever reaches it.
type collector struct {
	*httptest.Server
	mu       sync.Mutex
	requests int
	bytes    []byte // of all requests, heads and bodies
	reports  []map[string]any
	accepts  bool // whatever answer says
}

func newCollector(t *testing.T, answer http.HandlerFunc) *collector {
	c := &collector{}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var batch struct {
			Batch []json.RawMessage `json:"batch"`
		}
		_ = json.Unmarshal(body, &batch)
		c.mu.Lock()
		c.requests++
		c.bytes = append(fmt.Appendf(c.bytes, "%s %s %v\n", r.Method, r.URL, r.Header), body...)
		for _, item := range batch.Batch {
			if report, err := telemetry.Decode(item); err == nil {
				c.reports = append(c.reports, report)
			}
		}
		accepts := c.accepts
		c.mu.Unlock()
		if answer != nil && !accepts {
			answer(w, r)
		}
	}))
	t.Cleanup(c.Close)
	return c
}

func (c *collector) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.requests
}

func (c *collector) env() map[string]string {
	return map[string]string{"LOQUAT_TELEMETRY_ENDPOINT": c.URL, "RASA_TELEMETRY_WRITE_KEY": "key"}
}

// seen makes the installation one that has seen the notice.
func (i *installation) seen() *installation {
	i.t.Helper()
	i.ok("telemetry", "enable")
	return i
}

// deliver runs a server, which sends what waits, until ready says so.
func (i *installation) deliver(ready func() bool) {
	i.t.Helper()
	i.forgetSending()
	server := i.serve()
	defer server.stop()
	for range 600 {
		if ready() {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	i.t.Errorf("what waits is not sent: %+v\n%s", i.status(), server.log)
}

// sendingState is where the time of the next request is kept.
func (i *installation) sendingState() string {
	return filepath.Join(i.home, ".cache", "loquat", "telemetry", "send.json")
}

// forgetSending lets the next request be made at once.
func (i *installation) forgetSending() { _ = os.Remove(i.sendingState()) }

// leaveWaiting makes a report that the next command has to send.
func (i *installation) leaveWaiting() {
	i.t.Helper()
	later := fmt.Sprintf(`{"not_before": %q}`, time.Now().Add(time.Hour).UTC().Format(time.RFC3339))
	if err := os.WriteFile(i.sendingState(), []byte(later), 0o600); err != nil {
		i.t.Fatal(err)
	}
	i.ok("data", "validate")
	i.forgetSending()
}

// accept makes the collector take everything from now on.
func (c *collector) accept() *collector {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.accepts = true
	return c
}
