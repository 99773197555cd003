package telemetry

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// fakeSettings are those of a user with an empty home and the given variables.
func fakeSettings(t *testing.T, env map[string]string) Settings {
	t.Helper()
	home := t.TempDir()
	return Settings{
		LookupEnv: func(name string) (string, bool) { v, ok := env[name]; return v, ok },
		ConfigDir: filepath.Join(home, ".config"), CacheDir: filepath.Join(home, ".cache"), Home: home, GitRemote: func() string { return "" },
	}
}

func writeFile(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

const (
	storedOn  = "metrics:\n  enabled: true\n  rasa_user_id: 38d23c36c9be443281196080fcdd707d\n  notice: 1\n"
	storedOff = "metrics:\n  enabled: false\n  rasa_user_id: null\n"
	rasaOff   = "metrics:\n  enabled: false\n  rasa_user_id: 38d23c36c9be443281196080fcdd707d\n  date: 2020-09-22 10:11:12.123456\n"
)

var collector = map[string]string{"LOQUAT_TELEMETRY_ENDPOINT": "https://telemetry.example.com", "RASA_TELEMETRY_WRITE_KEY": "k"}

func with(env ...map[string]string) map[string]string {
	all := map[string]string{}
	for _, e := range env {
		for k, v := range e {
			all[k] = v
		}
	}
	return all
}

// TestTheFirstSwitchDecides goes through the switches in order.
func TestTheFirstSwitchDecides(t *testing.T) {
	set := func(kv ...string) map[string]string {
		m := map[string]string{}
		for i := 0; i < len(kv); i += 2 {
			m[kv[i]] = kv[i+1]
		}
		return m
	}
	for _, c := range []struct {
		name                 string
		env                  map[string]string
		state, rasa, project string
		unwritable           bool
		mode                 Mode
		reason               Reason
		waiting              string
	}{
		{name: "nothing is said", mode: Local, reason: Default, waiting: "no-collector"},
		{name: "first run with a collector", env: collector, mode: Local, reason: Default, waiting: "notice"},
		{name: "second run with a collector", env: collector, state: storedOn, mode: On, reason: Default},
		{name: "a notice of an older catalogue", env: collector, state: strings.Replace(storedOn, "notice: 1", "notice: 0", 1), mode: Local, reason: Default, waiting: "notice"},
		{name: "a key without an address", env: set("RASA_TELEMETRY_WRITE_KEY", "k"), state: storedOn, mode: Local, reason: Default, waiting: "no-collector"},
		{name: "an address without a key", env: set("LOQUAT_TELEMETRY_ENDPOINT", "https://t.example.com"), state: storedOn, mode: Local, reason: Default, waiting: "no-collector"},
		{name: "DO_NOT_TRACK", env: with(collector, set("DO_NOT_TRACK", "1", "RASA_TELEMETRY_ENABLED", "true")), state: storedOn, mode: Off, reason: DoNotTrack},
		{name: "DO_NOT_TRACK=false", env: with(collector, set("DO_NOT_TRACK", "False")), state: storedOn, mode: On, reason: Default},
		{name: "DO_NOT_TRACK=0", env: with(collector, set("DO_NOT_TRACK", "0")), state: storedOn, mode: On, reason: Default},
		{name: "variable false", env: with(collector, set("RASA_TELEMETRY_ENABLED", "false")), state: storedOn, mode: Off, reason: Environment},
		{name: "variable 0", env: set("RASA_TELEMETRY_ENABLED", "0"), mode: Off, reason: Environment},
		{name: "variable 1, as Rasa", env: set("RASA_TELEMETRY_ENABLED", "1"), mode: Off, reason: Environment},
		{name: "variable yes, as Rasa", env: set("RASA_TELEMETRY_ENABLED", "yes"), mode: Off, reason: Environment},
		{name: "variable empty, as Rasa", env: set("RASA_TELEMETRY_ENABLED", ""), mode: Off, reason: Environment},
		{name: "project", env: with(collector, set("RASA_TELEMETRY_ENABLED", "true")), state: storedOn, project: "telemetry: {enabled: false}", mode: Off, reason: ProjectSwitch},
		{name: "project, not clearly on", env: collector, state: storedOn, project: "telemetry: {enabled: 'true'}", mode: Off, reason: ProjectSwitch},
		{name: "project, empty section", env: collector, state: storedOn, project: "telemetry:", mode: Off, reason: ProjectSwitch},
		{name: "project, misspelt", env: collector, state: storedOn, project: "telemetry: {enabeld: false}", mode: Off, reason: ProjectSwitch},
		{name: "project, not finished", env: collector, state: storedOn, project: "telemetry: {enabled: false", mode: Off, reason: ProjectSwitch},
		{name: "project, said twice", env: collector, state: storedOn, project: "telemetry: {enabled: true}\ntelemetry: {enabled: false}", mode: Off, reason: ProjectSwitch},
		{name: "project, in UTF-16", env: collector, state: storedOn, project: "\xff\xfet\x00e\x00l\x00e\x00m\x00e\x00t\x00r\x00y\x00:\x00 \x00n\x00o\x00", mode: Off, reason: ProjectSwitch},
		{name: "project is wrong elsewhere", env: collector, state: storedOn, project: "tracing: [", mode: On, reason: Default},
		{name: "project says nothing of it", env: collector, state: storedOn, project: "tracing: {type: otlp} # telemetry", mode: On, reason: Default},
		{name: "project says true", env: collector, state: storedOff, project: "telemetry: {enabled: true}", mode: Off, reason: StoredChoice},
		{name: "state is not YAML", env: with(collector, set("RASA_TELEMETRY_ENABLED", "true")), state: "metrics: {enabled: fal", mode: Off, reason: StateUnreadable},
		{name: "state is empty", env: collector, state: " ", mode: Off, reason: StateUnreadable},
		{name: "state has another type", env: collector, state: "metrics:\n  enabled: 'false'\n", mode: Off, reason: StateUnreadable},
		{name: "state has no choice", env: collector, state: "metrics:\n  notice: 1\n", mode: Off, reason: StateUnreadable},
		{name: "state has no identifier", env: collector, state: "metrics:\n  enabled: true\n  rasa_user_id: me\n", mode: Off, reason: StateUnreadable},
		{name: "state has no salt", env: collector, state: storedOn + "  salt: me\n", mode: Off, reason: StateUnreadable},
		{name: "state can't be written", env: with(collector, set("RASA_TELEMETRY_ENABLED", "true")), unwritable: true, mode: Off, reason: StateUnwritable},
		{name: "state can't be written, in CI", env: set("CI", "true"), unwritable: true, mode: Local, reason: CI, waiting: "ci"},
		{name: "state can't be written, overridden in CI", env: set("CI", "true", "RASA_TELEMETRY_ENABLED", "true"), unwritable: true, mode: Off, reason: StateUnwritable},
		{name: "stored choice", env: collector, state: storedOff, mode: Off, reason: StoredChoice},
		{name: "stored choice, overridden", env: with(collector, set("RASA_TELEMETRY_ENABLED", "TRUE")), state: storedOff, mode: On, reason: Environment},
		{name: "Rasa's choice", env: collector, rasa: rasaOff, mode: Off, reason: RasaChoice},
		{name: "Rasa's choice, overridden", env: with(collector, set("RASA_TELEMETRY_ENABLED", "true")), rasa: rasaOff, mode: On, reason: Environment},
		{name: "Rasa's choice and an own one", env: collector, rasa: rasaOff, state: storedOn, mode: On, reason: Default},
		{name: "Rasa's consent counts for nothing", env: collector, rasa: strings.Replace(rasaOff, "false", "true", 1), mode: Local, reason: Default, waiting: "notice"},
		{name: "CI", env: with(collector, set("GITHUB_ACTIONS", "")), state: storedOn, mode: Local, reason: CI, waiting: "ci"},
		{name: "CI, switched off", env: set("CI", "true"), state: storedOff, mode: Off, reason: StoredChoice},
		{name: "CI, overridden", env: with(collector, set("CI", "true", "RASA_TELEMETRY_ENABLED", "true")), mode: On, reason: Environment},
		{name: "plain http", env: set("LOQUAT_TELEMETRY_ENDPOINT", "http://telemetry.example.com", "RASA_TELEMETRY_WRITE_KEY", "k"), state: storedOn, mode: Local, reason: Default, waiting: "endpoint"},
		{name: "plain http to a name that begins like this machine", env: set("LOQUAT_TELEMETRY_ENDPOINT", "http://localhost.example.com", "RASA_TELEMETRY_WRITE_KEY", "k"), state: storedOn, mode: Local, reason: Default, waiting: "endpoint"},
		{name: "plain http on this machine", env: set("LOQUAT_TELEMETRY_ENDPOINT", "http://127.0.0.1:1", "RASA_TELEMETRY_WRITE_KEY", "k"), state: storedOn, mode: On, reason: Default},
		{name: "plain http on this machine, by name", env: set("LOQUAT_TELEMETRY_ENDPOINT", "http://localhost:1", "RASA_TELEMETRY_WRITE_KEY", "k"), state: storedOn, mode: On, reason: Default},
		{name: "an address without a host", env: set("LOQUAT_TELEMETRY_ENDPOINT", "https:///t", "RASA_TELEMETRY_WRITE_KEY", "k"), state: storedOn, mode: Local, reason: Default, waiting: "endpoint"},
		{name: "an address with a query", env: set("LOQUAT_TELEMETRY_ENDPOINT", "https://t.example.com?a=b", "RASA_TELEMETRY_WRITE_KEY", "k"), state: storedOn, mode: Local, reason: Default, waiting: "endpoint"},
		{name: "an address with a password", env: set("LOQUAT_TELEMETRY_ENDPOINT", "https://a:b@t.example.com", "RASA_TELEMETRY_WRITE_KEY", "k"), state: storedOn, mode: Local, reason: Default, waiting: "endpoint"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := fakeSettings(t, c.env)
			if c.unwritable {
				writeFile(t, s.ConfigDir, "a file where the folder should be")
			}
			if c.state != "" {
				writeFile(t, s.StatePath(), c.state)
			}
			if c.rasa != "" {
				writeFile(t, filepath.Join(s.Home, ".config", "rasa", "global.yml"), c.rasa)
			}
			if c.project != "" {
				path := filepath.Join(t.TempDir(), "endpoints.yml")
				writeFile(t, path, c.project)
				s.ProjectFiles = []string{path}
			}
			before := tree(t, s.Home)
			d := Decide(s)
			if d.Mode != c.mode || d.Reason != c.reason || d.Waiting != c.waiting {
				t.Errorf("got %s by %s, waiting %q; want %s by %s, waiting %q", d.Mode, d.Reason, d.Waiting, c.mode, c.reason, c.waiting)
			}
			if after := tree(t, s.Home); after != before {
				t.Errorf("deciding changed files:\n%s\nwas:\n%s", after, before)
			}
			if r := d.Status(); r.Mode != c.mode || r.Reason != c.reason {
				t.Errorf("the status says %s by %s", r.Mode, r.Reason)
			}
		})
	}
}

// tree lists files with their contents.
func tree(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		b.WriteString(path)
		if e.Type().IsRegular() {
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			b.WriteString(": " + string(data))
		}
		b.WriteString("\n")
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestNothingForcesTelemetryOn tries combinations of every switch that is off with
// everything that looks like consent.
func TestNothingForcesTelemetryOn(t *testing.T) {
	consent := with(collector, map[string]string{
		"RASA_LICENSE": "x", "RASA_PRO_LICENSE": "x", "LOQUAT_TELEMETRY_LICENSE_KEY": "x", "LOQUAT_TELEMETRY_COMPANY": "x",
		"LOQUAT_TELEMETRY_ENABLED": "true",
	})
	for _, off := range []struct {
		env   map[string]string
		state string
	}{
		{env: map[string]string{"DO_NOT_TRACK": "1", "RASA_TELEMETRY_ENABLED": "true"}},
		{env: map[string]string{"RASA_TELEMETRY_ENABLED": "false"}},
		{state: "broken", env: map[string]string{"RASA_TELEMETRY_ENABLED": "true"}},
		{state: storedOff},
	} {
		s := fakeSettings(t, with(consent, off.env))
		if off.state != "" {
			writeFile(t, s.StatePath(), off.state)
		}
		if d := Decide(s); d.Mode != Off {
			t.Errorf("%v, state %q: %s by %s", off.env, off.state, d.Mode, d.Reason)
		}
	}
}
