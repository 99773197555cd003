package telemetry

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/loquat-dev/loquat/internal/safefile"
)

// files is the folder loquat/telemetry of the user's cache: the local log, and the
// spool of reports that wait to be sent.
type files struct{ dir string }

func (s Settings) files() files {
	if s.CacheDir == "" {
		return files{}
	}
	return files{filepath.Join(s.CacheDir, "loquat", "telemetry")}
}

// Bounds of the spool and of the log. The oldest reports go first.
const (
	maxWaiting      = 200
	maxWaitingBytes = 1 << 20
	maxWaitingTime  = 14 * 24 * time.Hour
	maxLogBytes     = 256 << 10
)

// whileWriting holds the lock that everybody takes who adds to the folder.
func (f files) whileWriting(do func() error) error {
	if f.dir == "" {
		return errors.New("there is no cache folder: HOME is not set")
	}
	if err := os.MkdirAll(filepath.Join(f.dir, "spool"), 0o700); err != nil {
		return err
	}
	unlock, err := safefile.Lock(filepath.Join(f.dir, "write.lock"), lockTime)
	if err != nil {
		return err
	}
	defer unlock()
	return do()
}

// Entry is a line of the local log.
type Entry struct {
	Time      string          `json:"time"`
	Outcome   string          `json:"outcome"` // recorded, waiting, sent, dropped
	Detail    string          `json:"detail,omitempty"`
	Dropped   int64           `json:"dropped,omitempty"` // events before this one that came too fast
	MessageID string          `json:"messageId,omitempty"`
	Report    json.RawMessage `json:"report,omitempty"`
}

// record writes an event to the log, and to the spool if it is to be sent. It is to
// be called by whileWriting.
func (f files) record(o occurrence, d Decision, machine Context, sends bool, dropped int64) error {
	id, report, err := encode(o.event, d.state.identity(), machine, o.time)
	if err != nil {
		return err
	}
	entry := Entry{Time: momentOf(o.time).text, Outcome: "recorded", Dropped: dropped, MessageID: id, Report: report}
	if sends {
		entry.Outcome = "waiting"
	}
	if err := f.log(entry); err != nil || !sends {
		return err
	}
	return f.add(id, report, o.time)
}

// log adds a line. The log is turned over once: what is older than the file
// before is gone.
func (f files) log(e Entry) error {
	path := filepath.Join(f.dir, "log.jsonl")
	line, err := marshal(e)
	if err != nil {
		return err
	}
	if info, err := os.Stat(path); err == nil && info.Size()+int64(len(line)) > maxLogBytes {
		if err := os.Rename(path, filepath.Join(f.dir, "log.1.jsonl")); err != nil {
			return err
		}
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(append(line, '\n'))
	return errors.Join(err, file.Close())
}

// ReadLog returns the last n reports that were recorded, oldest first, each with
// its latest outcome. What was waiting and is no longer in the spool had to go.
func ReadLog(s Settings, n int) ([]Entry, error) {
	var entries []Entry
	byID := map[string]int{}
	for _, name := range []string{"log.1.jsonl", "log.jsonl"} {
		data, err := os.ReadFile(filepath.Join(s.files().dir, name))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		for line := range bytes.Lines(data) {
			var e Entry
			if json.Unmarshal(line, &e) != nil {
				continue // a line that a full disk cut off
			}
			if i, known := byID[e.MessageID]; known && e.Report == nil {
				entries[i].Time, entries[i].Outcome, entries[i].Detail = e.Time, e.Outcome, e.Detail
				continue
			}
			byID[e.MessageID] = len(entries)
			entries = append(entries, e)
		}
	}
	spool := s.files().spool()
	for i, e := range entries {
		if e.Outcome == "waiting" && !slices.ContainsFunc(spool, func(w waiting) bool { return w.id == e.MessageID }) {
			entries[i].Outcome, entries[i].Detail = "dropped", "switched off, or too many or too old"
		}
	}
	return entries[max(0, len(entries)-n):], nil
}

// waiting is a report in the spool. Its file is called after the hour of its
// recording since 1970, its identifier and its size, so that nobody has to look into
// each file.
type waiting struct {
	path        string
	hour, bytes int64
	id          string
}

// spool returns the reports that wait, oldest first.
func (f files) spool() []waiting {
	entries, _ := os.ReadDir(filepath.Join(f.dir, "spool")) // sorted; absent is empty
	var out []waiting
	for _, entry := range entries {
		if parts := strings.Split(strings.TrimSuffix(entry.Name(), ".json"), "_"); len(parts) == 3 {
			hour, _ := strconv.ParseInt(parts[0], 10, 64) // what is no number is 0, so that
			size, _ := strconv.ParseInt(parts[2], 10, 64) // a stranger's file goes first
			out = append(out, waiting{f.dir + "/spool/" + entry.Name(), hour, size, parts[1]})
		}
	}
	return out
}

// add puts a report into the spool, after it has made room: this process may end at any
// moment, and what another was writing when it ended is of no use.
func (f files) add(id string, report []byte, now time.Time) error {
	spool := filepath.Join(f.dir, "spool")
	unfinished, _ := fs.Glob(os.DirFS(spool), ".*") // no error: the pattern is right
	for _, name := range unfinished {
		_ = os.Remove(filepath.Join(spool, name)) // or the next time
	}
	all, total := f.spool(), int64(len(report))
	for _, w := range all {
		total += w.bytes
	}
	oldest := now.Add(-maxWaitingTime).Unix() / 3600
	for len(all) > 0 && (len(all) >= maxWaiting || total > maxWaitingBytes || all[0].hour < oldest) {
		if err := os.Remove(all[0].path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		total -= all[0].bytes
		all = all[1:]
	}
	name := fmt.Sprintf("%010d_%s_%d.json", now.Unix()/3600, id, len(report))
	return safefile.Replace(filepath.Join(spool, name), report, 0o600, false)
}

// clear empties the spool. When it returns, no process is sending.
func (f files) clear() error {
	if _, err := os.Stat(f.dir); err != nil {
		return nil // nothing was ever recorded
	}
	unlock, err := safefile.Lock(filepath.Join(f.dir, "send.lock"), lockTime)
	if err != nil {
		return err
	}
	defer unlock()
	return f.whileWriting(func() error { return os.RemoveAll(filepath.Join(f.dir, "spool")) })
}

// sending is what is remembered between requests.
type sending struct {
	NotBefore time.Time `json:"not_before"`
	LastSent  time.Time `json:"last_sent"`
	Failures  int       `json:"failures"`
}

func (f files) readSending() sending {
	var s sending
	if data, err := os.ReadFile(filepath.Join(f.dir, "send.json")); err == nil && json.Unmarshal(data, &s) != nil {
		return sending{}
	}
	return s
}

func (f files) writeSending(s sending) error {
	data, err := marshal(s)
	if err != nil {
		return err
	}
	return safefile.Replace(filepath.Join(f.dir, "send.json"), data, 0o600, false)
}

// batch reads reports of the identity that counts, as many as one request may
// hold; stale ones belong to an earlier identity or can't be read.
func batch(all []waiting, id string) (reports []json.RawMessage, used, stale []waiting) {
	size := 0
	mine := []byte(`"userId":"` + id + `"`)
	for _, w := range all {
		data, err := os.ReadFile(w.path)
		if err != nil || !json.Valid(data) || !bytes.Contains(data, mine) {
			stale = append(stale, w)
			continue
		}
		if len(reports) == maxBatch || size+len(data) > maxBatchBytes {
			break
		}
		size += len(data) + 1
		reports, used = append(reports, data), append(used, w)
	}
	return reports, used, stale
}
