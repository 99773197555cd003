package telemetry

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestWhatIsKeptIsBounded(t *testing.T) {
	s := fakeSettings(t, nil)
	f := s.files()
	report := []byte(strings.Repeat("x", 1000))
	if err := f.whileWriting(func() error {
		for i := range 5 * maxWaiting {
			if err := f.add(uuid4(), pending, report, noon.Add(time.Duration(i)*time.Second)); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	got := f.list()
	if len(got) != maxWaiting || !got[0].time.Equal(noon.Add(4*maxWaiting*time.Second)) {
		t.Errorf("%d reports wait, the first since %v", len(got), got[0].time)
	}
	for i := range 2 * maxOthers {
		if err := f.add(uuid4(), recorded, report, noon.Add(time.Hour+time.Duration(i)*time.Second)); err != nil {
			t.Fatal(err)
		}
	}
	if others := f.list(recorded); len(others) != maxOthers || len(f.list(pending)) < maxWaiting-1 {
		t.Errorf("%d others are kept, and %d that wait", len(others), len(f.list(pending)))
	}
	large := []byte(strings.Repeat("x", 100_000))
	for i := range 15 {
		if err := f.add(uuid4(), recorded, large, noon.Add(4*time.Hour+time.Duration(i))); err != nil {
			t.Fatal(err)
		}
	}
	total := int64(0)
	for _, k := range f.list() {
		total += k.size
	}
	if total > maxBytes || total+int64(len(large)) <= maxBytes {
		t.Errorf("%d bytes are kept", total)
	}
	if err := f.add(uuid4(), pending, report, noon.Add(15*day)); err != nil {
		t.Fatal(err)
	}
	if got := f.list(); len(got) != 1 {
		t.Errorf("after 15 days %d reports are kept", len(got))
	}
}

// TestAProcessThatEndsLeavesTheFolderBounded: room is made before a report is added, and
// what a process was writing when it ended goes with the next report, or with disable.
func TestAProcessThatEndsLeavesTheFolderBounded(t *testing.T) {
	r := on(t, "http://127.0.0.1:1", noon)
	r.keepMany(maxWaiting)
	f := r.decision.settings.files()
	unfinished := filepath.Join(f.dir, "reports", ".loquat-1")
	writeFile(t, unfinished, "half a report")
	const last = "ffffffff-ffff-4fff-bfff-ffffffffffff" // in the order of names
	taken := f.path(noon, last, 2, pending)
	writeFile(t, filepath.Join(taken, "file"), "") // adding fails
	if err := f.add(last, pending, []byte("{}"), noon); err == nil {
		t.Fatal("a folder was replaced")
	}
	if err := os.RemoveAll(taken); err != nil {
		t.Fatal(err)
	}
	if kept := len(f.list()); kept >= maxWaiting {
		t.Errorf("%d reports are kept while one more is added", kept)
	}
	if _, err := os.Stat(unfinished); err == nil {
		t.Error("an unfinished report is kept")
	}
	writeFile(t, unfinished, "half a report")
	if entries, err := ReadLog(r.decision.settings, 1000); err != nil || len(entries) != len(f.list(pending)) {
		t.Errorf("the log has %d entries, %v", len(entries), err)
	}
	if err := Disable(r.decision.settings); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(unfinished); err == nil {
		t.Error("an unfinished report survives disable")
	}
}

// TestWhatStrangersPutAmongReportsDisturbsNothing: neither a folder, nor a link, nor a
// name that says nonsense.
func TestWhatStrangersPutAmongReportsDisturbsNothing(t *testing.T) {
	r := on(t, "http://127.0.0.1:1", noon)
	s := r.decision.settings
	dir := filepath.Join(s.files().dir, "reports")
	writeFile(t, filepath.Join(dir, "folder", "file"), "x")
	writeFile(t, filepath.Join(dir, "1700000000000000000_folder_5.waiting", "file"), "x")
	writeFile(t, filepath.Join(dir, "1_negative_-999999999.waiting"), "x")
	writeFile(t, filepath.Join(dir, "99999999999999999999_huge_5.waiting"), "x")
	if err := os.Symlink(s.StatePath(), filepath.Join(dir, "1700000000000000000_link_5.waiting")); err != nil {
		t.Skipf("skipped: links can't be made here: %v", err)
	}
	if got := Decide(s).Status().Spool; got.Events > 2 || got.Bytes < 0 {
		t.Errorf("%+v", got)
	}
	r.keepMany(2)
	writeFile(t, s.files().path(noon, "cut", 5, recorded), `{"cut`)
	entries, err := ReadLog(s, 10)
	if err != nil || len(entries) != 2 {
		t.Errorf("the log has %v, %v", entries, err)
	}
	if err := Disable(s); err != nil || outcomes(t, r)[pending] != 0 {
		t.Errorf("%v, %v", err, outcomes(t, r))
	}
	if err := Enable(s); err != nil {
		t.Error(err)
	}
}

// TestReportsOfTheFutureGoFirst: the clock was ahead while they were recorded.
func TestReportsOfTheFutureGoFirst(t *testing.T) {
	now := noon.Add(365 * day)
	r := on(t, "http://127.0.0.1:1", noon)
	r.now = func() time.Time { return now }
	future := func() (n int) {
		for _, k := range r.decision.settings.files().list() {
			if k.time.After(now) {
				n++
			}
		}
		return n
	}
	r.keepMany(5)
	now = noon
	r.keepMany(maxWaiting - 5)
	for left := 4; left >= 0; left-- {
		now = now.Add(time.Minute)
		r.keepMany(1)
		if all := len(r.decision.settings.files().list()); future() != left || all != maxWaiting {
			t.Errorf("%d reports, %d of the future, want %d", all, future(), left)
		}
	}
	now = noon.Add(-365 * day) // a clock that is wrong for a while costs no more than others
	r.keepMany(1)
	if all := len(r.decision.settings.files().list()); all != maxWaiting {
		t.Errorf("%d reports", all)
	}
}

// TestDisableLeavesWhatWasSent: reports that waited are gone, the others stay in the log.
func TestDisableLeavesWhatWasSent(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	r := on(t, server.URL, noon)
	r.keepMany(3)
	r.deliver(t.Context())
	r.keepMany(2)
	if got := outcomes(t, r); got[sent] != 3 || got[pending] != 2 {
		t.Errorf("outcomes %v", got)
	}
	if err := Disable(r.decision.settings); err != nil {
		t.Fatal(err)
	}
	if got := outcomes(t, r); got[sent] != 3 || got[recorded] != 1 || len(got) != 2 {
		t.Errorf("after disable, outcomes %v", got)
	}
}

// TestReportsThatCantBeMarkedAreNotSentAgainAtOnce: where they should go, something is in the way.
func TestReportsThatCantBeMarkedAreNotSentAgainAtOnce(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	var requests atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		if requests.Add(1) > 5 {
			stop()
		}
	}))
	defer server.Close()
	r := on(t, server.URL, noon)
	r.keepMany(maxBatch + enough)
	f := r.decision.settings.files()
	for _, k := range f.list(pending) {
		if err := os.Mkdir(f.path(k.time, k.id, k.size, "sent-200"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	r.deliver(ctx)
	if requests.Load() != 1 {
		t.Errorf("%d requests", requests.Load())
	}
}
