//go:build unix

package telemetry

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// TestWhatIsNoRegularFileIsNotRead puts pipes, devices and an enormous file where
// telemetry looks: reading them would block, never end, or take what is the command's.
func TestWhatIsNoRegularFileIsNotRead(t *testing.T) {
	pipe := func(path string) error { return unix.Mkfifo(path, 0o600) }
	for name, put := range map[string]func(path string) error{
		"a pipe":            pipe,
		"a device":          func(path string) error { return os.Symlink("/dev/zero", path) },
		"a link to nothing": func(path string) error { return os.Symlink("/no/such/file", path) }, // maybe where the choice is
		"an enormous file":  func(path string) error { return os.WriteFile(path, make([]byte, maxStateSize+1), 0o600) },
	} {
		s := fakeSettings(t, nil)
		if err := os.MkdirAll(filepath.Dir(s.StatePath()), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := put(s.StatePath()); err != nil {
			t.Fatal(err)
		}
		if d := Decide(s); d.Mode != Off || d.Reason != StateUnreadable || d.Warning == "" {
			t.Errorf("%s in place of the state file: %s by %s", name, d.Mode, d.Reason)
		}
		if Disable(s) == nil || Enable(s) == nil {
			t.Errorf("%s in place of the state file is replaced", name)
		}
	}
	s := fakeSettings(t, nil)
	s.ProjectFiles = []string{filepath.Join(t.TempDir(), "endpoints.yml")}
	if err := pipe(s.ProjectFiles[0]); err != nil {
		t.Fatal(err)
	}
	if d := Decide(s); d.Mode != Off || d.Reason != ProjectSwitch {
		t.Errorf("a pipe in place of endpoints.yml: %s by %s", d.Mode, d.Reason)
	}
}
