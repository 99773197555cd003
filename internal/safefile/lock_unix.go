//go:build unix

package safefile

import (
	"errors"

	"golang.org/x/sys/unix"
)

// tryLock locks a file unless another process has, which is no error.
func tryLock(fd uintptr) (bool, error) {
	err := unix.Flock(int(fd), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return false, nil
	}
	return err == nil, err
}
