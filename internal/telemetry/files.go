package telemetry

import (
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

// files is the folder loquat/telemetry of the user's cache. Each report is a file in
// its folder reports, called after the time of its recording, its identifier, its size,
// and what became of it, so that nobody has to look into each. Those with the outcome
// waiting are the spool, all are the local log.
type files struct{ dir string }

func (s Settings) files() files {
	if s.CacheDir == "" {
		return files{}
	}
	return files{filepath.Join(s.CacheDir, "loquat", "telemetry")}
}

// The outcomes; for the last two the status of the answer follows after a hyphen.
const (
	recorded = "recorded" // on this machine only
	pending  = "waiting"
	sent     = "sent"
	dropped  = "dropped"
)

// Bounds of what is kept. The oldest reports go first.
const (
	maxWaiting = 200
	maxOthers  = 100 // that don't wait
	maxBytes   = 1 << 20
	maxAge     = 14 * day
)

// whileWriting holds the lock that everybody takes who adds to the folder.
func (f files) whileWriting(do func() error) error {
	if f.dir == "" {
		return errors.New("there is no cache folder: HOME is not set")
	}
	if err := os.MkdirAll(filepath.Join(f.dir, "reports"), 0o700); err != nil {
		return err
	}
	unlock, err := safefile.Lock(filepath.Join(f.dir, "write.lock"), lockTime)
	if err != nil {
		return err
	}
	defer unlock()
	safefile.Sweep(f.dir)
	return do()
}

// kept is a report in the folder.
type kept struct {
	path            string
	time            time.Time
	id              string
	size            int64  // bytes
	outcome, status string // "" for what is no report
}

// list returns what has one of the outcomes, or everything, oldest first.
func (f files) list(outcomes ...string) []kept {
	entries, _ := os.ReadDir(filepath.Join(f.dir, "reports")) // sorted; absent is empty
	var out []kept
	for _, entry := range entries {
		if !entry.Type().IsRegular() {
			continue // nobody here has made it
		}
		name, ending, _ := strings.Cut(entry.Name(), ".")
		nanoseconds, rest, _ := strings.Cut(name, "_")
		id, size, isReport := strings.Cut(rest, "_")
		k := kept{path: filepath.Join(f.dir, "reports", entry.Name()), time: time.Unix(0, 0)}
		if isReport {
			n, _ := strconv.ParseInt(nanoseconds, 10, 64) // what is no number is 0, so that
			bytes, _ := strconv.ParseUint(size, 10, 31)   // a stranger's file is old
			k.time, k.id, k.size = time.Unix(0, n), id, int64(bytes)
			k.outcome, k.status, _ = strings.Cut(ending, "-")
		}
		if len(outcomes) == 0 || slices.Contains(outcomes, k.outcome) {
			out = append(out, k)
		}
	}
	return out
}

func (f files) path(t time.Time, id string, size int64, outcome string) string {
	return filepath.Join(f.dir, "reports", fmt.Sprintf("%019d_%s_%d.%s", t.UnixNano(), id, size, outcome))
}

// record writes an event. It is to be called by whileWriting.
func (f files) record(o occurrence, d Decision, machine Context, outcome string) error {
	id, report, err := encode(o.event, d.state.identity(), machine, o.time)
	if err != nil {
		return err
	}
	return f.add(id, outcome, report, o.time)
}

// add writes a report, after it has made room: this process may end at any moment, and
// what another was writing when it ended is of no use.
func (f files) add(id, outcome string, report []byte, now time.Time) error {
	all, total, past := f.list(), int64(len(report)), 0
	left, most := map[bool]int{}, map[bool]int{true: maxWaiting, false: maxOthers} // by whether they wait
	for _, k := range all {
		total += k.size
		left[k.outcome == pending]++
		if !k.time.After(now) {
			past++
		}
	}
	for _, k := range slices.Concat(all[past:], all[:past]) { // those from before the clock was set back go first
		waits := k.outcome == pending
		if left[waits] >= most[waits] || total > maxBytes || now.Sub(k.time) > maxAge {
			if err := remove([]kept{k}); err != nil {
				return err
			}
			left[waits], total = left[waits]-1, total-k.size
		}
	}
	return safefile.Replace(f.path(now, id, int64(len(report)), outcome), report, 0o600, false)
}

// become gives reports another outcome, for the status of an answer. One that can't be
// renamed is sent again, at another time, and the receiver knows it.
func (f files) become(outcome string, status int, reports []kept) (all bool) {
	all = true
	for _, k := range reports {
		err := os.Rename(k.path, f.path(k.time, k.id, k.size, fmt.Sprintf("%s-%d", outcome, status)))
		all = all && err == nil
	}
	return all
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
	return f.whileWriting(func() error { return remove(f.list(pending, "")) })
}

func remove(reports []kept) (err error) {
	for _, k := range reports {
		if failed := os.Remove(k.path); !errors.Is(failed, fs.ErrNotExist) {
			err = errors.Join(err, failed)
		}
	}
	return err
}

// Entry is a report of the local log.
type Entry struct {
	Time    string          `json:"time"` // of its recording
	Outcome string          `json:"outcome"`
	Detail  string          `json:"detail,omitempty"`
	Report  json.RawMessage `json:"report"`
}

// ReadLog returns the last n reports that were recorded, oldest first, each with
// what became of it.
func ReadLog(s Settings, n int) ([]Entry, error) {
	f := s.files()
	all := f.list(recorded, pending, sent, dropped)
	var entries []Entry
	for _, k := range all[max(0, len(all)-n):] {
		report, err := os.ReadFile(k.path)
		if errors.Is(err, fs.ErrNotExist) || err == nil && !json.Valid(report) {
			continue // it had to go meanwhile, or the machine lost power
		} else if err != nil {
			return nil, err
		}
		detail := ""
		if k.status != "" {
			detail = "answered " + k.status
		} else if k.outcome == pending {
			detail = f.readSending().Detail
		}
		entries = append(entries, Entry{Time: momentOf(k.time).text, Outcome: k.outcome, Detail: detail, Report: report})
	}
	return entries, nil
}

// sending is what is remembered between requests.
type sending struct {
	NotBefore time.Time `json:"not_before"`
	LastSent  time.Time `json:"last_sent"`
	Answered  time.Time `json:"answered"` // when reports were last taken, or refused for good
	Failures  int       `json:"failures"`
	Detail    string    `json:"detail,omitempty"` // why reports that were sent still wait
	Dropped   int64     `json:"dropped"`          // events that came too fast to be recorded
}

func (f files) readSending() sending {
	var s sending
	if data, err := os.ReadFile(filepath.Join(f.dir, "send.json")); err == nil && json.Unmarshal(data, &s) != nil {
		return sending{}
	}
	return s
}

// changeSending is to be called by whileWriting.
func (f files) changeSending(change func(*sending)) error {
	s := f.readSending()
	change(&s)
	data, err := marshal(s)
	if err != nil {
		return err
	}
	return safefile.Replace(filepath.Join(f.dir, "send.json"), data, 0o600, false)
}

// batch reads reports of the identity that counts, as many as one request may hold;
// stale ones belong to an earlier identity, or are nothing that this version would send.
func batch(all []kept, id string) (reports []json.RawMessage, used, stale []kept) {
	size := 0
	for _, k := range all {
		data, _ := os.ReadFile(k.path) // what can't be read is no report
		if report, err := Accept(data); err != nil || report["userId"] != id || len(data) > maxReport {
			stale = append(stale, k)
			continue
		}
		if len(reports) == maxBatch || size+len(data) > maxBatchBytes {
			break
		}
		size += len(data) + 1
		reports, used = append(reports, data), append(used, k)
	}
	return reports, used, stale
}
