// Package dircache keeps what components learned in a folder, so that a training
// restores what it already knows.
//
// Each entry is one file, written beside its place and renamed into it, with a
// digest of its contents in front. So any number of trainings share a folder
// without locks, and one that is killed at any moment leaves nothing that another
// would believe. The format is described in docs/formats/cache.md.
package dircache

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/loquat-dev/loquat/internal/graph"
)

// DefaultMaxMegabytes is the size of a cache unless RASA_MAX_CACHE_SIZE says
// otherwise.
const DefaultMaxMegabytes = 1000

const (
	magic     = "loquat cache 1\n"
	suffix    = ".entry"
	temporary = ".partial-"
	// abandoned is the age at which a half-written file has no writer any more.
	abandoned = time.Hour
)

// Cache is a folder of results. It is safe for concurrent use, by several
// processes too.
type Cache struct {
	dir      string
	maxBytes int64
}

// New returns the cache in dir, which is made when something is stored. Entries
// that were not used for longest go when it would hold more than maxBytes.
func New(dir string, maxBytes int64) *Cache { return &Cache{dir, maxBytes} }

var validKey = regexp.MustCompile(`^[0-9a-zA-Z_-]{8,128}$`)

func (c *Cache) path(key string) string { return filepath.Join(c.dir, key+suffix) }

// Get returns what is stored under key and counts as a use of it. A damaged entry
// is removed and counts as missing.
func (c *Cache) Get(key string) (graph.Resource, bool) {
	if !validKey.MatchString(key) {
		return nil, false
	}
	info, err := os.Stat(c.path(key))
	if err != nil || !info.Mode().IsRegular() || info.Size() > c.maxBytes {
		return nil, false
	}
	data, err := os.ReadFile(c.path(key))
	if err != nil {
		return nil, false
	}
	r, err := decode(data)
	if err != nil {
		_ = os.Remove(c.path(key))
		return nil, false
	}
	now := time.Now()
	_ = os.Chtimes(c.path(key), now, now) // an entry that just went is still a hit
	return r, true
}

// Put stores r under key. What is too large for the whole cache is left out.
func (c *Cache) Put(key string, r graph.Resource) error {
	if !validKey.MatchString(key) {
		return fmt.Errorf("cache: the key %q is not one", key)
	}
	data := encode(r)
	if int64(len(data)) > c.maxBytes {
		return nil
	}
	if err := os.MkdirAll(c.dir, 0o755); err != nil {
		return fmt.Errorf("cache: %w", err)
	}
	if err := c.makeRoom(int64(len(data)), key); err != nil {
		return fmt.Errorf("cache: %w", err)
	}
	f, err := os.CreateTemp(c.dir, temporary)
	if err != nil {
		return fmt.Errorf("cache: %w", err)
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Close())
	if err == nil {
		err = os.Rename(f.Name(), c.path(key))
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return fmt.Errorf("cache: %w", err)
	}
	return nil
}

// makeRoom removes what was not used for longest until size more bytes fit, and
// what killed trainings left behind. The entry under key will be replaced.
func (c *Cache) makeRoom(size int64, key string) error {
	files, err := os.ReadDir(c.dir)
	if err != nil {
		return err
	}
	var entries []fs.FileInfo
	for _, f := range files {
		info, err := f.Info()
		switch {
		case err != nil: // another training was faster
		case strings.HasPrefix(f.Name(), temporary) && time.Since(info.ModTime()) > abandoned:
			_ = os.Remove(filepath.Join(c.dir, f.Name()))
		case strings.HasSuffix(f.Name(), suffix) && f.Name() != key+suffix:
			entries = append(entries, info)
			size += info.Size()
		}
	}
	slices.SortFunc(entries, func(a, b fs.FileInfo) int { return a.ModTime().Compare(b.ModTime()) })
	for _, e := range entries {
		if size <= c.maxBytes {
			return nil
		}
		if err := os.Remove(filepath.Join(c.dir, e.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		size -= e.Size()
	}
	return nil
}

// encode writes magic, the SHA-256 of the rest, and for each file its name and
// its contents, both with their lengths in front.
func encode(r graph.Resource) []byte {
	var body []byte
	for _, name := range slices.Sorted(maps.Keys(r)) {
		body = binary.AppendUvarint(body, uint64(len(name)))
		body = append(body, name...)
		body = binary.AppendUvarint(body, uint64(len(r[name])))
		body = append(body, r[name]...)
	}
	sum := sha256.Sum256(body)
	return slices.Concat([]byte(magic), sum[:], body)
}

var errDamaged = errors.New("the entry is damaged")

func decode(data []byte) (graph.Resource, error) {
	rest, ok := bytes.CutPrefix(data, []byte(magic))
	if !ok || len(rest) < sha256.Size {
		return nil, errDamaged
	}
	sum, body := rest[:sha256.Size], rest[sha256.Size:]
	if got := sha256.Sum256(body); !bytes.Equal(got[:], sum) {
		return nil, errDamaged
	}
	r := graph.Resource{}
	for len(body) > 0 {
		var name, content []byte
		if name, body, ok = chunk(body); !ok {
			return nil, errDamaged
		}
		if content, body, ok = chunk(body); !ok {
			return nil, errDamaged
		}
		r[string(name)] = content
	}
	return r, nil
}

// chunk splits off a length and as many bytes.
func chunk(data []byte) (chunk, rest []byte, ok bool) {
	n, used := binary.Uvarint(data)
	if used <= 0 || n > uint64(len(data)-used) {
		return nil, nil, false
	}
	data = data[used:]
	return data[:n:n], data[n:], true
}
