package receiver

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/loquat-dev/loquat/internal/telemetry"
)

const id = "38d23c36c9be443281196080fcdd707d"

// report is one that the schemas allow.
func report(t testing.TB, n int) map[string]any {
	t.Helper()
	text := fmt.Sprintf(`{"type":"track","messageId":"%08x-0000-4000-8000-000000000000","timestamp":"2026-11-21T01:00:00Z","userId":"%s",
"event":"Training Data Validated","properties":{"validation_success":true,"metrics_id":"%s"},"context":{"os":{"name":"Linux","version":"6.1.0"},
"ci":false,"project":null,"python":null,"rasa_pro":"3.14.0","cpu":2,"docker":false,"license_hash":null,"company":null,"gpu":0,"cloud":false,"loquat":"dev","schema":1}}`, n, id, id)
	m, err := telemetry.Decode([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

type fixture struct {
	dir     string
	now     time.Time
	handler http.Handler
	log     bytes.Buffer
}

func start(t testing.TB, dir string) *fixture {
	t.Helper()
	f := &fixture{dir: dir, now: time.Date(2026, 11, 21, 23, 0, 0, 0, time.UTC)}
	r, err := Open(t.TempDir(), 90, "secret", slog.New(slog.NewTextHandler(&f.log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	if err != nil {
		t.Fatal(err)
	}
	if r.store, err = openStore(dir, 90, func() time.Time { return f.now }); err != nil {
		t.Fatal(err)
	}
	f.handler = r.Handler()
	return f
}

func (f *fixture) post(path, key string, body []byte) *httptest.ResponseRecorder {
	request := httptest.NewRequest(http.MethodPost, path, bytes.NewReader(body))
	if key != "" {
		request.SetBasicAuth(key, "")
	}
	answer := httptest.NewRecorder()
	f.handler.ServeHTTP(answer, request)
	return answer
}

func batchOf(t testing.TB, reports ...any) []byte {
	t.Helper()
	body, err := json.Marshal(map[string]any{"batch": reports, "sentAt": "2026-11-21T01:00:00Z"})
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func (f *fixture) lines(t testing.TB, day string) []string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(f.dir, day+".jsonl"))
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
}

func TestReportsAreKeptByDayOnceAndByNobodyElse(t *testing.T) {
	f := start(t, filepath.Join(t.TempDir(), "reports"))
	one, two := report(t, 1), report(t, 2)
	if a := f.post("/v1/batch", "secret", batchOf(t, one, two, one)); a.Code != 200 || !strings.Contains(a.Body.String(), `"success":true`) {
		t.Fatalf("%d %s", a.Code, a.Body)
	}
	single, _ := json.Marshal(one)
	if a := f.post("/v1/track", "secret", single); a.Code != 200 {
		t.Fatalf("%d %s", a.Code, a.Body)
	}
	if got := f.lines(t, "2026-11-21"); len(got) != 2 {
		t.Fatalf("%d lines: %v", len(got), got)
	}
	for path, mode := range map[string]os.FileMode{f.dir: 0o700, filepath.Join(f.dir, "2026-11-21.jsonl"): 0o600} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
	}
	// A new process still knows them a day later, and after 20 days no longer.
	f = start(t, f.dir)
	f.now = f.now.Add(24 * time.Hour)
	f.post("/v1/batch", "secret", batchOf(t, one, report(t, 3)))
	if got := f.lines(t, "2026-11-22"); len(got) != 1 {
		t.Errorf("the next day has %d lines", len(got))
	}
	f.now = f.now.Add(20 * 24 * time.Hour)
	f.post("/v1/batch", "secret", batchOf(t, one))
	if got := f.lines(t, "2026-12-12"); len(got) != 1 {
		t.Errorf("after 20 days there are %d lines", len(got))
	}
	f.now = f.now.Add(80 * 24 * time.Hour)
	f.post("/v1/batch", "secret", batchOf(t, report(t, 4)))
	if f.lines(t, "2026-11-21") != nil || f.lines(t, "2026-12-12") == nil {
		t.Error("files older than 90 days stay, or younger ones go")
	}
	for _, private := range []string{"192.0.2.1", "secret", id} {
		if strings.Contains(f.log.String(), private) {
			t.Errorf("the log has %s", private)
		}
	}
}

func TestWhatTheSchemasDoNotAllowIsDropped(t *testing.T) {
	f := start(t, t.TempDir())
	change := func(n int, edit func(m map[string]any)) map[string]any {
		m := report(t, n)
		edit(m)
		return m
	}
	body := batchOf(t,
		change(1, func(m map[string]any) { m["context"].(map[string]any)["ip"] = "10.0.0.1" }),
		change(2, func(m map[string]any) { m["properties"].(map[string]any)["text"] = "hello" }),
		change(3, func(m map[string]any) { m["userId"] = nil; m["properties"].(map[string]any)["metrics_id"] = nil }),
		change(4, func(m map[string]any) { m["userId"] = strings.Repeat("a", 32) }),
		change(5, func(m map[string]any) {
			m["event"] = "Telemetry Disabled"
			m["properties"] = map[string]any{"metrics_id": id}
		}),
		change(6, func(m map[string]any) { delete(m, "messageId") }),
		"text", nil, 7, report(t, 8),
	)
	if a := f.post("/v1/batch", "secret", body); a.Code != 200 {
		t.Fatalf("%d %s", a.Code, a.Body)
	}
	if got := f.lines(t, "2026-11-21"); len(got) != 1 || !strings.Contains(got[0], "00000008-") {
		t.Errorf("kept %v", got)
	}
	if strings.Contains(f.log.String(), "hello") || strings.Contains(f.log.String(), "10.0.0.1") {
		t.Error("the log repeats what was refused")
	}
}

func TestRequestsAreBounded(t *testing.T) {
	f := start(t, t.TempDir())
	many := make([]any, 101)
	for i := range many {
		many[i] = report(t, i)
	}
	for name, c := range map[string]struct {
		path, key string
		body      []byte
		status    int
	}{
		"no key":         {"/v1/batch", "", batchOf(t), 401},
		"wrong key":      {"/v1/batch", "secrets", batchOf(t), 401},
		"too many":       {"/v1/batch", "secret", batchOf(t, many...), 400},
		"too large":      {"/v1/batch", "secret", bytes.Repeat([]byte(" "), maxBody+1), 413},
		"no JSON":        {"/v1/batch", "secret", []byte("{"), 400},
		"no batch":       {"/v1/batch", "secret", []byte("{}"), 400},
		"deep":           {"/v1/batch", "secret", []byte(`{"batch":[` + strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000) + `]}`), 400},
		"identify":       {"/v1/identify", "secret", []byte("{}"), 404},
		"the exact size": {"/v1/batch", "secret", append([]byte(`{"batch":[]}`), bytes.Repeat([]byte(" "), maxBody-12)...), 200},
	} {
		if a := f.post(c.path, c.key, c.body); a.Code != c.status || strings.Contains(a.Body.String(), `"success":true`) != (c.status == 200) {
			t.Errorf("%s: %d %s, want %d", name, a.Code, a.Body, c.status)
		}
	}
	large := report(t, 1)
	large["context"].(map[string]any)["company"] = strings.Repeat("x", 100)
	padded := bytes.Replace(batchOf(t, large), []byte(`"company":`), []byte(`"company":`+strings.Repeat(" ", maxItem)), 1)
	f.post("/v1/batch", "secret", padded)
	for _, after := range []string{"}}", " {}", "x"} {
		single, _ := json.Marshal(report(t, 1))
		f.post("/v1/track", "secret", append(single, after...))
	}
	if got := f.lines(t, "2026-11-21"); got != nil {
		t.Errorf("kept %v", got)
	}
	health := httptest.NewRecorder()
	f.handler.ServeHTTP(health, httptest.NewRequest(http.MethodGet, "/healthz", nil))
	if health.Code != 200 {
		t.Errorf("healthz: %d", health.Code)
	}
}

func TestAFullDayAsksToComeBack(t *testing.T) {
	f := start(t, t.TempDir())
	full, err := os.Create(filepath.Join(f.dir, "2026-11-21.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	if _, err := full.WriteAt([]byte("\n"), maxDayBytes-10); err != nil { // sparse
		t.Fatal(err)
	}
	a := f.post("/v1/batch", "secret", batchOf(t, report(t, 1)))
	if a.Code != 429 || a.Header().Get("Retry-After") != "3600" {
		t.Errorf("%d, Retry-After %q", a.Code, a.Header().Get("Retry-After"))
	}
}

// TestALineThatWasCutOffSpoilsNoOther: what a crash left is not continued by the
// next report.
func TestALineThatWasCutOffSpoilsNoOther(t *testing.T) {
	dir := t.TempDir()
	f := start(t, dir)
	f.post("/v1/batch", "secret", batchOf(t, report(t, 1), report(t, 2)))
	path := filepath.Join(dir, "2026-11-21.jsonl")
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, info.Size()-10); err != nil {
		t.Fatal(err)
	}
	f = start(t, dir)
	f.post("/v1/batch", "secret", batchOf(t, report(t, 3)))
	for _, line := range f.lines(t, "2026-11-21") {
		if m, err := telemetry.Decode([]byte(line)); err != nil || telemetry.Validate(m) != nil {
			t.Errorf("kept %s", line)
		}
	}
	if got := f.lines(t, "2026-11-21"); len(got) != 2 || !strings.Contains(got[1], "00000003-") {
		t.Errorf("kept %v", got)
	}
}

// TestWhatIsRemovedIsForgotten: a receiver that runs for months with few days to
// keep must not remember all reports that it ever had.
func TestWhatIsRemovedIsForgotten(t *testing.T) {
	now := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	store, err := openStore(t.TempDir(), 2, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	for n := range 30 {
		if kept, err := store.keep([]map[string]any{report(t, n)}); kept != 1 || err != nil {
			t.Fatalf("day %d: kept %d, %v", n, kept, err)
		}
		now = now.Add(24 * time.Hour)
	}
	if len(store.known) > 4 {
		t.Errorf("%d reports are remembered", len(store.known))
	}
}

// TestManyAtOnceAreKeptOnce: installations send when they like.
func TestManyAtOnceAreKeptOnce(t *testing.T) {
	f := start(t, t.TempDir())
	const rounds = 5
	for round := range rounds {
		var same []any
		for n := range maxItems {
			same = append(same, report(t, round*maxItems+n))
		}
		body := batchOf(t, same...)
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				if a := f.post("/v1/batch", "secret", body); a.Code != 200 {
					t.Errorf("%d %s", a.Code, a.Body)
				}
			})
		}
		wg.Wait()
	}
	if got := f.lines(t, "2026-11-21"); len(got) != rounds*maxItems {
		t.Errorf("%d lines", len(got))
	}
}

// TestTheNameOfAFolderIsNoPattern: it may have any letters, and what lies beside it is not
// the receiver's.
func TestTheNameOfAFolderIsNoPattern(t *testing.T) {
	parent := t.TempDir()
	other := filepath.Join(parent, "r", "2020-01-01.jsonl")
	mine := filepath.Join(parent, "[r]", "2020-01-01.jsonl")
	for _, path := range []string{other, mine} {
		if err := errors.Join(os.Mkdir(filepath.Dir(path), 0o700), os.WriteFile(path, nil, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	start(t, filepath.Dir(mine))
	_, kept := os.Stat(other)
	if _, err := os.Stat(mine); err == nil || kept != nil {
		t.Errorf("its own old file: %v; that of another folder: %v", err, kept)
	}
}

func TestAReceiverNeedsAKey(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "reports")
	if _, err := Open(dir, 90, "", nil); err == nil {
		t.Error("it starts without one")
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("it makes a folder before it knows that it can't start")
	}
}

// FuzzBatch holds that whatever comes, the receiver answers, and stores only what
// the schemas allow.
func FuzzBatch(f *testing.F) {
	f.Add([]byte(`{"batch":[{"event":"Shell Started"}]}`))
	f.Add(batchOf(f, report(f, 1)))
	f.Fuzz(func(t *testing.T, body []byte) {
		fx := start(t, t.TempDir())
		fx.post("/v1/batch", "secret", body)
		for _, line := range fx.lines(t, "2026-11-21") {
			m, err := telemetry.Decode([]byte(line))
			if err != nil || telemetry.Validate(m) != nil {
				t.Errorf("stored %s", line)
			}
		}
	})
}
