package endtoend

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// openTerminal returns both ends of a pseudo-terminal.
func openTerminal(t *testing.T) (ours, theirs *os.File) {
	t.Helper()
	ours, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skipf("skipped: there are no pseudo-terminals here: %v", err)
	}
	t.Cleanup(func() { _ = ours.Close() })
	var n int
	unlock := unix.IoctlSetPointerInt(int(ours.Fd()), unix.TIOCSPTLCK, 0)
	n, err = unix.IoctlGetInt(int(ours.Fd()), unix.TIOCGPTN)
	if err != nil || unlock != nil {
		t.Skipf("skipped: pseudo-terminals do not work here: %v, %v", err, unlock)
	}
	theirs, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR, 0)
	if err != nil {
		t.Skipf("skipped: pseudo-terminals do not work here: %v", err)
	}
	t.Cleanup(func() { _ = theirs.Close() })
	return ours, theirs
}

// onTerminal runs a command whose standard input and error are a terminal, where
// somebody types.
func (i *installation) onTerminal(typed string, args ...string) (stdout, screen string) {
	i.t.Helper()
	ours, theirs := openTerminal(i.t)
	cmd := exec.Command(program(i.t), args...)
	cmd.Dir, cmd.Env = i.dir, i.environ()
	var out bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = theirs, &out, theirs
	if _, err := ours.WriteString(typed); err != nil {
		i.t.Fatal(err)
	}
	if err := cmd.Run(); err != nil {
		i.t.Fatalf("loquat %s: %v\n%s", strings.Join(args, " "), err, out.String())
	}
	if _, err := theirs.WriteString("\x04\n"); err != nil { // marks the end of what is on the screen
		i.t.Fatal(err)
	}
	var b []byte
	for buffer := make([]byte, 4096); !bytes.Contains(b, []byte("\x04")); {
		n, err := ours.Read(buffer)
		if err != nil {
			i.t.Fatal(err)
		}
		b = append(b, buffer[:n]...)
	}
	return out.String(), string(b)
}

const partOfNotice = "Loquat records anonymous usage reports"

// TestTheNoticeOnATerminal: once, on standard error, and never on standard output.
func TestTheNoticeOnATerminal(t *testing.T) {
	i := install(t)
	c := newCollector(t, nil)
	i = i.with(c.env())
	off, _ := i.with(map[string]string{"RASA_TELEMETRY_ENABLED": "false"}).onTerminal("", "data", "validate")
	first, screen := i.onTerminal("", "data", "validate")
	second, again := i.onTerminal("", "data", "validate")
	if strings.Count(screen, partOfNotice) != 1 || strings.Contains(again, partOfNotice) {
		t.Errorf("first:\n%s\nsecond:\n%s", screen, again)
	}
	if host := strings.TrimPrefix(c.URL, "http://"); !strings.Contains(screen, host) {
		t.Errorf("the notice does not name the collector:\n%s", screen)
	}
	if first != off || second != off || c.count() != 0 {
		t.Errorf("standard output: %q, %q, switched off %q; %d requests", first, second, off, c.count())
	}
}

// TestInitAsks: the answer no leaves no identifier, no report and no request.
func TestInitAsks(t *testing.T) {
	i := install(t)
	c := newCollector(t, nil)
	i = i.with(c.env())
	_, screen := i.onTerminal("show\nno\nn\n", "init", "--init-dir", "made")
	if !strings.Contains(screen, "May usage be recorded") || !strings.Contains(screen, "Training Started") {
		t.Errorf("the screen shows:\n%s", screen)
	}
	if s := i.status(); s.Mode != "off" || s.Reason != "stored-choice" || s.ID != "" {
		t.Errorf("%+v", s)
	}
	for event, n := range names(i.recorded()) {
		if event != "Telemetry Disabled" {
			t.Errorf("%d %s", n, event)
		}
	}
	i.ok("data", "validate")
	if c.count() != 0 {
		t.Errorf("%d requests", c.count())
	}
	piped := install(t)
	if o := piped.loquatOn("n\nn\n", "init", "--init-dir", "made"); o.code != 0 || strings.Contains(o.stderr, "May usage") {
		t.Errorf("without a terminal: %+v", o)
	}
	yes := install(t)
	yes.onTerminal("\nn\n", "init", "--init-dir", "made")
	if s := yes.status(); s.Mode != "local" || names(yes.recorded())["Project Created"] != 1 {
		t.Errorf("after yes: %+v, %v", s, names(yes.recorded()))
	}
	if _, screen := yes.onTerminal("n\n", "init", "--init-dir", "made2"); strings.Contains(screen, "May usage") {
		t.Error("it asks a second time")
	}
}

// TestAnInterruptEndsTheQuestion: who does not want to answer gets no project either.
func TestAnInterruptEndsTheQuestion(t *testing.T) {
	i := install(t)
	ours, theirs := openTerminal(t)
	cmd := exec.Command(program(t), "init", "--init-dir", "made")
	cmd.Dir, cmd.Env = i.dir, i.environ()
	cmd.Stdin, cmd.Stdout, cmd.Stderr = theirs, theirs, theirs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var screen []byte
	for buffer := make([]byte, 4096); !bytes.Contains(screen, []byte("May usage be recorded")); {
		n, err := ours.Read(buffer)
		if err != nil {
			t.Fatal(err)
		}
		screen = append(screen, buffer[:n]...)
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	kill := time.AfterFunc(20*time.Second, func() { _ = cmd.Process.Kill() })
	defer kill.Stop()
	_ = cmd.Wait()
	if _, err := os.Stat(filepath.Join(i.dir, "made")); cmd.ProcessState.ExitCode() != 130 || err == nil {
		t.Errorf("it ends with %v; the project: %v", cmd.ProcessState, err)
	}
}
