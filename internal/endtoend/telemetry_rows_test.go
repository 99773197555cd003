package endtoend

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"io/fs"
	"log"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/loquat-dev/loquat/internal/telemetry"
)

// TestChosenNamesBecomeCustom: built-in names are reported as they are written, short
// or dotted, and others are not.
func TestChosenNamesBecomeCustom(t *testing.T) {
	i := install(t).seen()
	i.write("config.yml", `recipe: default.v1
language: tlh
pipeline:
- name: WhitespaceTokenizer
- name: LanguageModelFeaturizer
- name: my_company.secret.Featurizer
policies:
- name: rasa.core.policies.rule_policy.RulePolicy
- name: SecretPolicy
`)
	report, err := telemetry.Decode([]byte(i.ok("telemetry", "preview", "training", "started")))
	if err != nil {
		t.Fatal(err)
	}
	got := report["properties"].(map[string]any)
	names := func(list any) (out []any) {
		for _, item := range list.([]any) {
			out = append(out, item.(map[string]any)["name"])
		}
		return out
	}
	if diff := cmp.Diff([]any{"WhitespaceTokenizer", "LanguageModelFeaturizer", "custom"}, names(got["pipeline"])); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]any{"rasa.core.policies.rule_policy.RulePolicy", "custom"}, names(got["policies"])); diff != "" {
		t.Error(diff)
	}
	if got["language"] != "other" {
		t.Errorf("language %v", got["language"])
	}
}

// TestSwitchedOffByTheEnvironmentNothingIsMade runs commands in an empty home.
func TestSwitchedOffByTheEnvironmentNothingIsMade(t *testing.T) {
	c := newCollector(t, nil)
	for _, value := range []string{"false", "False", "0", "1", "", "no"} {
		i := install(t).with(c.env()).with(map[string]string{"RASA_TELEMETRY_ENABLED": value})
		for _, args := range [][]string{{"data", "validate"}, {"train"}, {"shell"}} {
			if o := i.loquatOn("hello\n/stop\n", args...); o.code != 0 || strings.Contains(o.stderr, "usage reports") {
				t.Errorf("loquat %v: %+v", args, o)
			}
		}
		if made, err := os.ReadDir(i.home); err != nil || len(made) > 0 {
			t.Errorf("%q: in the home are %v, %v", value, made, err)
		}
	}
	if c.count() != 0 {
		t.Errorf("%d requests", c.count())
	}
}

// TestTheSwitchOfEachNamedFileCounts: a command may be given other files, or several.
func TestTheSwitchOfEachNamedFileCounts(t *testing.T) {
	i := install(t)
	i.write("other.yml", readFile(t, filepath.Join(i.dir, "config.yml"))+"telemetry: {enabled: false}\n")
	for _, args := range [][]string{
		{"train", "--config", "other.yml"}, {"train", "core", "--config", "other.yml"},
		{"train", "--no-such-flag", "--config", "other.yml"}, {"train", "--no-such-flag", "-c=other.yml"}, {"train", "--config", "other.yml", "--epoch-fraction", "0"},
		{"test", "nlu", "--no-plot", "--config", "config.yml", "other.yml", "--runs", "1", "--percentages", "0"},
	} {
		i.loquat(args...)
		if made, err := os.ReadDir(i.home); err != nil || len(made) > 0 {
			t.Errorf("loquat %v: in the home are %v, %v", args, made, err)
		}
	}
	i.write("config.yml", readFile(t, filepath.Join(i.dir, "other.yml")))
	i.loquat("evaluate", "markers", "all", "--no-stats", "--config", "markers.yml", "out.csv") // which are no project's configuration
	if made, err := os.ReadDir(i.home); err != nil || len(made) > 0 {
		t.Errorf("loquat evaluate: in the home are %v, %v", made, err)
	}
}

// TestNoCombinationOverridesAnOff sets variables at random, licences among them.
func TestNoCombinationOverridesAnOff(t *testing.T) {
	c := newCollector(t, nil)
	random := rand.New(rand.NewPCG(3, 5))
	any := func(of ...string) string { return of[random.IntN(len(of))] }
	const unset = "-"
	for range 60 {
		i := install(t).seen().with(c.env())
		env := map[string]string{
			"DO_NOT_TRACK": any(unset, unset, "1", "0", "false", "yes"), "RASA_TELEMETRY_ENABLED": any(unset, unset, "true", "TRUE", "false", "1", ""),
			"CI": any(unset, unset, "true"), "RASA_LICENSE": any(unset, "x"), "RASA_PRO_LICENSE": any(unset, "rasa:pro:champion-server-limited"),
			"LOQUAT_TELEMETRY_LICENSE_KEY": any(unset, "x"), "RASA_TELEMETRY_DEBUG": any(unset, "true"),
		}
		for name, value := range env {
			if value != unset {
				i.env[name] = value
			}
		}
		disabled, inProject := random.IntN(3) == 0, random.IntN(4) == 0
		if disabled {
			i.ok("telemetry", "disable")
		}
		if inProject {
			i.write("endpoints.yml", "telemetry: {enabled: false}\n")
		}
		dnt, enabled := env["DO_NOT_TRACK"], env["RASA_TELEMETRY_ENABLED"]
		forced := strings.EqualFold(enabled, "true")
		off := dnt == "1" || dnt == "yes" || enabled != unset && !forced || inProject || disabled && !forced
		local := env["CI"] != unset && !forced
		want := telemetry.On
		switch {
		case off:
			want = telemetry.Off
		case local:
			want = telemetry.Local
		}
		if s := i.status(); s.Mode != want {
			t.Errorf("%v, disabled %v, in the project %v: %s by %s, want %s", env, disabled, inProject, s.Mode, s.Reason, want)
		}
	}
}

// TestReportsOnlyTravelEncrypted offers the program collectors that it must not trust.
func TestReportsOnlyTravelEncrypted(t *testing.T) {
	certificate := makeCertificate(t, t.TempDir())
	pair, err := tls.LoadX509KeyPair(certificate, certificate)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		config  *tls.Config
		trusted bool
		arrives bool
	}{
		"a certificate that nobody has signed": {&tls.Config{}, false, false},
		"TLS 1.1":                              {&tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}, true, false},
		"TLS 1.2":                              {&tls.Config{MaxVersion: tls.VersionTLS12}, true, true},
	} {
		var mu sync.Mutex
		requests := 0
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			requests++
		}))
		server.Config.ErrorLog = log.New(io.Discard, "", 0)
		c.config.Certificates = []tls.Certificate{pair}
		server.TLS = c.config
		server.StartTLS()
		i := install(t).seen().with(map[string]string{"LOQUAT_TELEMETRY_ENDPOINT": server.URL, "RASA_TELEMETRY_WRITE_KEY": "key"})
		if c.trusted {
			i.env["SSL_CERT_FILE"] = certificate
		}
		i.ok("train")
		i.deliver(func() bool {
			for line := range strings.Lines(i.ok("telemetry", "log")) {
				if strings.Contains(line, "no answer") || strings.Contains(line, "answered 200") {
					return true
				}
			}
			return false
		})
		mu.Lock()
		if (requests > 0) != c.arrives || (i.status().LastSent != "") != c.arrives {
			t.Errorf("%s: %d requests, %+v", name, requests, i.status())
		}
		mu.Unlock()
		server.Close()
	}
}

// TestTheReceiverKeepsWhatTheSchemasAllow posts reports to telemetry receive.
func TestTheReceiverKeepsWhatTheSchemasAllow(t *testing.T) {
	i := install(t).seen()
	good := i.ok("telemetry", "preview", "Shell Started")
	if len(good) > 8<<10 {
		t.Errorf("a report of %d bytes", len(good))
	}
	receiver := i.receive()
	pool, err := os.ReadFile(receiver.env["SSL_CERT_FILE"])
	if err != nil {
		t.Fatal(err)
	}
	client := trusting(t, pool)
	post := func(key, path, body string) int {
		request, err := http.NewRequest(http.MethodPost, receiver.env["LOQUAT_TELEMETRY_ENDPOINT"]+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		request.SetBasicAuth(key, "")
		response, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		return response.StatusCode
	}
	undeclared := strings.Replace(good, `"type": "rasa"`, `"type": "rasa", "text": "hello"`, 1)
	undeclared = strings.Replace(undeclared, `"messageId": "`, `"messageId": "0`, 1)
	if undeclared == good {
		t.Fatal("nothing was changed")
	}
	for _, c := range []struct {
		key, path, body string
		status          int
	}{
		{"other", "/v1/batch", `{"batch":[` + good + `]}`, 401},
		{"key", "/v1/batch", `{"batch":[` + good + `,` + undeclared + `]}`, 200},
		{"key", "/v1/track", good, 200},
		{"key", "/v1/track", undeclared, 200},
		{"key", "/v1/batch", strings.Repeat(" ", 600_000), 413},
		{"key", "/v1/batch", "{", 400},
		{"key", "/v1/identify", good, 404},
	} {
		if got := post(c.key, c.path, c.body); got != c.status {
			t.Errorf("%s with %q: %d, want %d", c.path, c.key, got, c.status)
		}
	}
	response, err := http.Get(strings.Replace(receiver.env["LOQUAT_TELEMETRY_ENDPOINT"], "https", "http", 1) + "/healthz")
	if err == nil {
		_ = response.Body.Close() // it says that this is an HTTPS server
	}
	if said := receiver.log.String(); strings.Count(said, "127.0.0.1") != 1 { // its own
		t.Errorf("the receiver says who was there:\n%s", said)
	}
	if stored := receiver.stored(); len(stored["Shell Started"]) != 1 || len(stored) != 1 {
		t.Errorf("stored %v", stored)
	}
	files, err := filepath.Glob(filepath.Join(receiver.dir, "*"))
	if err != nil || len(files) != 1 || bytes.Contains([]byte(readFile(t, files[0])), []byte("127.0.0.1")) {
		t.Errorf("%v, %v", files, err)
	}
	if info, err := os.Stat(files[0]); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

// TestACorruptStateIsOff: whatever is in place of the state file, telemetry is off
// with one warning, and the file stays as it is.
func TestACorruptStateIsOff(t *testing.T) {
	for name, content := range map[string]string{
		"cut off": "metrics:\n  enabled: tr", "no YAML": "metrics: [", "a list": "[1]", "empty": "", "a wrong type": "metrics: {enabled: 1}", "a wrong identifier": "metrics: {enabled: true, rasa_user_id: me}",
	} {
		i := install(t).seen()
		state := filepath.Join(i.home, ".config", "loquat", "global.yml")
		if err := os.WriteFile(state, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		o := i.loquat("data", "validate")
		if s := i.status(); s.Mode != telemetry.Off || s.Reason != telemetry.StateUnreadable {
			t.Errorf("%s: %s by %s", name, s.Mode, s.Reason)
		}
		if o.code != 0 || strings.Count(o.stderr, "telemetry:") != 1 || readFile(t, state) != content || len(i.recorded()) != 0 {
			t.Errorf("%s: %+v; the file holds %q", name, o, readFile(t, state))
		}
	}
	i := install(t)
	if err := os.MkdirAll(filepath.Join(i.home, ".config", "loquat", "global.yml"), 0o700); err != nil {
		t.Fatal(err)
	}
	if o := i.loquat("data", "validate"); o.code != 0 || strings.Count(o.stderr, "telemetry:") != 1 || i.status().Mode != telemetry.Off {
		t.Errorf("a folder in its place: %+v", o)
	}
}

// TestManyEventsOfflineStayWithinBounds lets a server without a network record 10,000
// events.
func TestManyEventsOfflineStayWithinBounds(t *testing.T) {
	i := install(t).seen().with(map[string]string{"LOQUAT_TELEMETRY_ENDPOINT": "https://127.0.0.1:1", "RASA_TELEMETRY_WRITE_KEY": "key"})
	i.ok("train")
	server := i.serve()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 8}}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 1250 {
				response, err := client.Post(server.url+"/model/test/intents", "application/x-yaml", strings.NewReader("nlu: [{intent: greet, examples: \"- hello\\n\"}]"))
				if err != nil {
					t.Error(err)
					return
				}
				_, _ = io.Copy(io.Discard, response.Body)
				_ = response.Body.Close()
			}
		})
	}
	wg.Wait()
	server.stop()
	if s := i.status(); s.Spool.Events < 100 || s.Spool.Events > 200 || s.Spool.Bytes > 1<<20 {
		t.Errorf("%+v", s.Spool)
	}
	size, files := int64(0), 0
	err := filepath.WalkDir(filepath.Join(i.home, ".cache", "loquat"), func(_ string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() {
			info, err := entry.Info()
			if err != nil {
				return err
			}
			size += info.Size()
			files++
		}
		return err
	})
	if err != nil || files < 100 || files > 203 || size > 1<<20+1<<10 { // 200 reports, two locks, and what is remembered
		t.Errorf("%d files of %d bytes, %v", files, size, err)
	}
	i.recorded() // each is valid
}

// TestProcessesAtOnceLoseNothing runs commands side by side, and switches off.
func TestProcessesAtOnceLoseNothing(t *testing.T) {
	i := install(t).seen().with(map[string]string{"LOQUAT_TELEMETRY_ENDPOINT": "https://127.0.0.1:1", "RASA_TELEMETRY_WRITE_KEY": "key"})
	run := func(n int) {
		var wg sync.WaitGroup
		for range n {
			wg.Go(func() { i.loquat("data", "validate") })
		}
		wg.Wait()
	}
	run(8)
	if n := len(i.recorded()); n != 8 || i.status().Spool.Events != 8 {
		t.Errorf("%d events are recorded, %d wait", n, i.status().Spool.Events)
	}
	var wg sync.WaitGroup
	wg.Go(func() { run(6) })
	i.ok("telemetry", "disable")
	wg.Wait()
	if s := i.status(); s.Mode != telemetry.Off || s.ID != "" || s.Spool.Events != 0 {
		t.Errorf("the opt-out was forgotten: %+v", s)
	}
}

// TestAClockThatWasSetBackStopsNothing: what was remembered lies in the future.
func TestAClockThatWasSetBackStopsNothing(t *testing.T) {
	c := newCollector(t, nil)
	i := install(t).seen().with(c.env())
	i.ok("train")
	future := time.Now().AddDate(1, 0, 0).UTC().Format(time.RFC3339)
	memory := fmt.Sprintf(`{"not_before": %q, "last_sent": %q, "failures": 3}`, future, future)
	if err := os.WriteFile(i.sendingState(), []byte(memory), 0o600); err != nil {
		t.Fatal(err)
	}
	server := i.serve()
	defer server.stop()
	for range 600 {
		if c.count() > 0 {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Error("nothing is sent")
}

// TestNoPlaceForReportsIsNoError: a home that can't be written, and a full disk.
func TestNoPlaceForReportsIsNoError(t *testing.T) {
	i := install(t)
	want := i.with(map[string]string{"RASA_TELEMETRY_ENABLED": "false"}).loquat("data", "validate")
	i.home = unwritable(t)
	if o := i.loquat("data", "validate"); o != want {
		t.Errorf("%+v, want %+v", o, want)
	}
	if s := i.status(); s.Mode != telemetry.Off || s.Reason != telemetry.StateUnwritable {
		t.Errorf("%s by %s", s.Mode, s.Reason)
	}
	if o := i.loquat("telemetry", "disable"); o.code != 1 || !strings.Contains(o.stderr, "RASA_TELEMETRY_ENABLED=false") {
		t.Errorf("disable where nothing can be stored: %+v", o)
	}
	if runtime.GOOS == "windows" {
		t.Skip("skipped: a full disk is feigned by ulimit")
	}
	full := install(t).seen()
	if o := full.onAFullDisk("data", "validate"); o != want || len(full.recorded()) != 0 {
		t.Errorf("%+v, want %+v", o, want)
	}
	if o := full.onAFullDisk("telemetry", "disable"); o.code != 1 || full.status().Mode == telemetry.Off || !strings.Contains(o.stderr, "RASA_TELEMETRY_ENABLED=false") {
		t.Errorf("a choice that can't be stored: %+v", o)
	}
	full.ok("telemetry", "disable")
	if o := full.onAFullDisk("telemetry", "enable"); o.code != 1 || full.status().Mode != telemetry.Off {
		t.Errorf("the opt-out was forgotten: %+v", o)
	}
}

// unwritable is a folder in which nobody can make a file, not even root.
func unwritable(t *testing.T) string {
	t.Helper()
	if os.Geteuid() == 0 {
		return "/proc/self"
	}
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o500); err != nil {
		t.Fatal(err)
	}
	return dir
}

// trusting is a client that trusts a certificate.
func trusting(t *testing.T, certificate []byte) *http.Client {
	t.Helper()
	transport := http.DefaultTransport.(*http.Transport).Clone()
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(certificate) {
		t.Fatal("no certificate")
	}
	transport.TLSClientConfig = &tls.Config{RootCAs: pool}
	return &http.Client{Transport: transport}
}
