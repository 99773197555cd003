package interop_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/loquat-dev/loquat/internal/sharedtest"
)

var update = flag.Bool("update", false, "write the expected trees")

// setting returns a variable, or skips the test, or fails it where the backends
// are there on purpose.
func setting(t testing.TB, name string) string {
	t.Helper()
	v := os.Getenv(name)
	if v == "" && os.Getenv("LOQUAT_TEST_BACKENDS") == "required" {
		t.Fatalf("%s is not set, though .ci/backends/start has run", name)
	}
	if v == "" {
		t.Skipf("skipped: %s is not set; .ci/backends/start starts what it names, .ci/backends/env sets it", name)
	}
	return v
}

// binary is the program as make build leaves it. Where no backends were asked for
// and it is not there, the test is skipped.
func binary(t testing.TB) string {
	t.Helper()
	file := filepath.Join(sharedtest.ModuleRoot(t), "bin", "loquat")
	if _, err := os.Stat(file); err != nil {
		if os.Getenv("LOQUAT_TEST_BACKENDS") != "required" {
			t.Skip("skipped: bin/loquat is not there; make build builds it")
		}
		t.Fatalf("%v: run make build first", err)
	}
	return file
}

// bot copies the assistant with the given endpoints file into a fresh folder. A
// model is in it already.
func bot(t testing.TB, endpoints string) string {
	t.Helper()
	dir := untrainedBot(t, endpoints)
	trainOnce.Do(func() { trainedModel, trainError = trainBot(t) })
	if trainError != nil {
		t.Fatal(trainError)
	}
	if err := os.MkdirAll(filepath.Join(dir, "models"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "models", "tracebot.tar.gz"), trainedModel, 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

var (
	trainOnce    sync.Once
	trainedModel []byte
	trainError   error
)

func trainBot(t testing.TB) ([]byte, error) {
	dir := untrainedBot(t, "{}\n")
	if out, err := run(t, dir, nil, "train", "--fixed-model-name", "tracebot"); err != nil {
		return nil, fmt.Errorf("train: %w\n%s", err, out)
	}
	return os.ReadFile(filepath.Join(dir, "models", "tracebot.tar.gz"))
}

func untrainedBot(t testing.TB, endpoints string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(sharedtest.ModuleRoot(t), "testdata", "tracebot"))); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "endpoints.yml"), []byte(endpoints), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

// run runs a command of the binary to its end.
func run(t testing.TB, dir string, env []string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.Command(binary(t), args...)
	cmd.Dir, cmd.Env = dir, append(append(os.Environ(), "RASA_TELEMETRY_ENABLED=false"), env...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// process is a program in the background whose output is kept.
type process struct {
	cmd *exec.Cmd
	out *output
}

type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// launch starts a program and waits until ready says so.
func launch(t testing.TB, dir string, env []string, ready func() bool, name string, args ...string) *process {
	t.Helper()
	p := &process{cmd: exec.Command(name, args...), out: &output{}}
	p.cmd.Dir, p.cmd.Env = dir, append(append(os.Environ(), "RASA_TELEMETRY_ENABLED=false"), env...)
	p.cmd.Stdout, p.cmd.Stderr = p.out, p.out
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // so that stop finds its children
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.stop)
	for deadline := time.Now().Add(60 * time.Second); !ready(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) || p.cmd.Process.Signal(syscall.Signal(0)) != nil {
			t.Fatalf("%s did not start:\n%s", filepath.Base(name), p.out)
		}
	}
	return p
}

// stop asks the program to end, and waits for it and for those that it started:
// workers of an action server may outlive it, with its output open.
func (p *process) stop() {
	if p.cmd.ProcessState != nil {
		return
	}
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	timer := time.AfterFunc(15*time.Second, func() { _ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL) })
	defer timer.Stop()
	_ = p.cmd.Wait()
}

func freePort(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

func listening(address string) func() bool {
	return func() bool {
		c, err := net.DialTimeout("tcp", address, time.Second)
		if err != nil {
			return false
		}
		return c.Close() == nil
	}
}

// server is a running assistant.
type server struct {
	*process
	t   testing.TB
	url string
}

// serve starts an assistant. Spans are exported soon after they end.
func serve(t testing.TB, endpoints string) *server {
	t.Helper()
	port := freePort(t)
	dir := bot(t, endpoints)
	env := []string{"OTEL_BSP_SCHEDULE_DELAY=100", "OTEL_BSP_MAX_QUEUE_SIZE=100000"}
	p := launch(t, dir, env, listening("127.0.0.1:"+port), binary(t), "run", "--interface", "127.0.0.1", "--port", port, "--in-memory")
	return &server{p, t, "http://127.0.0.1:" + port}
}

// say sends a message over REST, below the given span, and returns the answers'
// texts.
func (s *server) say(sender, text, traceparent string) []string {
	s.t.Helper()
	answers, err := s.post(sender, text, traceparent)
	if err != nil {
		s.t.Fatalf("%v\n%s", err, s.out)
	}
	return answers
}

func (s *server) post(sender, text, traceparent string) ([]string, error) {
	body, err := json.Marshal(map[string]string{"sender": sender, "message": text})
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequest(http.MethodPost, s.url+"/webhooks/rest/webhook", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	if traceparent != "" {
		request.Header.Set("traceparent", traceparent)
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		return nil, errors.Join(err, fmt.Errorf("%s: %s", response.Status, data))
	}
	var messages []struct{ Text string }
	if err := json.Unmarshal(data, &messages); err != nil {
		return nil, err
	}
	var texts []string
	for _, m := range messages {
		texts = append(texts, m.Text)
	}
	return texts, nil
}

var client = &http.Client{Timeout: 60 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 100}}

// actionServer starts rasa-sdk of a version with its own endpoints file and
// returns the URL of its webhook.
func actionServer(t testing.TB, version, endpoints string, env ...string) string {
	t.Helper()
	port := freePort(t)
	url := "http://127.0.0.1:" + port
	healthy := func() bool {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		r, _ := http.NewRequestWithContext(ctx, http.MethodGet, url+"/health", nil)
		response, err := client.Do(r)
		if err != nil {
			return false
		}
		return response.Body.Close() == nil && response.StatusCode == http.StatusOK
	}
	launchSDK(t, version, endpoints, port, healthy, env)
	return url + "/webhook"
}

// actionServerRPC starts rasa-sdk over gRPC and returns its URL.
func actionServerRPC(t testing.TB, version string) string {
	t.Helper()
	port := freePort(t)
	launchSDK(t, version, "{}\n", port, listening("127.0.0.1:"+port), nil, "--grpc")
	return "grpc://127.0.0.1:" + port
}

func launchSDK(t testing.TB, version, endpoints, port string, ready func() bool, env []string, flags ...string) {
	t.Helper()
	launchActions(t, version, filepath.Join(sharedtest.ModuleRoot(t), "testdata", "tracebot"), "actions.actions", endpoints, port, ready, env, flags...)
}

// launchPython starts rasa-sdk with the actions of a module below a folder, and
// returns the URL of its webhook.
func launchPython(t testing.TB, version, folder, module string) string {
	t.Helper()
	port := freePort(t)
	launchActions(t, version, folder, module, "{}\n", port, listening("127.0.0.1:"+port), nil)
	return "http://127.0.0.1:" + port + "/webhook"
}

func launchActions(t testing.TB, version, folder, module, endpoints, port string, ready func() bool, env []string, flags ...string) {
	t.Helper()
	python := ""
	for _, pair := range strings.Fields(setting(t, "LOQUAT_TEST_RASA_SDK")) {
		if v, path, _ := strings.Cut(pair, "="); v == version {
			python = path
		}
	}
	if python == "" {
		t.Skipf("skipped: rasa-sdk %s is not installed; .ci/backends/rasa-sdk.sh install does it", version)
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(folder)); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "sdk-endpoints.yml")
	if err := os.WriteFile(file, []byte(endpoints), 0o644); err != nil {
		t.Fatal(err)
	}
	env = append(env, "SANIC_HOST=127.0.0.1", "OTEL_BSP_SCHEDULE_DELAY=200", "PYTHONDONTWRITEBYTECODE=1")
	args := append([]string{"-m", "rasa_sdk", "--actions", module, "--port", port, "--endpoints", file}, flags...)
	launch(t, dir, env, ready, python, args...)
}
