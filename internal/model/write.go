package model

import (
	"archive/tar"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

const (
	metadataName  = "metadata.json"
	componentsDir = "components"

	partial   = ".model-*.partial" // names of files that are being written
	abandoned = time.Hour          // age at which such a file has no writer any more
)

// Write stores the sealed model at path, whose folder is made if it is missing.
// The file appears whole or not at all: it is written beside its place and renamed
// into it. Its time is now, or SOURCE_DATE_EPOCH where that is set.
func Write(path string, m *Model) (err error) {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make folder for the model: %w", err)
	}
	removeAbandoned(dir)
	temp, err := os.CreateTemp(dir, partial)
	if err != nil {
		return fmt.Errorf("write model: %w", err)
	}
	defer func() {
		if err != nil {
			_ = temp.Close()
			_ = os.Remove(temp.Name())
		}
	}()
	if err := Encode(temp, m); err != nil {
		return fmt.Errorf("write model: %w", err)
	}
	if err := temp.Chmod(0o644); err != nil {
		return fmt.Errorf("write model: %w", err)
	}
	if err := temp.Sync(); err != nil {
		return fmt.Errorf("write model: %w", err)
	}
	if err := temp.Close(); err != nil {
		return fmt.Errorf("write model: %w", err)
	}
	if at, ok := sourceDate(); ok {
		if err := os.Chtimes(temp.Name(), at, at); err != nil {
			return fmt.Errorf("write model: %w", err)
		}
	}
	if err := os.Rename(temp.Name(), path); err != nil {
		return fmt.Errorf("write model: %w", err)
	}
	return nil
}

// removeAbandoned removes what trainings that were killed have left.
func removeAbandoned(dir string) {
	found, _ := filepath.Glob(filepath.Join(dir, partial)) // the pattern is sound
	for _, name := range found {
		if info, err := os.Lstat(name); err == nil && time.Since(info.ModTime()) > abandoned {
			_ = os.Remove(name)
		}
	}
}

// sourceDate is the time that reproducible builds agree on.
func sourceDate() (time.Time, bool) {
	seconds, err := strconv.ParseInt(os.Getenv("SOURCE_DATE_EPOCH"), 10, 64)
	return time.Unix(seconds, 0), err == nil
}

// Encode writes the archive: metadata.json, then the components' files by name.
// Nothing in it tells when or where it was written.
func Encode(w io.Writer, m *Model) error {
	metadata, err := json.MarshalIndent(m.Metadata, "", "  ")
	if err != nil {
		return fmt.Errorf("encode metadata: %w", err)
	}
	zip, err := gzip.NewWriterLevel(w, gzip.BestSpeed)
	if err != nil {
		return err
	}
	archive := tar.NewWriter(zip)
	for _, f := range append([]file{{metadataName, metadata}}, m.files()...) {
		header := &tar.Header{Name: f.name, Size: int64(len(f.data)), Mode: 0o644, Typeflag: tar.TypeReg, ModTime: time.Unix(0, 0)}
		if err := archive.WriteHeader(header); err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
		if _, err := archive.Write(f.data); err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
	}
	if err := archive.Close(); err != nil {
		return err
	}
	return zip.Close()
}
