//go:build unix

package telemetry

import (
	"errors"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// lockTime is how long a change of files waits for another process.
const lockTime = 3 * time.Second

var errLocked = errors.New("another process holds the lock")

// lock takes an advisory lock that ends with the process. It waits at most so
// long and then returns errLocked.
func lock(path string, wait time.Duration) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	for deadline := time.Now().Add(wait); ; time.Sleep(2 * time.Millisecond) {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			return func() { _ = f.Close() }, nil
		}
		if !errors.Is(err, unix.EWOULDBLOCK) || !time.Now().Before(deadline) {
			return nil, errors.Join(errLocked, f.Close())
		}
	}
}

// kernelRelease is the release of the operating system's kernel.
func kernelRelease() string {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return ""
	}
	return unix.ByteSliceToString(u.Release[:])
}
