package receiver

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// ErrFull says that a day's file has reached its bound.
var ErrFull = errors.New("the file of today is full")

// Bounds of what is kept.
const (
	maxDayBytes  = 100 << 20
	knownDays    = 14 // a report is recognised when it comes again within
	dayLayout    = "2006-01-02"
	suffix       = ".jsonl"
	maxLineBytes = 1 << 20
)

// Store keeps reports as JSON Lines, a file for each day (UTC) of their arrival.
// It is safe for concurrent use; a folder belongs to one Store.
type Store struct {
	dir  string
	keep int // days
	now  func() time.Time

	mu    sync.Mutex
	day   string
	size  int64
	known map[string]map[string]bool // day, message id
}

// OpenStore uses a folder, which it makes if there is none. Files older than so
// many days are removed.
func OpenStore(dir string, days int, now func() time.Time) (*Store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("telemetry folder: %w", err)
	}
	s := &Store{dir: dir, keep: days, now: now, known: map[string]map[string]bool{}}
	return s, s.turn(now().UTC())
}

func (s *Store) path(day string) string { return filepath.Join(s.dir, day+suffix) }

// turn begins a day: it forgets what is old and learns what is known.
func (s *Store) turn(now time.Time) error {
	names, err := filepath.Glob(filepath.Join(s.dir, "????-??-??"+suffix))
	if err != nil {
		return err
	}
	for _, name := range names {
		day := strings.TrimSuffix(filepath.Base(name), suffix)
		t, err := time.Parse(dayLayout, day)
		switch age := now.Sub(t); {
		case err != nil:
		case age > time.Duration(s.keep+1)*24*time.Hour:
			if err := os.Remove(name); err != nil {
				return err
			}
		case age > (knownDays+1)*24*time.Hour:
			delete(s.known, day)
		case s.known[day] == nil:
			if s.known[day], err = messageIDs(name); err != nil {
				return err
			}
		}
	}
	s.day = now.Format(dayLayout)
	if s.known[s.day] == nil {
		s.known[s.day] = map[string]bool{}
	}
	info, err := os.Stat(s.path(s.day))
	if errors.Is(err, fs.ErrNotExist) {
		s.size = 0
		return nil
	}
	if err == nil {
		s.size = info.Size()
	}
	return err
}

// messageIDs reads the identifiers of a day's reports.
func messageIDs(path string) (map[string]bool, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	ids := map[string]bool{}
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, maxLineBytes)
	for lines.Scan() {
		var report struct {
			MessageID string `json:"messageId"`
		}
		if json.Unmarshal(lines.Bytes(), &report) == nil { // else a line that was cut off
			ids[report.MessageID] = true
		}
	}
	return ids, lines.Err()
}

// Keep appends reports that are not known yet, all or none, and returns how many.
func (s *Store) Keep(reports []map[string]any) (kept int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now := s.now().UTC(); now.Format(dayLayout) != s.day {
		if err := s.turn(now); err != nil {
			return 0, err
		}
	}
	var lines bytes.Buffer
	var ids []string
	encoder := json.NewEncoder(&lines)
	encoder.SetEscapeHTML(false)
	for _, report := range reports {
		id, _ := report["messageId"].(string)
		if s.isKnown(id) || slices.Contains(ids, id) {
			continue
		}
		ids = append(ids, id)
		if err := encoder.Encode(report); err != nil {
			return 0, err
		}
	}
	if len(ids) == 0 {
		return 0, nil
	}
	if s.size+int64(lines.Len()) > maxDayBytes {
		return 0, ErrFull
	}
	f, err := os.OpenFile(s.path(s.day), os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return 0, err
	}
	_, err = f.WriteAt(lines.Bytes(), s.size)
	if err != nil {
		err = errors.Join(err, f.Truncate(s.size)) // what a full disk cut off
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return 0, err
	}
	s.size += int64(lines.Len())
	for _, id := range ids {
		s.known[s.day][id] = true
	}
	return len(ids), nil
}

func (s *Store) isKnown(id string) bool {
	for _, ids := range s.known {
		if ids[id] {
			return true
		}
	}
	return false
}
