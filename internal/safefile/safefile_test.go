package safefile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestReplaceLeavesTheOldFileOrTheNewOne(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	for _, want := range []string{"one", "another"} {
		if err := Replace(path, []byte(want), 0o600, true); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("mode %v, %v", info.Mode(), err)
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != want {
			t.Errorf("%q, %v", got, err)
		}
	}
	if err := os.MkdirAll(filepath.Join(dir, "folder", "inside"), 0o700); err != nil {
		t.Fatal(err)
	}
	for path, reason := range map[string]error{filepath.Join(dir, "folder"): syscall.EISDIR, filepath.Join(dir, "none", "file"): fs.ErrNotExist} {
		err := Replace(path, nil, 0o600, false)
		if !errors.Is(err, reason) || strings.Contains(err.Error(), ".loquat-") || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", path, err)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 2 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestALockIsHeldByOne(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	unlock, err := Lock(path, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Lock(path, 10*time.Millisecond); !errors.Is(err, ErrLocked) {
		t.Errorf("a second lock: %v", err)
	}
	time.AfterFunc(5*time.Millisecond, unlock)
	if again, err := Lock(path, time.Minute); err != nil {
		t.Errorf("after the first: %v", err)
	} else {
		again()
	}
}
