package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// process is a running server.
type process struct {
	cmd     *exec.Cmd
	address string
	log     *strings.Builder
	answer  time.Duration // from its start to its first answer
}

// serve starts `loquat run` in dir, bound to the given CPUs, and waits for its
// first answer to a message.
func serve(program, dir string, cpus []int, message string, args ...string) (*process, error) {
	return serveWith(append(os.Environ(), "RASA_TELEMETRY_ENABLED=false"), program, dir, cpus, message, args...)
}

// serveWith is serve in an environment.
func serveWith(env []string, program, dir string, cpus []int, message string, args ...string) (*process, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	p := &process{address: net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), log: &strings.Builder{}}
	p.cmd = exec.Command(program, append([]string{"run", "--interface", "127.0.0.1", "--port", strconv.Itoa(port)}, args...)...)
	p.cmd.Dir = dir
	p.cmd.Env = append(env, fmt.Sprintf("GOMAXPROCS=%d", len(cpus)))
	p.cmd.Stdout, p.cmd.Stderr = p.log, p.log
	start := time.Now()
	if err := startOn(cpus, p.cmd); err != nil {
		return nil, err
	}
	if err := p.firstAnswer(message); err != nil {
		p.stop()
		return nil, fmt.Errorf("%w\n%s", err, p.log)
	}
	p.answer = time.Since(start)
	return p, nil
}

// startOn starts a command that may use the given CPUs only.
func startOn(cpus []int, cmd *exec.Cmd) error {
	runtime.LockOSThread() // a new process inherits the CPUs of the thread that starts it
	defer runtime.UnlockOSThread()
	var before, during unix.CPUSet
	if err := unix.SchedGetaffinity(0, &before); err != nil {
		return err
	}
	for _, cpu := range cpus {
		during.Set(cpu)
	}
	if err := unix.SchedSetaffinity(0, &during); err != nil {
		return err
	}
	err := cmd.Start()
	return cmpErr(err, unix.SchedSetaffinity(0, &before))
}

func cmpErr(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

func (p *process) firstAnswer(message string) error {
	body := fmt.Sprintf(`{"sender":"first","message":%q}`, message)
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		resp, err := http.Post("http://"+p.address+"/webhooks/rest/webhook", "application/json", strings.NewReader(body))
		if err != nil {
			continue
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return fmt.Errorf("the first answer is %s", resp.Status)
		}
		return nil
	}
	return fmt.Errorf("%s does not answer", p.address)
}

// resident returns the memory of the process, in bytes.
func (p *process) resident() (int64, error) { return memory(p.cmd.Process.Pid, "VmRSS:") }

// memory reads one of the sizes that the kernel keeps of a process, in bytes.
func memory(pid int, name string) (int64, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(data)) {
		if value, ok := strings.CutPrefix(line, name); ok {
			kilobytes, err := strconv.ParseInt(strings.Fields(value)[0], 10, 64)
			return kilobytes << 10, err
		}
	}
	return 0, fmt.Errorf("no %s of process %d", name, pid)
}

// cpuTime returns the time that the process has computed.
func (p *process) cpuTime() (time.Duration, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(data), ") ")
	fields := strings.Fields(rest) // from the third on: state, ppid ...
	var ticks int64
	for _, field := range fields[11:13] { // utime, stime
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, err
		}
		ticks += n
	}
	return time.Duration(ticks) * (time.Second / 100), nil // USER_HZ is 100 on Linux
}

func (p *process) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	done := make(chan struct{})
	go func() { _ = p.cmd.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		_ = p.cmd.Process.Kill()
		<-done
	}
}

// copyProject copies a project without what was made of it.
func copyProject(from, to string) error {
	return filepath.WalkDir(from, func(path string, entry os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if name == "models" || strings.HasPrefix(entry.Name(), ".") && name != "." {
				return filepath.SkipDir
			}
			return os.MkdirAll(filepath.Join(to, name), 0o755)
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, name), data, 0o644)
	})
}
