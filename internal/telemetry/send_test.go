package telemetry

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/loquat-dev/loquat/internal/safefile"
)

// on is a recorder of an installation that has seen the notice, with a collector.
func on(t *testing.T, address string, now time.Time, env ...map[string]string) *Recorder {
	t.Helper()
	s := fakeSettings(t, with(append(env, map[string]string{"LOQUAT_TELEMETRY_ENDPOINT": address, "RASA_TELEMETRY_WRITE_KEY": "abc123"})...))
	writeFile(t, s.StatePath(), storedOn+"  salt: "+strings.Repeat("0", 64)+"\n")
	r := &Recorder{now: func() time.Time { return now }, decision: Decide(s), closing: make(chan struct{})}
	if r.decision.Mode != On {
		t.Fatalf("mode %s: %+v", r.decision.Mode, r.decision)
	}
	return r
}

// counting is a collector that takes everything and counts requests.
func counting(t *testing.T) (address string, requests *atomic.Int64) {
	requests = new(atomic.Int64)
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { requests.Add(1) }))
	t.Cleanup(server.Close)
	return server.URL, requests
}

func (r *Recorder) keepMany(n int) {
	for range n {
		_ = r.keep(occurrence{TrainingDataValidated{Success: true}, r.now()})
	}
}

func outcomes(t *testing.T, r *Recorder) map[string]int {
	t.Helper()
	entries, err := ReadLog(r.decision.settings, 10_000)
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string]int{}
	for _, e := range entries {
		counts[e.Outcome]++
	}
	return counts
}

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// TestWhatAnAnswerMeans goes through the table of docs/telemetry.md.
func TestWhatAnAnswerMeans(t *testing.T) {
	hijack := func(w http.ResponseWriter, _ *http.Request) {
		connection, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			_ = connection.Close()
		}
	}
	status := func(code int, header ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			for i := 0; i < len(header); i += 2 {
				w.Header().Set(header[i], header[i+1])
			}
			w.WriteHeader(code)
		}
	}
	for _, c := range []struct {
		name     string
		answer   http.HandlerFunc
		outcome  string
		kept     bool
		min, max time.Duration // until the next request
	}{
		{"200", status(200), "sent", false, 0, 0},
		{"204", status(204), "sent", false, 0, 0},
		{"400", status(400), "dropped", false, 0, 0},
		{"404", status(404), "dropped", false, 0, 0},
		{"413", status(413), "dropped", false, 0, 0},
		{"401", status(401), "dropped", false, 7 * day, 7 * day},
		{"403", status(403), "dropped", false, 7 * day, 7 * day},
		{"429", status(429), "waiting", true, time.Hour, time.Hour},
		{"429 in 5 minutes", status(429, "Retry-After", "300"), "waiting", true, 5 * time.Minute, 5 * time.Minute},
		{"429 in a second", status(429, "Retry-After", "1"), "waiting", true, time.Minute, time.Minute},
		{"429 in a year", status(429, "Retry-After", "31536000"), "waiting", true, day, day},
		{"429 at once", status(429, "Retry-After", "0"), "waiting", true, time.Minute, time.Minute},
		{"429 in more than can be", status(429, "Retry-After", "9223372037"), "waiting", true, day, day},
		{"429 until next year", status(429, "Retry-After", noon.Add(365*day).Format(http.TimeFormat)), "waiting", true, day, day},
		{"429 until a date", status(429, "Retry-After", noon.Add(2*time.Hour).Format(http.TimeFormat)), "waiting", true, 2 * time.Hour, 2 * time.Hour},
		{"500", status(500), "waiting", true, 48 * time.Minute, 72 * time.Minute},
		{"302 to another host", status(302, "Location", "http://127.0.0.1:1/"), "waiting", true, 48 * time.Minute, 72 * time.Minute},
		{"a connection that is cut", hijack, "waiting", true, 48 * time.Minute, 72 * time.Minute},
	} {
		t.Run(c.name, func(t *testing.T) {
			var requests atomic.Int64
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				requests.Add(1)
				c.answer(w, r)
			}))
			defer server.Close()
			r := on(t, server.URL, noon)
			r.keepMany(3)
			writeFile(t, filepath.Join(r.decision.settings.files().dir, "send.json"), `{"dropped": 7}`)
			r.deliver(context.Background())
			if got := r.decision.settings.files().readSending().Dropped; requests.Load() != 1 || got != 7 {
				t.Errorf("%d requests, %d events are counted as dropped", requests.Load(), got)
			}
			entries, err := ReadLog(r.decision.settings, 10)
			if err != nil || len(entries) != 3 {
				t.Fatalf("%d entries, %v", len(entries), err)
			}
			for _, e := range entries {
				if e.Outcome != c.outcome || e.Detail == "" {
					t.Errorf("%s (%s), want %s", e.Outcome, e.Detail, c.outcome)
				}
			}
			if left := len(r.decision.settings.files().list(pending)); c.kept != (left == 3) || !c.kept && left != 0 {
				t.Errorf("%d reports wait", left)
			}
			state := r.decision.settings.files().readSending()
			if wait := state.NotBefore.Sub(noon); !state.NotBefore.IsZero() && (wait < c.min || wait > c.max) || state.NotBefore.IsZero() != (c.max == 0) {
				t.Errorf("the next request may come at %v", state.NotBefore)
			}
			r.keepMany(1)
			if r.deliver(context.Background()); requests.Load() != 1 {
				t.Errorf("%d requests on the same day", requests.Load())
			}
			if entries, err = ReadLog(r.decision.settings, 10); err != nil || len(entries) != 4 {
				t.Fatalf("%d entries, %v", len(entries), err)
			}
			for _, e := range entries {
				if !c.kept && e.Outcome == pending && e.Detail != "" {
					t.Errorf("the next report waits because of %s", e.Detail)
				}
			}
			r.keepMany(enough) // nothing is sent before its time
			r.deliver(context.Background())
			if want := int64(1); c.max > 0 && requests.Load() != want {
				t.Errorf("%d requests, want %d", requests.Load(), want)
			}
		})
	}
}

// TestACommandSendsWhatEarlierRunsHaveLeft, and nothing that it records itself.
func TestACommandSendsWhatEarlierRunsHaveLeft(t *testing.T) {
	address, requests := counting(t)
	r := on(t, address, noon)
	r.keepMany(3)
	close(r.closing)
	for i, left := range []bool{false, true} {
		if r.send(t.Context(), left); requests.Load() != int64(i) {
			t.Errorf("left by an earlier run %v: %d requests", left, requests.Load())
		}
	}
}

// TestAServerSendsEverySixHours: what has come to wait meanwhile, unless it began before
// people had read the notice.
func TestAServerSendsEverySixHours(t *testing.T) {
	for mode, requests := range map[Mode]int{On: 1, Local: 0} {
		synctest.Test(t, func(t *testing.T) {
			r := on(t, "http://127.0.0.1:1", noon)
			r.now, r.decision.Mode = time.Now, mode
			f := r.decision.settings.files()
			waiting := on(t, "http://127.0.0.1:1", noon)
			waiting.decision.settings = r.decision.settings
			waiting.keepMany(1)
			go r.send(t.Context(), false)
			for n, want := range []int{0, requests} { // that fail
				time.Sleep(4 * time.Hour)
				synctest.Wait()
				if got := f.readSending().Failures; got != want {
					t.Errorf("%s, after %d hours: %d requests, want %d", mode, 4*n+4, got, want)
				}
			}
			close(r.closing)
		})
	}
}

func TestFailuresSpaceRequestsOut(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) }))
	defer server.Close()
	now := noon
	r := on(t, server.URL, noon)
	r.now = func() time.Time { return now }
	r.keepMany(1)
	for i, hours := range []float64{1, 2, 4, 8, 16, 24, 24} {
		r.deliver(context.Background())
		state := r.decision.settings.files().readSending()
		if wait := state.NotBefore.Sub(now).Hours(); wait < 0.8*hours || wait > 1.2*hours {
			t.Errorf("after failure %d: %.1f hours, want about %v", i+1, wait, hours)
		}
		now = state.NotBefore
	}
}

// TestTheRequestIsInSegmentsFormat holds what is on the wire against Segment's
// HTTP API: path, authorisation, media type, and the fields of items.
func TestTheRequestIsInSegmentsFormat(t *testing.T) {
	var path, authorisation, media, agent string
	var body []byte
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		path, authorisation, media, agent = r.URL.Path, r.Header.Get("Authorization"), r.Header.Get("Content-Type"), r.Header.Get("User-Agent")
		body, _ = io.ReadAll(r.Body)
	}))
	defer server.Close()
	r := on(t, server.URL+"/base", noon)
	r.keepMany(2)
	r.deliver(context.Background())
	if path != "/base/v1/batch" || authorisation != "Basic YWJjMTIzOg==" || media != "application/json" || !strings.HasPrefix(agent, "loquat/") {
		t.Errorf("path %q, authorisation %q, media type %q, agent %q", path, authorisation, media, agent)
	}
	var batch struct {
		Batch  []map[string]any `json:"batch"`
		SentAt string           `json:"sentAt"`
	}
	if err := json.Unmarshal(body, &batch); err != nil || len(batch.Batch) != 2 || batch.SentAt != "2026-11-21T12:00:00Z" {
		t.Fatalf("%v: %s", err, body)
	}
	for _, item := range batch.Batch {
		for _, key := range []string{"type", "messageId", "timestamp", "userId", "event", "properties", "context"} {
			if item[key] == nil {
				t.Errorf("%s is missing", key)
			}
		}
		if context := item["context"].(map[string]any); context["ip"] != nil || context["direct"] != nil {
			t.Error("the context asks for the address of the sender")
		}
	}
}

func TestOnlyEncryptedConnectionsToTheRightServer(t *testing.T) {
	var requests atomic.Int64
	count := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { requests.Add(1) })
	unknown := httptest.NewUnstartedServer(count)
	old := httptest.NewUnstartedServer(count)
	old.TLS = &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}
	for name, c := range map[string]struct {
		server *httptest.Server
		detail string
	}{"unknown certificate": {unknown, "certificate"}, "TLS 1.1": {old, "version"}} {
		c.server.Config.ErrorLog = slog.NewLogLogger(slog.NewTextHandler(io.Discard, nil), slog.LevelError)
		c.server.StartTLS()
		r := on(t, c.server.URL, noon)
		r.keepMany(1)
		r.deliver(context.Background())
		entries, err := ReadLog(r.decision.settings, 1)
		if err != nil || requests.Load() != 0 || entries[0].Outcome != "waiting" || !strings.Contains(entries[0].Detail, c.detail) {
			t.Errorf("%s: %d requests, %v, %v", name, requests.Load(), entries, err)
		}
		c.server.Close()
	}
}

func TestReportsWaitForADayOrForCompany(t *testing.T) {
	salt := "00000e10" // an hour
	at := func(hour int) time.Time { return noon.Add(time.Duration(hour-12) * time.Hour) }
	for _, c := range []struct {
		name    string
		state   sending
		waiting int
		now     time.Time
		want    bool
	}{
		{"never sent", sending{}, 1, noon, true},
		{"sent an hour ago", sending{Answered: at(11)}, 1, noon, false},
		{"sent an hour ago, many wait", sending{Answered: at(11)}, enough, noon, true},
		{"sent yesterday", sending{Answered: at(-12)}, 1, noon, true},
		{"the day turns an hour late on this machine", sending{Answered: at(23)}, 1, at(24), false},
		{"and then it turns", sending{Answered: at(23)}, 1, at(25), true},
		{"not yet", sending{NotBefore: at(13)}, enough, noon, false},
		{"the clock was set back a month after a refusal", sending{NotBefore: noon.Add(30 * day)}, 1, noon, true},
		{"the clock was set back a month after sending", sending{Answered: noon.Add(30 * day)}, 1, noon, true},
	} {
		if got := due(c.state, c.waiting, salt, c.now); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

// TestASlowCollectorIsLeftAloneForAWhile: a command that ended before the answer
// must not be followed by commands that wait as well.
func TestASlowCollectorIsLeftAloneForAWhile(t *testing.T) {
	var requests atomic.Int64
	arrived := make(chan struct{}, 1)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		_, _ = io.Copy(io.Discard, r.Body)
		arrived <- struct{}{}
		<-r.Context().Done()
	}))
	defer server.Close()
	r := on(t, server.URL, noon)
	r.keepMany(3)
	ctx, end := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { r.deliver(ctx) })
	<-arrived
	end()
	wg.Wait()
	r.deliver(context.Background())
	if requests.Load() != 1 || len(r.decision.settings.files().list(pending)) != 3 {
		t.Errorf("%d requests, %d reports wait", requests.Load(), len(r.decision.settings.files().list(pending)))
	}
	if again := r.decision.settings.files().readSending().NotBefore; !again.Equal(noon.Add(pause)) {
		t.Errorf("the next request may come at %v", again)
	}
}

// TestDisableEndsWhatRuns switches off while a request hangs in this process and
// more would follow.
func TestDisableEndsWhatRuns(t *testing.T) {
	var requests atomic.Int64
	arrived := make(chan struct{}, 100)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		_, _ = io.Copy(io.Discard, r.Body) // so that a client that goes away is noticed
		arrived <- struct{}{}
		<-r.Context().Done()
	}))
	defer server.Close()
	r := on(t, server.URL, noon)
	r.keepMany(150)
	var wg sync.WaitGroup
	wg.Go(func() { r.deliver(context.Background()) })
	<-arrived
	if err := Disable(r.decision.settings); err != nil {
		t.Fatal(err)
	}
	unlock, err := safefile.Lock(filepath.Join(r.decision.settings.files().dir, "send.lock"), 0)
	if err != nil {
		t.Fatalf("when disable has returned, somebody sends: %v", err)
	}
	unlock()
	before := requests.Load()
	r.keepMany(30)
	r.deliver(context.Background())
	wg.Wait()
	if requests.Load() != before || before != 1 {
		t.Errorf("%d requests before and %d after disable had returned", before, requests.Load())
	}
	if left := r.decision.settings.files().list(pending); len(left) != 0 {
		t.Errorf("%d reports wait", len(left))
	}
	if err := Enable(r.decision.settings); err != nil {
		t.Fatal(err)
	}
	r.keepMany(1)
	left := r.decision.settings.files().list(pending)
	if len(left) != 1 {
		t.Fatalf("%d reports wait after a running process was switched on again", len(left))
	}
	if report, err := os.ReadFile(left[0].path); err != nil || bytes.Contains(report, []byte("38d23c36")) {
		t.Errorf("the report has the earlier identity: %s, %v", report, err)
	}
}

// TestASwitchInTheProjectHoldsForWhatRuns: the server reads its files again.
func TestASwitchInTheProjectHoldsForWhatRuns(t *testing.T) {
	address, requests := counting(t)
	r := on(t, address, noon)
	path := filepath.Join(t.TempDir(), "endpoints.yml")
	r.decision.settings.ProjectFiles = []string{path}
	r.keepMany(2)
	writeFile(t, path, "telemetry: {enabled: false}\n")
	r.keepMany(1)
	r.deliver(t.Context())
	if left := len(r.decision.settings.files().list(pending)); requests.Load() != 0 || left != 2 {
		t.Errorf("%d requests, %d reports wait", requests.Load(), left)
	}
}

// TestReportsOfAnEarlierIdentityAreNotSent: they were recorded before the user
// switched off and on again.
func TestReportsOfAnEarlierIdentityAreNotSent(t *testing.T) {
	address, requests := counting(t)
	r := on(t, address, noon)
	r.keepMany(3)
	writeFile(t, r.decision.settings.StatePath(), strings.Replace(storedOn, "38d2", "ffff", 1))
	r.deliver(context.Background())
	if left := r.decision.settings.files().list(pending); requests.Load() != 0 || len(left) != 0 {
		t.Errorf("%d requests, %d reports wait", requests.Load(), len(left))
	}
}

// TestARequestIsNoLargerThanReceiversTake: by number, and by size.
func TestARequestIsNoLargerThanReceiversTake(t *testing.T) {
	long := TrainingStarted{TrainingID: NewID(), Pipeline: make(List[Item], maxItems)}
	for i := range long.Pipeline {
		long.Pipeline[i].Name = Named[Component]("rasa.core.policies.unexpected_intent_policy.UnexpecTEDIntentPolicy")
	}
	for name, e := range map[string]Event{"many": ProjectCreated{}, "large": long} {
		arrived, largest := 0, 0
		server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			var b struct{ Batch []json.RawMessage }
			if json.Unmarshal(body, &b) != nil || len(b.Batch) > 100 || len(body) > 500_000 {
				t.Errorf("%s: %d reports, %d bytes", name, len(b.Batch), len(body))
			}
			arrived, largest = arrived+len(b.Batch), max(largest, len(body))
		}))
		r := on(t, server.URL, noon)
		for range 120 {
			_ = r.keep(occurrence{e, noon})
		}
		r.deliver(t.Context())
		if arrived != 120 || name == "large" && largest < 400_000 {
			t.Errorf("%s: %d reports arrived, at most %d bytes at once", name, arrived, largest)
		}
		server.Close()
	}
}

// TestWhatIsRememberedMayBeNonsense: somebody has changed send.json.
func TestWhatIsRememberedMayBeNonsense(t *testing.T) {
	for _, content := range []string{`{"failures": -7}`, `{"failures": 9999999999}`, `{"not_before": 5}`, `[`, "", `{"not_before": "9999-12-31T00:00:00Z"}`} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }))
		r := on(t, server.URL, noon)
		r.keepMany(1)
		writeFile(t, filepath.Join(r.decision.settings.files().dir, "send.json"), content)
		r.deliver(t.Context())
		if wait := r.decision.settings.files().readSending().NotBefore.Sub(noon); wait < 48*time.Minute || wait > 29*time.Hour {
			t.Errorf("%s: the next request may come after %v", content, wait)
		}
		server.Close()
	}
}

// TestOnlyWhatTheSchemasAllowIsSent: somebody has changed reports that wait.
func TestOnlyWhatTheSchemasAllowIsSent(t *testing.T) {
	var body []byte
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { body, _ = io.ReadAll(r.Body) }))
	defer server.Close()
	r := on(t, server.URL, noon)
	r.keepMany(4)
	f := r.decision.settings.files()
	for n, change := range []func(string) string{
		func(s string) string { return strings.Replace(s, `"ci"`, `"zqjvx":1,"ci"`, 1) },
		func(s string) string { return s + strings.Repeat(" ", maxReport) },
		func(s string) string { return s[:len(s)/2] },
	} {
		path := f.list(pending)[n].path
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		writeFile(t, path, change(string(data)))
	}
	r.deliver(t.Context())
	var sent struct{ Batch []json.RawMessage }
	if err := json.Unmarshal(body, &sent); err != nil || len(sent.Batch) != 1 || len(f.list(pending)) != 0 {
		t.Errorf("%v, sent %s; %d reports wait", err, body, len(f.list(pending)))
	}
}

// TestTheLogNamesNoHost: an operator has chosen its name, and what it answers is a stranger's.
func TestTheLogNamesNoHost(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if connection, _, err := w.(http.Hijacker).Hijack(); err == nil {
			_, _ = connection.Write([]byte("zqjvx\r\n\r\n"))
			_ = connection.Close()
		}
	}))
	defer server.Close()
	for address, want := range map[string]string{"https://zqjvx.invalid": "no answer", "http://127.0.0.1:1": "refused", server.URL: "failed"} {
		r := on(t, address, noon)
		r.keepMany(1)
		r.deliver(t.Context())
		got := r.decision.settings.files().readSending().Detail
		if strings.Contains(got, "zqjvx") || strings.Contains(got, "127.0.0.1") || !strings.Contains(got, want) {
			t.Errorf("%s: %q, want something with %q", address, got, want)
		}
		if err := Disable(r.decision.settings); err != nil {
			t.Fatal(err)
		}
		if entries, err := ReadLog(r.decision.settings, 1); err != nil || len(entries) != 1 || entries[0].Detail != "" {
			t.Errorf("what was never to be sent: %v, %v", entries, err)
		}
	}
}
