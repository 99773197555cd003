package endtoend

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// terminalSession is a program that runs on a terminal of its own, so that Ctrl-C
// interrupts it.
type terminalSession struct {
	t    *testing.T
	cmd  *exec.Cmd
	tty  *os.File
	read chan []byte
	seen []byte // since the last expectation
}

func onTerminal(t *testing.T, dir string, args ...string) *terminalSession {
	t.Helper()
	ours, theirs := openTerminal(t)
	s := &terminalSession{t: t, cmd: command(t, dir, args...), tty: ours, read: make(chan []byte, 1000)}
	s.cmd.Stdin, s.cmd.Stdout, s.cmd.Stderr = theirs, theirs, theirs
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if s.cmd.ProcessState == nil {
			_ = s.cmd.Process.Kill()
			_ = s.cmd.Wait()
		}
	})
	go func() {
		defer close(s.read)
		for {
			buffer := make([]byte, 4096)
			n, err := ours.Read(buffer)
			if err != nil {
				return
			}
			s.read <- buffer[:n]
		}
	}()
	return s
}

// expect waits until a text is on the screen, and types an answer.
func (s *terminalSession) expect(text, answer string) {
	s.t.Helper()
	timeout := time.After(time.Minute)
	for {
		if i := bytes.Index(s.seen, []byte(text)); i >= 0 {
			s.seen = s.seen[i+len(text):]
			break
		}
		select {
		case data := <-s.read:
			s.seen = append(s.seen, data...)
		case <-timeout:
			s.t.Fatalf("%q is not on the screen:\n%s", text, s.seen)
		}
	}
	if _, err := s.tty.WriteString(answer); err != nil {
		s.t.Fatal(err)
	}
}

// Ctrl-C opens the menu in the middle of a question, as often as it is pressed,
// and what was confirmed is exported.
func TestInteractiveOnATerminal(t *testing.T) {
	dir := t.TempDir()
	writeProject(t, dir)
	run(t, dir, "train")
	s := onTerminal(t, dir, "interactive", "-m", "models", "--skip-visualization")
	const interrupt = "\x03"
	s.expect("Your input -> ", interrupt)
	s.expect("Number: ", "continue\n")
	s.expect("Your input -> ", "hello\n")
	s.expect("is this right? [Y/n] ", "\n")
	s.expect(`run "utter_greet": is this right? [Y/n] `, interrupt)
	s.expect("Undo last", "")
	s.expect("Number: ", "undo\n")
	s.expect("Your input -> ", "hello\n")
	s.expect("is this right? [Y/n] ", "y\n")
	s.expect(`run "utter_greet": is this right? [Y/n] `, "\n")
	s.expect("Hello!", "")
	s.expect(`run "action_listen": is this right? [Y/n] `, "\n")
	s.expect("Your input -> ", interrupt)
	s.expect("Number: ", "export\n")
	s.expect("[data/stories.yml] ", "\n")
	s.expect("[data/nlu.yml] ", "\n")
	s.expect("[domain.yml] ", "\n")
	s.expect("Wrote data/stories.yml", "")
	s.expect("Bye.", "")
	if err := s.cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	const want = `version: "3.1"
stories:
- story: interactive_story_1
  steps:
    - intent: greet
    - action: utter_greet
`
	if got, err := os.ReadFile(filepath.Join(dir, "data", "stories.yml")); err != nil || string(got) != want {
		t.Errorf("got %v\n%s", err, got)
	}
}

// A session that is ended from outside leaves what was learned.
func TestInteractiveThatIsEndedLosesNothing(t *testing.T) {
	dir := t.TempDir()
	writeProject(t, dir)
	run(t, dir, "train")
	s := onTerminal(t, dir, "interactive", "-m", "models", "--skip-visualization")
	s.expect("Your input -> ", "hello\n")
	s.expect("is this right? [Y/n] ", "\n")
	s.expect(`run "utter_greet": is this right? [Y/n] `, "\n")
	s.expect(`run "action_listen": is this right? [Y/n] `, "")
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	s.expect("What was learned is kept in .loquat/interactive/", "")
	_ = s.cmd.Wait()
	kept, err := filepath.Glob(filepath.Join(dir, ".loquat", "interactive", "*.yml"))
	if err != nil || len(kept) != 1 {
		t.Fatal(kept, err)
	}
	text, err := os.ReadFile(kept[0])
	if err != nil || !strings.Contains(string(text), "- action: utter_greet") {
		t.Errorf("got %v\n%s", err, text)
	}
}
