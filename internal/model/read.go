package model

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/graph"
)

// Limits on what an archive may hold. Real ones stay far below.
const (
	MaxEntries  = 10_000
	MaxMetadata = 256 << 20 // bytes of metadata.json, which repeats the domain
	MaxTotal    = 2 << 30   // bytes after decompression
)

// Suffix ends the file names of models.
const Suffix = ".tar.gz"

// ErrNone is returned where no model is found.
var ErrNone = errors.New("no model found")

// Find returns the model that a path means: the file itself, or the newest
// *.tar.gz of a folder, not of its subfolders. It returns ErrNone when there is
// nothing.
func Find(name string) (string, error) {
	info, err := os.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", fmt.Errorf("%w at %s", ErrNone, name)
	case err != nil:
		return "", err
	case !info.IsDir():
		return name, nil
	}
	entries, err := os.ReadDir(name)
	if err != nil {
		return "", err
	}
	var newest fs.FileInfo
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), Suffix) || strings.HasPrefix(e.Name(), ".") {
			continue
		}
		info, err := os.Stat(filepath.Join(name, e.Name())) // follows links
		if err != nil || !info.Mode().IsRegular() {
			continue
		}
		// Names begin with the time, so the later name wins where file times agree.
		if newest == nil || !info.ModTime().Before(newest.ModTime()) {
			newest = info
		}
	}
	if newest == nil {
		return "", fmt.Errorf("%w in %s", ErrNone, name)
	}
	return filepath.Join(name, newest.Name()), nil
}

// FindAll returns the models of a folder and of its subfolders, sorted by path, or
// ErrNone.
func FindAll(dir string) ([]string, error) {
	var found []string
	err := filepath.WalkDir(dir, func(name string, e fs.DirEntry, err error) error {
		if err == nil && e.Type().IsRegular() && strings.HasSuffix(name, Suffix) {
			found = append(found, name)
		}
		return err
	})
	switch {
	case errors.Is(err, fs.ErrNotExist), err == nil && len(found) == 0:
		return nil, fmt.Errorf("%w in %s", ErrNone, dir)
	case err != nil:
		return nil, err
	}
	return found, nil
}

// Read reads the archive at path. An archive that is not ours, or is damaged, is
// a diag.Problem that says what to do.
func Read(name string) (*Model, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("read model: %w", err)
	}
	defer f.Close()
	m, err := Decode(bufio.NewReaderSize(f, 1<<16))
	if p, ok := errors.AsType[diag.Problem](err); ok {
		p.Pos.File = filepath.ToSlash(name)
		return nil, p
	}
	if err != nil {
		return nil, err
	}
	m.Path = name
	return m, nil
}

func refuse(code diag.Code, hint, format string, args ...any) error {
	return diag.Problem{Code: code, Hint: hint, Message: fmt.Sprintf(format, args...)}
}

const hintRetrain = "train the project again with this program: loquat train"

func damaged(err error) error {
	return refuse("damaged-model", hintRetrain, "the model is damaged: %v", err)
}

// Decode reads an archive. Errors are diag.Problems.
func Decode(r io.Reader) (*Model, error) {
	zip, err := gzip.NewReader(r)
	if err != nil {
		return nil, refuse("no-model", "a model is a .tar.gz file that loquat train wrote", "the file is no model: %v", err)
	}
	d := decoder{tar: tar.NewReader(&limited{zip, MaxTotal})}
	return d.decode()
}

// limited fails instead of ending when there is more than allowed.
type limited struct {
	r    io.Reader
	left int64
}

var errTooLarge = fmt.Errorf("it unpacks to more than %d bytes", int64(MaxTotal))

func (l *limited) Read(p []byte) (int, error) {
	if l.left <= 0 {
		return 0, errTooLarge
	}
	if int64(len(p)) > l.left {
		p = p[:l.left]
	}
	n, err := l.r.Read(p)
	l.left -= int64(n)
	return n, err
}

type decoder struct {
	tar   *tar.Reader
	model *Model // nil until metadata.json has been read
}

func (d *decoder) decode() (*Model, error) {
	for entries := 0; ; entries++ {
		header, err := d.tar.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, damaged(err)
		}
		if entries >= MaxEntries {
			return nil, damaged(fmt.Errorf("it has more than %d files", MaxEntries))
		}
		if err := d.entry(header); err != nil {
			return nil, err
		}
	}
	if d.model == nil {
		return nil, refuse("no-model", "a model is a .tar.gz file that loquat train wrote", "the archive is no model: it has no %s", metadataName)
	}
	return d.model, nil
}

func (d *decoder) entry(h *tar.Header) error {
	name := path.Clean(h.Name)
	switch {
	case h.Typeflag == tar.TypeDir:
		return nil
	case h.Typeflag != tar.TypeReg:
		return damaged(fmt.Errorf("%q is no regular file", h.Name))
	case name == "fingerprint.json":
		return refuse("foreign-model", hintRetrain, "the model was made by Rasa 2, which can't be loaded")
	case name == metadataName:
		return d.metadata()
	case d.model == nil:
		return nil // of somebody else's model, whose metadata will tell
	}
	node, base, ok := componentFile(h.Name)
	if !ok {
		return damaged(fmt.Errorf("the name %q has no place in it", h.Name))
	}
	if h.Size > MaxTotal {
		return damaged(errTooLarge)
	}
	data := make([]byte, h.Size) // what isn't there takes no memory: it is never touched
	if _, err := io.ReadFull(d.tar, data); err != nil {
		return damaged(err)
	}
	r := d.model.Resources[node]
	if r == nil {
		r = graph.Resource{}
		d.model.Resources[node] = r
	}
	if _, twice := r[base]; twice {
		return damaged(fmt.Errorf("%q stands in it twice", h.Name))
	}
	r[base] = data
	return nil
}

// componentFile splits components/<node>/<file>; any other shape is refused.
func componentFile(name string) (node, base string, ok bool) {
	parts := strings.Split(name, "/")
	bad := func(s string) bool { return s == "" || s == "." || s == ".." || strings.ContainsAny(s, "\\\x00:") }
	if len(parts) != 3 || parts[0] != componentsDir || slices.ContainsFunc(parts, bad) {
		return "", "", false
	}
	return parts[1], parts[2], true
}

func (d *decoder) metadata() error {
	if d.model != nil {
		return damaged(fmt.Errorf("%s stands in it twice", metadataName))
	}
	data, err := io.ReadAll(io.LimitReader(d.tar, MaxMetadata+1))
	if err != nil {
		return damaged(err)
	}
	if len(data) > MaxMetadata {
		return damaged(fmt.Errorf("%s has more than %d bytes", metadataName, MaxMetadata))
	}
	var probe struct {
		Format string `json:"format"`
		Rasa   string `json:"rasa_open_source_version"`
	}
	if err := json.Unmarshal(data, &probe); err != nil {
		return damaged(err)
	}
	switch {
	case probe.Format == "" && probe.Rasa != "":
		return refuse("foreign-model", hintRetrain, "the model was made by Rasa %s; what its components learned can be used in Python only", probe.Rasa)
	case probe.Format != Format:
		return refuse("foreign-model", hintRetrain, "the model has the format %q; this program reads %q", probe.Format, Format)
	}
	m := &Model{Resources: map[string]graph.Resource{}}
	if err := json.Unmarshal(data, &m.Metadata); err != nil {
		return damaged(err)
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, m.Domain); err == nil {
		m.Domain = compact.Bytes()
	}
	d.model = m
	return nil
}
