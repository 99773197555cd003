package endtoend

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// calls are what a traced command asked the operating system for.
type calls struct {
	connects []string // addresses
	opened   []string // files that were opened, or looked for, outside of the project
	changed  []string // files that were created, written or renamed outside of the project
}

var (
	quoted  = regexp.MustCompile(`"((?:[^"\\]|\\.)*)"`)
	changes = regexp.MustCompile(`O_WRONLY|O_RDWR|O_CREAT`)
)

// traced runs a command under strace. Paths in a new network namespace would show
// the same for connections; strace shows files as well.
func (i *installation) traced(args ...string) calls {
	i.t.Helper()
	strace, err := exec.LookPath("strace")
	if err != nil {
		i.t.Skip("skipped: strace is not installed here")
	}
	log := filepath.Join(i.t.TempDir(), "strace")
	traced := append([]string{program(i.t)}, args...)
	if args[0] == "run" { // for a moment
		traced = append([]string{"timeout", "--foreground", "--preserve-status", "1", program(i.t), "run", "--interface", "127.0.0.1", "--port", freePort(i.t)}, args[1:]...)
	}
	cmd := exec.Command(strace, append([]string{"-f", "-qq", "-s", "4096", "-o", log, "-e", "trace=network,%file"}, traced...)...)
	cmd.Dir, cmd.Env = i.dir, i.environ()
	cmd.Stdin = strings.NewReader("hello\n/stop\n")
	if out, err := cmd.CombinedOutput(); err != nil {
		if strings.Contains(string(out), "PTRACE") {
			i.t.Skipf("skipped: strace may not trace here: %s", out)
		}
		i.t.Fatalf("loquat %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	data, err := os.ReadFile(log)
	if err != nil {
		i.t.Fatal(err)
	}
	var c calls
	for line := range strings.Lines(string(data)) {
		_, call, _ := strings.Cut(strings.TrimSpace(line), " ")
		call = strings.TrimSpace(call)
		name, _, _ := strings.Cut(call, "(")
		switch name {
		case "connect", "sendto", "sendmsg":
			if !strings.Contains(call, "AF_UNIX") && !strings.Contains(call, "AF_NETLINK") {
				c.connects = append(c.connects, call)
			}
		case "openat", "open", "creat", "mkdir", "mkdirat", "rename", "renameat", "renameat2", "unlinkat", "unlink", "symlinkat", "linkat",
			"newfstatat", "stat", "statx", "access", "faccessat", "faccessat2", "readlinkat":
			c.file(i, name, call)
		}
	}
	return c
}

// file notes a call about files.
func (c *calls) file(i *installation, name, call string) {
	for _, m := range quoted.FindAllStringSubmatch(call, -1) {
		path := m[1]
		if !filepath.IsAbs(path) || strings.HasPrefix(path, i.dir) || strings.HasPrefix(path, "/dev/") {
			continue // relative paths are the project's: the commands run in it
		}
		switch {
		case strings.HasPrefix(name, "mkdir"), strings.HasPrefix(name, "rename"), strings.HasPrefix(name, "unlink"), strings.HasPrefix(name, "symlink"),
			strings.HasPrefix(name, "link"), name == "creat", changes.MatchString(call):
			c.changed = append(c.changed, call)
		}
		c.opened = append(c.opened, path)
	}
}

// aboutTelemetry are the files that only telemetry would look at.
func (c calls) aboutTelemetry(i *installation) []string {
	var out []string
	for _, path := range c.opened {
		inHome := strings.HasPrefix(path, i.home)
		machine := strings.HasPrefix(path, "/sys/class/") || strings.HasPrefix(path, "/proc/driver") || path == "/.dockerenv" || path == "/run/.containerenv"
		if inHome || machine {
			out = append(out, strings.TrimPrefix(path, i.home))
		}
	}
	return out
}

// TestOffMeansOff watches what commands do with each switch: they connect to
// nothing, change nothing outside of the project, and read the state file at most.
func TestOffMeansOff(t *testing.T) {
	c := newCollector(t, nil)
	const state = "/.config/loquat/global.yml"
	for name, off := range map[string]struct {
		set    func(i *installation) *installation
		reads  []string // allowed
		always bool     // and read each time
	}{
		"DO_NOT_TRACK": {func(i *installation) *installation { return i.with(map[string]string{"DO_NOT_TRACK": "1"}) }, nil, false},
		"RASA_TELEMETRY_ENABLED": {func(i *installation) *installation {
			return i.with(map[string]string{"RASA_TELEMETRY_ENABLED": "false"})
		}, nil, false},
		"project": {func(i *installation) *installation {
			i.write("endpoints.yml", "telemetry: {enabled: false}\n")
			return i
		}, nil, false},
		"stored choice": {func(i *installation) *installation { i.ok("telemetry", "disable"); return i }, []string{state}, true},
		"unreadable state": {func(i *installation) *installation {
			if err := os.WriteFile(filepath.Join(i.home, filepath.FromSlash(state)), []byte("["), 0o600); err != nil {
				t.Fatal(err)
			}
			return i
		}, []string{state}, true},
		"Rasa's choice": {func(i *installation) *installation {
			if err := os.RemoveAll(filepath.Join(i.home, ".config")); err != nil {
				t.Fatal(err)
			}
			dir := filepath.Join(i.home, ".config", "rasa")
			if err := os.MkdirAll(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, "global.yml"), []byte("metrics: {enabled: false}\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			return i
		}, []string{state, "/.config/rasa/global.yml"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			i := off.set(install(t).seen().with(c.env()))
			for _, args := range [][]string{{"train"}, {"data", "validate"}, {"test", "nlu", "--no-plot"}, {"shell"}, {"run", "--enable-api"}} {
				got := i.traced(args...)
				if len(got.connects) > 0 || len(got.changed) > 0 {
					t.Errorf("loquat %v: connects %v, changes %v", args, got.connects, got.changed)
				}
				allowed := map[string]bool{}
				for _, path := range off.reads {
					allowed[path] = true
				}
				read := false
				for _, path := range got.aboutTelemetry(i) {
					read = read || path == state
					if !allowed[path] {
						t.Errorf("loquat %v looks at %s", args, path)
					}
				}
				if off.always != read {
					t.Errorf("loquat %v: state file read %v", args, read)
				}
			}
		})
	}
	if c.count() != 0 {
		t.Errorf("%d requests", c.count())
	}
}

// TestOnlyTheCollectorIsContacted watches what commands connect to while telemetry is
// on. It shows as well that the watching above would see something.
func TestOnlyTheCollectorIsContacted(t *testing.T) {
	c := newCollector(t, nil)
	i := install(t).seen().with(c.env())
	i.write("data/stories.yml", "stories: [{story: hello, steps: [{intent: greet}, {action: utter_greet}]}]\n")
	i.ok("train")
	_, port, _ := strings.Cut(strings.TrimPrefix(c.URL, "http://"), ":")
	for _, args := range [][]string{{"data", "validate"}, {"train", "--force"}, {"test", "--no-plot"}, {"test", "core", "--no-plot"}, {"shell"}, {"visualize"}, {"run"}, {"data", "split", "nlu"}, {"init", "--no-prompt", "--init-dir", "made"}} {
		// A command may end before its request has begun: then it runs again.
		var got calls
		for deadline := time.Now().Add(30 * time.Second); len(got.connects) == 0 && time.Now().Before(deadline); {
			i.leaveWaiting()
			got = i.traced(args...)
			for _, call := range got.connects {
				if strings.HasPrefix(call, "connect") && !(strings.Contains(call, "htons("+port+")") && strings.Contains(call, `"127.0.0.1"`)) {
					t.Errorf("loquat %v: another connection: %s", args, call)
				}
			}
		}
		if len(got.connects) == 0 || len(got.changed) == 0 || len(got.aboutTelemetry(i)) == 0 {
			t.Errorf("loquat %v: switched on, nothing is seen: %+v", args, got)
		}
	}
}

// changing is what differs between two runs of the same command.
var changing = regexp.MustCompile(`\d{8}-\d{6}-[a-z]+-[a-z]+|\d+(\.\d+)?(ms|s|µs)\b|time=\S+`)

// TestOutputIsTheSameOnLocalAndOff compares the bytes that commands print.
func TestOutputIsTheSameOnLocalAndOff(t *testing.T) {
	c := newCollector(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) })
	i := install(t).seen()
	i.ok("train")
	modes := []*installation{
		i.with(map[string]string{"RASA_TELEMETRY_ENABLED": "false"}), i, i.with(c.env()),
	}
	for _, args := range [][]string{{"train"}, {"train", "--force"}, {"test", "--no-plot"}, {"data", "validate"}, {"shell"}, {"shell", "nlu"}, {"train", "--config", "none.yml"}} {
		var want outcome
		for n, mode := range modes {
			got := mode.loquatOn("hello\n/stop\n", args...)
			got.stdout, got.stderr = changing.ReplaceAllString(got.stdout, "_"), sortedLines(changing.ReplaceAllString(got.stderr, "_"))
			if n == 0 {
				want = got
			} else if diff := cmp.Diff(want, got, cmp.AllowUnexported(outcome{})); diff != "" {
				t.Errorf("loquat %v (-off +%s):\n%s", args, mode.status().Mode, diff)
			}
		}
	}
	var want string
	for n, mode := range modes {
		server := mode.serve()
		server.stop()
		port := server.url[strings.LastIndex(server.url, ":"):]
		got := strings.ReplaceAll(changing.ReplaceAllString(server.log.String(), "_"), port, "")
		if n == 0 {
			want = got
		} else if got != want {
			t.Errorf("loquat run (-off +%s):\n%s", mode.status().Mode, cmp.Diff(want, got))
		}
	}
}

// sortedLines takes away the order in which nodes of a training end.
func sortedLines(s string) string {
	lines := strings.Split(s, "\n")
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// TestOffIsImmediate fills the spool and switches off, with a server running.
func TestOffIsImmediate(t *testing.T) {
	c := newCollector(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) })
	i := install(t).seen().with(c.env())
	i.ok("train")
	server := i.serve()
	for range 3 {
		i.ok("data", "validate")
	}
	if i.status().Spool.Events == 0 {
		t.Fatal("nothing waits")
	}
	if out := i.loquat("telemetry", "disable"); out.code != 0 || out.stderr != "" {
		t.Fatalf("%+v", out)
	}
	before := c.count()
	if n := i.status().Spool.Events; n != 0 {
		t.Errorf("%d reports wait", n)
	}
	i.forgetSending()
	for range 3 {
		i.ok("data", "validate")
	}
	server.post("/model/test/intents", "nlu: [{intent: greet, examples: \"- hello\\n\"}]")
	if c.count() != before {
		t.Errorf("%d requests after disable had returned", c.count()-before)
	}
	if n := i.status().Spool.Events; n != 0 {
		t.Errorf("%d reports were recorded", n)
	}
	o := i.with(map[string]string{"RASA_TELEMETRY_ENABLED": "false"}).loquat("telemetry", "enable")
	if o.code != 0 || !strings.Contains(o.stderr, "has no effect") {
		t.Errorf("enable with the variable set to false: %+v", o)
	}
	o = i.with(map[string]string{"RASA_TELEMETRY_ENABLED": "true"}).loquat("telemetry", "disable")
	if o.code != 0 || !strings.Contains(o.stderr, "has no effect") || !strings.Contains(o.stdout, "Telemetry is on") {
		t.Errorf("disable with the variable set to true: %+v", o)
	}
	i.ok("telemetry", "enable")
	// The server that was running goes on with the new identity.
	server.post("/model/test/intents", "nlu: [{intent: greet, examples: \"- hello\\n\"}]")
	server.stop()
	last := i.recorded()
	if got := last[len(last)-1]; got["event"] != "Model NLU Tested" || got["userId"] != i.status().ID {
		t.Errorf("after enable the server recorded %v", got)
	}
	before = c.accept().count()
	i.deliver(func() bool { return c.count() > before && i.status().LastSent != "" })
}
