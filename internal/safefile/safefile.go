// Package safefile changes files that other processes read and write too, so that
// none sees half of a change, and a crash leaves the old file or the new one.
package safefile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// Replace writes a file beside its place and renames it into it. A durable one is
// the old or the new one even if the machine loses power. Errors name the path, and
// not the file beside it.
func Replace(path string, data []byte, mode os.FileMode, durable bool) (err error) {
	defer func() { err = at(path, err) }()
	staged, err := stage(path, data, mode, durable)
	if err != nil {
		return err
	}
	if err := os.Rename(staged, path); err != nil {
		_ = os.Remove(staged)
		return err
	}
	return nil
}

// unfinished is the pattern of names beside the place.
const unfinished = ".loquat-*"

// Sweep removes from a folder what processes that were killed have left of files that
// they were replacing. It is for who holds the lock under which all do.
func Sweep(dir string) {
	left, _ := fs.Glob(os.DirFS(dir), unfinished) // no error: the pattern is right
	for _, name := range left {
		_ = os.Remove(filepath.Join(dir, name)) // or the next time
	}
}

// stage writes a file that is to be renamed to path, and gives its name.
func stage(path string, data []byte, mode os.FileMode, durable bool) (name string, err error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return "", syscall.EISDIR
	}
	f, err := os.CreateTemp(filepath.Dir(path), unfinished)
	if err != nil {
		return "", err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	_, err = f.Write(data)
	if err == nil {
		err = f.Chmod(mode)
	}
	if err == nil && durable {
		err = f.Sync()
	}
	return f.Name(), errors.Join(err, f.Close())
}

// at says that a path could not be written, for the reason of an error of another.
func at(path string, err error) error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		err = e.Err
	} else if e, ok := errors.AsType[*os.LinkError](err); ok {
		err = e.Err
	}
	return &fs.PathError{Op: "write", Path: path, Err: err}
}

// ErrLocked says that another process has kept a lock for too long.
var ErrLocked = errors.New("another process holds the lock")

// Lock takes an advisory lock that ends with the process. It waits at most so
// long and then returns ErrLocked.
func Lock(path string, wait time.Duration) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	for deadline := time.Now().Add(wait); ; time.Sleep(2 * time.Millisecond) {
		held, err := tryLock(f.Fd())
		if held {
			return func() { _ = f.Close() }, nil
		}
		if err != nil || !time.Now().Before(deadline) {
			return nil, errors.Join(ErrLocked, err, f.Close())
		}
	}
}
