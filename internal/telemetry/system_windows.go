package telemetry

import (
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/windows"
)

// lockTime is how long a change of files waits for another process.
const lockTime = 3 * time.Second

var errLocked = errors.New("another process holds the lock")

// lock takes a lock that ends with the process. It waits at most so long and then
// returns errLocked.
func lock(path string, wait time.Duration) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	for deadline := time.Now().Add(wait); ; time.Sleep(2 * time.Millisecond) {
		const how = windows.LOCKFILE_EXCLUSIVE_LOCK | windows.LOCKFILE_FAIL_IMMEDIATELY
		if windows.LockFileEx(windows.Handle(f.Fd()), how, 0, 1, 0, &windows.Overlapped{}) == nil {
			return func() { _ = f.Close() }, nil
		}
		if !time.Now().Before(deadline) {
			return nil, errors.Join(errLocked, f.Close())
		}
	}
}

// kernelRelease is the version of Windows.
func kernelRelease() string {
	major, minor, build := windows.RtlGetNtVersionNumbers()
	return fmt.Sprintf("%d.%d.%d", major, minor, build)
}
