package receiver

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// ErrFull says that a day's file has reached its bound.
var ErrFull = errors.New("the file of today is full")

// Bounds of what is kept.
const (
	maxDayBytes = 100 << 20
	knownDays   = 14 // a report is recognised when it comes again within
)

// Store keeps reports as JSON Lines, a file for each day (UTC) of their arrival.
// It is safe for concurrent use; a folder belongs to one Store.
type Store struct {
	dir  string
	keep int // days
	now  func() time.Time

	mu    sync.Mutex
	today string
	known map[string]string // message id to day
}

// OpenStore uses a folder, which it makes if there is none. Files older than so
// many days are removed.
func OpenStore(dir string, days int, now func() time.Time) (*Store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("telemetry folder: %w", err)
	}
	s := &Store{dir: dir, keep: days, now: now, known: map[string]string{}}
	files, err := s.turn()
	for _, file := range files {
		err = errors.Join(err, s.learn(file))
	}
	return s, err
}

// day is the date so many days ago. Dates are ordered as their texts are.
func (s *Store) day(ago int) string { return s.now().UTC().AddDate(0, 0, -ago).Format(time.DateOnly) }

func (s *Store) path(day string) string { return filepath.Join(s.dir, day+".jsonl") }

func dayOf(path string) string { return strings.TrimSuffix(filepath.Base(path), ".jsonl") }

// turn begins a day: it removes and forgets what is old. It returns the files that
// are left.
func (s *Store) turn() (left []string, err error) {
	s.today = s.day(0)
	oldest := s.day(min(s.keep, knownDays))
	maps.DeleteFunc(s.known, func(_, day string) bool { return day < oldest })
	files, err := filepath.Glob(s.path("[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]"))
	for _, file := range files {
		if dayOf(file) >= s.day(s.keep) {
			left = append(left, file)
		} else if err := os.Remove(file); err != nil {
			return nil, err
		}
	}
	return left, err
}

// learn remembers the reports of a file that may come again. A last line that was cut
// off, as when the machine lost power, is removed.
func (s *Store) learn(path string) error {
	if dayOf(path) < s.day(knownDays) {
		return nil
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	whole := int64(0)
	for lines := bufio.NewReader(f); ; {
		line, err := lines.ReadBytes('\n')
		switch {
		case errors.Is(err, io.EOF) && len(line) == 0:
			return nil
		case errors.Is(err, io.EOF):
			return os.Truncate(path, whole)
		case err != nil:
			return err
		}
		whole += int64(len(line))
		var report struct {
			MessageID string `json:"messageId"`
		}
		if json.Unmarshal(line, &report) == nil { // else a line that an editor has spoilt
			s.known[report.MessageID] = dayOf(path)
		}
	}
}

// Keep appends reports that are not known yet, all or none, and returns how many.
func (s *Store) Keep(reports []map[string]any) (kept int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.day(0) != s.today {
		if _, err := s.turn(); err != nil {
			return 0, err
		}
	}
	var lines bytes.Buffer
	fresh := map[string]string{}
	encoder := json.NewEncoder(&lines)
	encoder.SetEscapeHTML(false)
	for _, report := range reports {
		id, _ := report["messageId"].(string)
		if s.known[id]+fresh[id] != "" {
			continue
		}
		fresh[id] = s.today
		if err := encoder.Encode(report); err != nil {
			return 0, err
		}
	}
	if len(fresh) == 0 {
		return 0, nil
	}
	if err := appendLines(s.path(s.today), lines.Bytes()); err != nil {
		return 0, err
	}
	maps.Copy(s.known, fresh)
	return len(fresh), nil
}

// appendLines adds whole lines to a file, all or none.
func appendLines(path string, lines []byte) (err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if info.Size()+int64(len(lines)) > maxDayBytes {
		return ErrFull
	}
	if _, err := f.Write(lines); err != nil {
		return errors.Join(err, f.Truncate(info.Size())) // what a full disk cut off
	}
	return nil
}
