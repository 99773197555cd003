package receiver

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
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
			delete(s.known, day)
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
	return nil
}

// wholeLines is the size of a file without a last line that was cut off, as when
// the machine lost power.
func wholeLines(f *os.File) (int64, error) {
	info, err := f.Stat()
	if err != nil || info.Size() == 0 {
		return 0, err
	}
	for _, look := range []int64{1, maxLineBytes} {
		tail := make([]byte, min(look, info.Size()))
		begin := info.Size() - int64(len(tail))
		if _, err := f.ReadAt(tail, begin); err != nil {
			return 0, err
		}
		if end := bytes.LastIndexByte(tail, '\n'); end >= 0 || begin == 0 {
			return begin + int64(end) + 1, nil
		}
	}
	return 0, errors.New("its end is no report")
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
	if err := appendLines(s.path(s.day), lines.Bytes()); err != nil {
		return 0, err
	}
	for _, id := range ids {
		s.known[s.day][id] = true
	}
	return len(ids), nil
}

// appendLines adds whole lines to a file, all or none.
func appendLines(path string, lines []byte) (err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	size, err := wholeLines(f)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if size+int64(len(lines)) > maxDayBytes {
		return ErrFull
	}
	if err := f.Truncate(size); err != nil {
		return err
	}
	if _, err := f.WriteAt(lines, size); err != nil {
		return errors.Join(err, f.Truncate(size)) // what a full disk cut off
	}
	return nil
}

func (s *Store) isKnown(id string) bool {
	for _, ids := range s.known {
		if ids[id] {
			return true
		}
	}
	return false
}
