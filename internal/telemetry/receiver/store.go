package receiver

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// errFull says that a day's file has reached its bound.
var errFull = errors.New("the file of today is full")

// Bounds of what is kept.
const (
	maxDayBytes = 100 << 20
	knownDays   = 14 // a report is recognised when it comes again within
)

// store keeps reports as JSON Lines, a file for each day (UTC) of their arrival. It is
// safe for concurrent use; a folder belongs to one store.
type store struct {
	dir   string
	days  int // after which a file is removed
	now   func() time.Time
	mu    sync.Mutex
	today string
	known map[string]string // message id to day
}

func openStore(dir string, days int, now func() time.Time) (*store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	s := &store{dir: dir, days: days, now: now, known: map[string]string{}}
	files, err := s.turn()
	for _, file := range files {
		if dayOf(file) >= s.day(knownDays) {
			err = errors.Join(err, s.learn(file))
		}
	}
	return s, err
}

// day is the date so many days ago. Dates are ordered as their texts are.
func (s *store) day(ago int) string { return s.now().UTC().AddDate(0, 0, -ago).Format(time.DateOnly) }

func (s *store) path(day string) string { return filepath.Join(s.dir, day+".jsonl") }

func dayOf(path string) string { return strings.TrimSuffix(filepath.Base(path), ".jsonl") }

// turn begins a day: it removes and forgets what is old, and returns the files that
// are left.
func (s *store) turn() (left []string, err error) {
	s.today = s.day(0)
	maps.DeleteFunc(s.known, func(_, day string) bool { return day < s.day(min(s.days, knownDays)) })
	files, err := fs.Glob(os.DirFS(s.dir), "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9].jsonl")
	for _, file := range files {
		file = filepath.Join(s.dir, file)
		if dayOf(file) >= s.day(s.days) {
			left = append(left, file)
		} else if err := os.Remove(file); err != nil {
			return nil, err
		}
	}
	return left, err
}

// learn remembers the reports of a file that may come again. A last line that was cut
// off, as when the machine lost power, is removed.
func (s *store) learn(path string) error {
	data, err := os.ReadFile(path) // at most maxDayBytes
	if err != nil {
		return err
	}
	whole := bytes.LastIndexByte(data, '\n') + 1
	for line := range bytes.Lines(data[:whole]) {
		var report struct{ MessageID string }
		if json.Unmarshal(line, &report) == nil { // else a line that an editor has spoilt
			s.known[report.MessageID] = dayOf(path)
		}
	}
	return os.Truncate(path, int64(whole))
}

// keep appends reports that are not known yet, all or none, and returns how many.
func (s *store) keep(reports []map[string]any) (kept int, err error) {
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
	if len(fresh) > 0 {
		err = appendLines(s.path(s.today), lines.Bytes())
	}
	if err != nil {
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
		return errFull
	}
	if _, err := f.Write(lines); err != nil {
		return errors.Join(err, f.Truncate(info.Size())) // what a full disk cut off
	}
	return nil
}
