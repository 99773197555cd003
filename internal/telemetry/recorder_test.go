package telemetry

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"
)

func quiet() Options {
	return Options{Notice: &bytes.Buffer{}, Terminal: true, Logger: slog.New(slog.NewTextHandler(&bytes.Buffer{}, nil))}
}

// process runs one recorder from start to end.
func process(s Settings, events ...Event) {
	r := Start(s, quiet())
	for _, e := range events {
		r.Record(e)
	}
	if r != nil && r.closing != nil {
		close(r.closing) // as Close, without its limit of time
		r.running.Wait()
	}
}

// TestNothingIsSentBeforeALaterRun follows an installation through its first runs.
func TestNothingIsSentBeforeALaterRun(t *testing.T) {
	var requests, reports atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var b struct{ Batch []json.RawMessage }
		if json.NewDecoder(r.Body).Decode(&b) == nil {
			reports.Add(int64(len(b.Batch)))
		}
		requests.Add(1)
	}))
	defer server.Close()
	s := fakeSettings(t, map[string]string{"LOQUAT_TELEMETRY_ENDPOINT": server.URL, "RASA_TELEMETRY_WRITE_KEY": "k"})
	process(s, ProjectCreated{}) // the notice; what happens is in the log alone
	if requests.Load() != 0 || len(s.files().list(pending)) != 0 {
		t.Errorf("in the first run: %d requests, %d reports wait", requests.Load(), len(s.files().list(pending)))
	}
	process(s, ProjectCreated{})
	process(s, ProjectCreated{})
	if waiting := int64(len(s.files().list(pending))); requests.Load() != 1 || reports.Load()+waiting != 2 {
		t.Errorf("after two more runs: %d requests, %d reports arrived, %d wait", requests.Load(), reports.Load(), waiting)
	}
}

func TestTheNoticeComesOnceAndOnlyWhereItIsSeen(t *testing.T) {
	s := fakeSettings(t, nil)
	var log bytes.Buffer
	start := func(terminal bool, level slog.Level) string {
		notice := &bytes.Buffer{}
		log.Reset()
		Start(s, Options{Notice: notice, Terminal: terminal, Logger: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: level}))}).Close(false)
		return notice.String()
	}
	if start(false, slog.LevelWarn) != "" || log.Len() != 0 {
		t.Error("something was said that nobody sees")
	}
	if _, err := os.Stat(s.StatePath()); err == nil {
		t.Error("a notice that nobody saw was remembered")
	}
	if start(false, slog.LevelInfo) != "" || !strings.Contains(log.String(), "loquat telemetry disable") {
		t.Errorf("without a terminal the log says: %s", log.String())
	}
	if n := start(true, slog.LevelInfo); n != "" || log.Len() != 0 {
		t.Errorf("a second time: %s%s", n, log.String())
	}
	s = fakeSettings(t, nil)
	if n := start(true, slog.LevelWarn); !strings.Contains(n, "RASA_TELEMETRY_ENABLED=false") || strings.Count(n, "\n") > 6 {
		t.Errorf("on a terminal: %s", n)
	}
}

// TestOneOfManyFirstRunsShowsTheNotice starts processes that have all decided, as
// when a script runs several, before one has written the state.
func TestOneOfManyFirstRunsShowsTheNotice(t *testing.T) {
	s := fakeSettings(t, nil)
	notice := &bytes.Buffer{}
	o := quiet()
	o.Notice = notice
	first, second := &Recorder{now: time.Now, decision: Decide(s)}, &Recorder{now: time.Now, decision: Decide(s)}
	first.introduce(o)
	second.introduce(o)
	if n := strings.Count(notice.String(), "anonymous usage"); n != 1 || first.decision.state.ID != second.decision.state.ID {
		t.Errorf("%d notices; identifiers %s and %s", n, first.decision.state.ID, second.decision.state.ID)
	}
}

// TestOnlyTheUserCanReadWhatIsKept looks at every file and folder that is made.
func TestOnlyTheUserCanReadWhatIsKept(t *testing.T) {
	r := on(t, "http://127.0.0.1:1", noon)
	s, files := r.decision.settings, 0
	if err := Enable(s); err != nil {
		t.Fatal(err)
	}
	r.keepMany(2)
	r.deliver(t.Context())
	for _, dir := range []string{filepath.Join(s.CacheDir, "loquat"), filepath.Dir(s.StatePath())} {
		err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || path == filepath.Dir(s.StatePath()) { // which this test has made
				return err
			}
			info, err := entry.Info()
			if err == nil && info.Mode().Perm()&0o077 != 0 {
				t.Errorf("%s has mode %v", path, info.Mode())
			}
			files++
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if files < 8 {
		t.Errorf("only %d files and folders were seen", files)
	}
}

func TestInCINothingIsMade(t *testing.T) {
	s := fakeSettings(t, map[string]string{"CI": "1"})
	process(s, ProjectCreated{})
	if _, err := os.Stat(s.StatePath()); err == nil {
		t.Error("there is a state file")
	}
	entries, err := ReadLog(s, 10)
	if err != nil || len(entries) != 1 || !strings.Contains(string(entries[0].Report), `"userId":null`) {
		t.Errorf("%v, %v", entries, err)
	}
}

// TestTwoProcessesAtOnce records from several recorders over one folder.
func TestTwoProcessesAtOnce(t *testing.T) {
	s := on(t, "http://127.0.0.1:1", noon).decision.settings
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 5 {
				process(s, ProjectCreated{}, TrainingDataValidated{Success: true})
			}
		})
	}
	wg.Wait()
	entries, err := ReadLog(s, 1000)
	if err != nil || len(entries) != 40 {
		t.Fatalf("%d entries, %v", len(entries), err)
	}
	for _, e := range entries {
		report, err := Decode(e.Report)
		if err != nil || Validate(report) != nil {
			t.Errorf("%s", e.Report)
		}
	}
	if n := len(s.files().list(pending)); n != 40 {
		t.Errorf("%d reports wait", n)
	}
}

// TestNoPlaceForReportsLosesNothingElse: where their folders should be, something else is.
func TestNoPlaceForReportsLosesNothingElse(t *testing.T) {
	s := on(t, "http://127.0.0.1:1", noon).decision.settings
	writeFile(t, s.CacheDir, "a file where the folder should be")
	process(s, ProjectCreated{})
	if st, _, err := readState(s.StatePath()); err != nil || !*st.Enabled {
		t.Errorf("%+v, %v", st, err)
	}
	s = on(t, "http://127.0.0.1:1", noon).decision.settings
	writeFile(t, filepath.Join(s.files().dir, "reports"), "a file where the folder should be")
	process(s, ProjectCreated{})
	if err := Disable(s); err == nil {
		t.Error("disable says nothing of a folder that it can't look into")
	}
	if d := Decide(s); d.Mode != Off {
		t.Errorf("%s after disable", d.Mode)
	}
}

func TestRecordingTooFastIsBoundedAndCounted(t *testing.T) {
	r := Start(on(t, "http://127.0.0.1:1", noon).decision.settings, quiet())
	for range 10_000 {
		r.Record(ProjectCreated{})
	}
	close(r.closing)
	r.running.Wait()
	counted := int(r.dropped.Load() + Decide(r.decision.settings).Status().Dropped)
	entries, err := ReadLog(r.decision.settings, 20_000)
	if err != nil {
		t.Fatal(err)
	}
	if counted+len(entries) != 10_000 || len(entries) < queueLength {
		t.Errorf("%d events are in the log, %d are counted as dropped", len(entries), counted)
	}
}

func TestRecordingCostsNextToNothing(t *testing.T) {
	var none *Recorder
	e := Event(ProjectCreated{})
	if n := testing.AllocsPerRun(100, func() { none.Record(e) }); n != 0 {
		t.Errorf("switched off, recording allocates %v times", n)
	}
	r := &Recorder{queue: make(chan occurrence, 1), now: time.Now}
	if n := testing.AllocsPerRun(100, func() { r.Record(e) }); n != 0 {
		t.Errorf("recording allocates %v times", n)
	}
}

// TestTheEndWaitsOnlyOnce: a disk and a collector that both hang delay the end of
// a command by 100 ms together.
func TestTheEndWaitsOnlyOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		r := &Recorder{
			queue: make(chan occurrence), closing: make(chan struct{}), cancel: cancel,
		}
		hangs := make(chan struct{})
		defer close(hangs)
		r.running.Go(func() { <-hangs })
		r.running.Go(func() { <-hangs })
		begun := time.Now()
		r.Close(false)
		if took := time.Since(begun); took != 100*time.Millisecond || ctx.Err() == nil {
			t.Errorf("it took %v; the request: %v", took, ctx.Err())
		}
	})
}

// TestAnInterruptedCommandWaitsForNoAnswer: its request ends at once.
func TestAnInterruptedCommandWaitsForNoAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		r := &Recorder{closing: make(chan struct{}), cancel: cancel}
		r.running.Go(func() { <-ctx.Done() })
		begun := time.Now()
		r.Close(true)
		if took := time.Since(begun); took != 0 {
			t.Errorf("it took %v", took)
		}
	})
}

// TestANoticeThatCantBeRememberedIsNotShown: nobody shall read it again and again.
func TestANoticeThatCantBeRememberedIsNotShown(t *testing.T) {
	s := fakeSettings(t, nil)
	writeFile(t, filepath.Join(s.StatePath()+".lock", "file"), "a folder where the lock should be")
	o, notice := quiet(), &bytes.Buffer{}
	o.Notice = notice
	if r := Start(s, o); r != nil || notice.Len() > 0 {
		t.Errorf("%+v, %s", r, notice)
	}
}

// TestTheContextComesFromTheMachinesOwnFiles describes machines by fake files.
func TestTheContextComesFromTheMachinesOwnFiles(t *testing.T) {
	s := fakeSettings(t, nil)
	file := func(content string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(content)} }
	for name, c := range map[string]struct {
		files         fstest.MapFS
		docker, cloud bool
		gpu           Count
	}{
		"bare":      {fstest.MapFS{}, false, false, 0},
		"docker":    {fstest.MapFS{".dockerenv": file("")}, true, false, 0},
		"podman":    {fstest.MapFS{"run/.containerenv": file("")}, true, false, 0},
		"cgroup":    {fstest.MapFS{"proc/self/cgroup": file("1:name=systemd:/docker/12\n")}, true, false, 0},
		"aws":       {fstest.MapFS{"sys/class/dmi/id/sys_vendor": file("Amazon EC2\n")}, false, true, 0},
		"azure":     {fstest.MapFS{"sys/class/dmi/id/chassis_asset_tag": file("7783-7084-3265-9085-8269-3286-77\n")}, false, true, 0},
		"hyper-v":   {fstest.MapFS{"sys/class/dmi/id/sys_vendor": file("Microsoft Corporation\n")}, false, false, 0},
		"two cards": {fstest.MapFS{"proc/driver/nvidia/gpus/0000:01:00.0/x": file(""), "proc/driver/nvidia/gpus/0000:02:00.0/x": file("")}, false, false, 2},
		"amd": {fstest.MapFS{
			"sys/class/kfd/kfd/topology/nodes/0/gpu_id": file("0\n"), "sys/class/kfd/kfd/topology/nodes/1/gpu_id": file("5678\n"),
		}, false, false, 1},
	} {
		got := newContext(Decision{settings: s}, c.files)
		if got.Docker != c.docker || got.Cloud != c.cloud || got.GPU != c.gpu || got.Python != nil || got.CPU < 1 {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// TestAPodIsAContainer: Kubernetes says so in the environment.
func TestAPodIsAContainer(t *testing.T) {
	s := fakeSettings(t, map[string]string{"KUBERNETES_SERVICE_HOST": "10.0.0.1"})
	if !newContext(Decision{settings: s}, fstest.MapFS{}).Docker {
		t.Error("it is not reported as one")
	}
}

func TestProjectsAreHashedWithTheSalt(t *testing.T) {
	const remote, want = "https://github.com/acme/bot.git", "cbce6578dde0e48f366ec16304753b3997ee647a3ce8948c92344e443ffb73e4"
	zeros := strings.Repeat("0", 64)
	if got := projectHash(zeros, remote); got == nil || got.text != want {
		t.Errorf("got %v", got)
	}
	if projectHash("", remote) != nil || projectHash(zeros, "") != nil {
		t.Error("without a salt, or a remote, there is a hash")
	}
	d := Decision{state: state{Salt: zeros}, settings: Settings{GitRemote: func() string { return remote }}}
	if got := d.ProjectHash(&hashOf(remote).text); got.text != want {
		t.Error("a model of this project has another hash")
	}
	if d.ProjectHash(nil) != nil {
		t.Error("a model that does not know its project has a hash")
	}
	if got := d.ProjectHash(&hashOf("elsewhere").text); got.text == want {
		t.Error("a model of another project has this hash")
	}
}

// TestTheSaltGoesWithTheIdentity: in a process that goes on after telemetry was switched off
// and on, nothing tells that both identities are the same machine's.
func TestTheSaltGoesWithTheIdentity(t *testing.T) {
	r := on(t, "http://127.0.0.1:1", noon)
	r.decision.settings.GitRemote = func() string { return "https://github.com/acme/bot.git" }
	s := r.decision.settings
	fingerprint := hashOf("elsewhere").text
	hashes := map[string]bool{}
	for range 2 {
		hash := r.ProjectHash(&fingerprint)
		_ = r.keep(occurrence{ModelCoreTested{Project: hash}, noon})
		left := s.files().list(pending)
		data, err := os.ReadFile(left[0].path)
		if err != nil {
			t.Fatal(err)
		}
		report, err := Accept(data)
		if err != nil {
			t.Fatal(err)
		}
		hashes[report["context"].(map[string]any)["project"].(string)] = true
		hashes[report["properties"].(map[string]any)["project"].(string)] = true
		if err := errors.Join(Disable(s), Enable(s)); err != nil {
			t.Fatal(err)
		}
	}
	if len(hashes) != 4 {
		t.Errorf("%v", hashes)
	}
}

func TestTheOrganisationIsAsTheOperatorSays(t *testing.T) {
	path := filepath.Join(t.TempDir(), "endpoints.yml")
	writeFile(t, path, "telemetry: {company: Example Ltd, license_key: abc}\n")
	s := fakeSettings(t, nil)
	s.ProjectFiles = []string{path}
	c := newContext(Decide(s), fstest.MapFS{})
	if c.Company.text != "Example Ltd" || c.LicenseHash.text != "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" {
		t.Errorf("%+v %+v", c.Company, c.LicenseHash)
	}
	s.LookupEnv = func(name string) (string, bool) {
		v, ok := map[string]string{"LOQUAT_TELEMETRY_COMPANY": strings.Repeat("é", 300), "RASA_LICENSE": "x", "RASA_PRO_LICENSE": "y"}[name]
		return v, ok
	}
	if c := newContext(Decide(s), fstest.MapFS{}); c.Company.text != strings.Repeat("é", maxOrganisation) || c.LicenseHash.text[:4] != "ba78" {
		t.Errorf("%+v %+v", c.Company, c.LicenseHash)
	}
}

// TestTheTextOfErrorsIsNeverReported: an error has a code and nothing else.
func TestTheTextOfErrorsIsNeverReported(t *testing.T) {
	e := ErrorEncountered{ErrorCode: Named[ErrorCode](errors.New("zqjvx").Error())}
	data, err := json.Marshal(e)
	if err != nil || strings.Contains(string(data), "zqjvx") {
		t.Errorf("%s, %v", data, err)
	}
}
