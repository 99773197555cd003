package safefile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// File is a file as it is to be.
type File struct {
	Path string
	Data []byte
}

// ReplaceTogether replaces files that belong together: if one can't be replaced,
// all are what they were. All new contents, and copies of the old ones, are on disk
// before the first file changes; what is left to fail then are renames, and those
// that were made are taken back. It is no transaction: a crash between two renames
// leaves some of the files new. A link goes on to lead to its file, and a file that
// is there keeps its mode; a new one gets the given one.
func ReplaceTogether(files []File, mode os.FileMode) error {
	return replaceTogether(files, mode, os.Rename)
}

// change is the replacement of one file.
type change struct {
	path   string
	staged string // holds the new contents
	old    string // holds the old ones; "" if there was no file
}

func replaceTogether(files []File, mode os.FileMode, rename func(from, to string) error) error {
	var changes []change
	defer func() {
		for _, c := range changes {
			_ = os.Remove(c.staged) // if it was not renamed
			_ = os.Remove(c.old)    // if there is one
		}
	}()
	for _, f := range files {
		path, mode := target(f.Path, mode)
		c := change{path: path}
		var err error
		if c.staged, err = stage(path, f.Data, mode, false); err != nil {
			return at(f.Path, err)
		}
		changes = append(changes, c)
		if changes[len(changes)-1].old, err = keep(path); err != nil {
			return at(f.Path, err)
		}
	}
	for i, c := range changes {
		if err := rename(c.staged, c.path); err != nil {
			return errors.Join(at(c.path, err), takeBack(changes[:i], rename))
		}
	}
	return nil
}

// target is the file that a path leads to, and its mode; the path itself and the
// given mode if there is none.
func target(path string, mode os.FileMode) (string, os.FileMode) {
	file, err := filepath.EvalSymlinks(path)
	if err != nil {
		return path, mode
	}
	if info, err := os.Stat(file); err == nil {
		mode = info.Mode().Perm()
	}
	return file, mode
}

// keep copies a file beside its place; the name is "" if there is none.
func keep(path string) (name string, err error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	return stage(path, data, info.Mode().Perm(), false)
}

// takeBack makes files what they were.
func takeBack(changes []change, rename func(from, to string) error) error {
	var failed []error
	for _, c := range changes {
		var err error
		if c.old == "" {
			err = os.Remove(c.path)
		} else {
			err = rename(c.old, c.path)
		}
		if err != nil {
			failed = append(failed, fmt.Errorf("take back: %w", at(c.path, err)))
		}
	}
	return errors.Join(failed...)
}
