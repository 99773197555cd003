package golden

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Program is the command under test: "loquat" itself, or a test binary that
// behaves like it when Env is set.
type Program struct {
	Path string
	Env  []string
}

// httpFiles are the recordings of golden/http that are compared, and those of
// channels that don't exist yet.
var (
	httpFiles = []string{
		"server.json", "rest.json", "tracker.json", "tracker_events.json", "model.json",
		"auth_token.json", "auth_jwt.json", "auth_both.json", "no_model.json", "api_off.json", "limits.json",
		"tracker_store_sqlite.json",
	}
	httpUnbuilt = map[string]string{"callback.json": "the callback channel is not built", "socketio.json": "the Socket.IO channel is not built"}
)

// HTTPChecks compares the answers of a running server with golden/http. The
// recorded project is trained and served anew for each file.
func HTTPChecks(p Program) []Check {
	var checks []Check
	for _, name := range httpFiles {
		checks = append(checks, Check{"http/" + name, func(dir string) Report {
			site := &httpSite{program: p}
			defer func() { os.RemoveAll(site.dir) }()
			return site.compare(dir, name)
		}})
	}
	for name, reason := range httpUnbuilt {
		checks = append(checks, Check{"http/" + name, func(string) Report {
			r := Report{File: "http/" + name}
			r.notCovered(reason)
			return r
		}})
	}
	slices.SortFunc(checks, func(a, b Check) int { return strings.Compare(a.File, b.File) })
	return checks
}

// httpSite is the recorded project, trained, with its action server.
type httpSite struct {
	program Program
	dir     string // a copy of the project with models/golden.tar.gz
	actions *actionServer
}

// train copies and trains the project.
func (s *httpSite) train(dir string) error {
	var files []*httpFile
	for _, name := range httpFiles {
		f, err := readHTTPFile(dir, name)
		if err != nil {
			return err
		}
		files = append(files, f)
	}
	s.actions = newActionServer(files)
	var err error
	if s.dir, err = os.MkdirTemp("", "golden-http-"); err != nil {
		return err
	}
	if err := os.CopyFS(s.dir, os.DirFS(filepath.Join(dir, "http", "project"))); err != nil {
		return err
	}
	if err := s.write("credentials.yml", "rest:\n"); err != nil {
		return err
	}
	train := s.command("train", "--fixed-model-name", "golden")
	if out, err := train.CombinedOutput(); err != nil {
		return fmt.Errorf("train the recorded project: %w\n%s", err, out)
	}
	return nil
}

// write replaces a file of the copied project.
func (s *httpSite) write(name, text string) error {
	path := filepath.Join(s.dir, name)
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return os.WriteFile(path, []byte(text), 0o644)
}

func (s *httpSite) command(args ...string) *exec.Cmd {
	cmd := exec.Command(s.program.Path, args...)
	cmd.Dir = s.dir
	cmd.Env = append(append(os.Environ(), "RASA_TELEMETRY_ENABLED=false"), s.program.Env...)
	return cmd
}

// compare replays one file against a server of its own.
func (s *httpSite) compare(dir, name string) Report {
	file := "http/" + name
	if err := s.train(dir); err != nil {
		return fail(file, err)
	}
	f, err := readHTTPFile(dir, name)
	if err != nil {
		return fail(file, err)
	}
	actions := httptest.NewServer(s.actions)
	defer actions.Close()
	s.actions.setDelay(f.actionDelay())
	server, err := s.start(f, actions.URL)
	if err != nil {
		return fail(file, err)
	}
	defer server.stop()
	r := &replay{report: Report{File: file}, file: f, server: server, spoiled: map[string]string{}, secondUser: map[string]moment{}}
	r.run()
	if f.Concurrent.Answers != nil {
		s.actions.setDelay(time.Second)
		s.actions.say(`{"events": [], "responses": [{"text": "first"}]}`)
		r.concurrent()
		s.actions.say("")
	}
	return r.report
}

// server is a running `loquat run`.
type server struct {
	address string
	cmd     *exec.Cmd
	log     *strings.Builder
	exited  chan struct{} // closed when the process is gone
	err     error         // how it ended
}

// start serves the project with the options of a recording.
func (s *httpSite) start(f *httpFile, actions string) (*server, error) {
	endpoints := "action_endpoint:\n  url: " + actions + "/webhook\n"
	args := append([]string{"run", "--endpoints", "endpoints.yml", "--credentials", "credentials.yml"}, f.flags()...)
	if f.name == "tracker_store_sqlite.json" {
		endpoints += "tracker_store:\n  type: SQL\n  dialect: sqlite\n  db: golden.db\n"
	} else {
		args = append(args, "--in-memory")
	}
	if f.Setup.Models != "" { // "an empty folder"
		args = append(args, "--model", "no-models")
		if err := os.MkdirAll(filepath.Join(s.dir, "no-models"), 0o755); err != nil {
			return nil, err
		}
	}
	if err := s.write("endpoints.yml", endpoints); err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	args = append(args, "--interface", "127.0.0.1", "--port", strconv.Itoa(port))
	server := &server{address: net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), log: &strings.Builder{}, exited: make(chan struct{})}
	server.cmd = s.command(args...)
	server.cmd.Stdout, server.cmd.Stderr = server.log, server.log
	if err := server.cmd.Start(); err != nil {
		return nil, err
	}
	go func() { server.err = server.cmd.Wait(); close(server.exited) }()
	return server, server.wait()
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// wait returns when the server answers, or can't.
func (s *server) wait() error {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.address+"/", nil)
		if err != nil {
			return err
		}
		if resp, err := http.DefaultClient.Do(request); err == nil {
			resp.Body.Close()
			return nil
		}
		select {
		case <-s.exited:
			return fmt.Errorf("the server ended: %w\n%s", s.err, s.log)
		case <-ctx.Done():
			s.stop()
			return fmt.Errorf("the server does not answer\n%s", s.log)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func (s *server) stop() {
	s.cmd.Process.Signal(os.Interrupt)
	select {
	case <-s.exited:
		return
	case <-time.After(10 * time.Second):
		s.cmd.Process.Kill()
	}
	<-s.exited
}
