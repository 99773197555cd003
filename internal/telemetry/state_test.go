package telemetry

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestChangingTheStateKeepsWhatElseIsThere(t *testing.T) {
	s := fakeSettings(t, nil)
	before := "# ours\nother:\n- a # note\nmetrics: &shared\n  # about the choice\n  enabled: true # mine\n  theirs: 0x1F # not 31\n  since: 2020-01-01\ntraits: *shared\n"
	writeFile(t, s.StatePath(), before)
	if err := Disable(s); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(s.StatePath())
	if err != nil {
		t.Fatal(err)
	}
	want := strings.ReplaceAll(before, "enabled: true", "enabled: false")
	for line := range strings.Lines(want + "  notice: 0\n") {
		if !strings.Contains(string(data), line) {
			t.Errorf("%q is missing in:\n%s", line, data)
		}
	}
	if info, err := os.Stat(s.StatePath()); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if err := Enable(s); err != nil || Decide(s).Mode != Local {
		t.Errorf("what disable has written can't be read: %v, %+v", err, Decide(s))
	}
}

// TestAChoiceThatStandsElsewhereIsChangedThere: YAML has aliases.
func TestAChoiceThatStandsElsewhereIsChangedThere(t *testing.T) {
	for _, content := range []string{
		"traits: &shared {enabled: true}\nmetrics: *shared\n", "metrics: {enabled: &shared true}\ntraits: {enabled: *shared}\n",
		"traits: {enabled: &shared true}\nmetrics: {enabled: *shared}\n", "traits: &shared {enabled: true}\nmetrics: {<<: *shared}\n",
	} {
		s := fakeSettings(t, nil)
		writeFile(t, s.StatePath(), content)
		if err := Disable(s); err != nil || Decide(s).Reason != StoredChoice {
			t.Errorf("%s: %v, %+v", content, err, Decide(s))
		}
		if err := Enable(s); err != nil || Decide(s).Mode != Local {
			t.Errorf("%s: %v, %+v", content, err, Decide(s))
		}
	}
}

// TestALinkToTheStateStaysOne: people keep such files elsewhere.
func TestALinkToTheStateStaysOne(t *testing.T) {
	s := fakeSettings(t, nil)
	file := filepath.Join(t.TempDir(), "kept.yml")
	writeFile(t, file, storedOn)
	if err := os.MkdirAll(filepath.Dir(s.StatePath()), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(file, s.StatePath()); err != nil {
		t.Skipf("skipped: links can't be made here: %v", err)
	}
	if err := Disable(s); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(file)
	if info, _ := os.Lstat(s.StatePath()); err != nil || info.Mode().Type() != fs.ModeSymlink || strings.Contains(string(data), "38d23c36") {
		t.Errorf("%v, %v; the file holds\n%s", info.Mode(), err, data)
	}
}

// TestSwitchingOffLeavesANoteAndNothingElse: neither in it nor beside it is the identity.
func TestSwitchingOffLeavesANoteAndNothingElse(t *testing.T) {
	s := on(t, "http://127.0.0.1:1", noon).decision.settings
	for range 2 { // what is off can be switched off
		if err := Disable(s); err != nil {
			t.Fatal(err)
		}
	}
	entries, err := ReadLog(s, 10)
	if err != nil || len(entries) != 1 || !strings.Contains(string(entries[0].Report), `"userId":null`) || !strings.Contains(string(entries[0].Report), `"project":null`) {
		t.Errorf("%v, %s", err, entries)
	}
	s.LookupEnv = func(name string) (string, bool) {
		v, ok := with(collector, map[string]string{"RASA_TELEMETRY_ENABLED": "true"})[name]
		return v, ok
	}
	process(s, ProjectCreated{})
	entries, err = ReadLog(s, 10)
	if err != nil || len(entries) != 2 || entries[1].Outcome != pending || strings.Contains(string(entries[1].Report), `"userId":null`) {
		t.Errorf("with RASA_TELEMETRY_ENABLED=true: %v, %s", err, entries)
	}
}

func TestEnablingWhatIsEnabledLosesNothing(t *testing.T) {
	r := on(t, "http://127.0.0.1:1", noon)
	r.keepMany(3)
	if err := Enable(r.decision.settings); err != nil || outcomes(t, r)[pending] != 3 {
		t.Errorf("%v, %v", err, outcomes(t, r))
	}
}

// TestWhatAKilledProcessLeftIsRemoved: a file that was being written may hold the identity.
func TestWhatAKilledProcessLeftIsRemoved(t *testing.T) {
	s := on(t, "http://127.0.0.1:1", noon).decision.settings
	unfinished := []string{filepath.Join(filepath.Dir(s.StatePath()), ".loquat-123"), filepath.Join(s.files().dir, ".loquat-456")}
	for _, path := range unfinished {
		writeFile(t, path, storedOn)
	}
	if err := Disable(s); err != nil {
		t.Fatal(err)
	}
	for _, path := range unfinished {
		if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s is there: %v", path, err)
		}
	}
}

func TestTheIdentityGoesWithTheChoice(t *testing.T) {
	s := fakeSettings(t, nil)
	identity := func() state {
		st, _, err := readState(s.StatePath())
		if err != nil {
			t.Fatal(err)
		}
		return st
	}
	if err := Enable(s); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(filepath.Dir(s.StatePath())); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("mode %v of the folder, %v", info.Mode(), err)
	}
	first := identity()
	if date, err := time.Parse(time.RFC3339, first.Date); err != nil || time.Since(date) > time.Hour {
		t.Errorf("the choice is of %v, %v", first.Date, err)
	}
	if !hexID.MatchString(first.ID) || first.ID[12] != '4' || !hexSalt.MatchString(first.Salt) || first.Notice != SchemaSet {
		t.Errorf("the state is %+v", first)
	}
	if err := Enable(s); err != nil {
		t.Fatal(err)
	}
	if again := identity(); again.ID != first.ID {
		t.Error("enabling what is enabled changed the identifier")
	}
	if err := Disable(s); err != nil {
		t.Fatal(err)
	}
	if off := identity(); *off.Enabled || off.ID != "" || off.Salt != "" {
		t.Errorf("after disable the state is %+v", off)
	}
	if err := Disable(s); err != nil {
		t.Errorf("disabling twice: %v", err)
	}
	if err := Enable(s); err != nil {
		t.Fatal(err)
	}
	if fresh := identity(); fresh.ID == "" || fresh.ID == first.ID || fresh.Salt == first.Salt {
		t.Errorf("after disable and enable the state is %+v, was %+v", fresh, first)
	}
}

func TestACorruptStateIsLeftAlone(t *testing.T) {
	for _, content := range []string{"metrics: [", "", "metrics: 1", "\x00\x01", "[]", "metrics:\n  enabled: maybe\n",
		"metrics: {enabled: true}\nmetrics: {enabled: false}\n", "metrics: {enabled: true}\n---\nmetrics: {enabled: false}\n",
		"metrics: {enabled: true, enabled: false}\n", storedOn + strings.Repeat("#", maxStateSize),
	} {
		s := fakeSettings(t, nil)
		writeFile(t, s.StatePath(), content)
		if Enable(s) == nil || Disable(s) == nil {
			t.Errorf("%q was replaced", content)
		}
		if data, err := os.ReadFile(s.StatePath()); err != nil || string(data) != content {
			t.Errorf("%q became %q", content, data)
		}
		if d := Decide(s); d.Mode != Off {
			t.Errorf("%q: %s", content, d.Mode)
		}
	}
	s := fakeSettings(t, nil)
	if err := os.MkdirAll(s.StatePath(), 0o700); err != nil { // a folder in its place
		t.Fatal(err)
	}
	if d := Decide(s); d.Mode != Off || d.Reason != StateUnreadable {
		t.Errorf("a folder in its place: %s by %s", d.Mode, d.Reason)
	}
}

// TestAFirstRunMakesNoIdentityAfterDisable: the choice was made after a process had
// decided, and before it showed the notice.
func TestAFirstRunMakesNoIdentityAfterDisable(t *testing.T) {
	s := fakeSettings(t, nil)
	r := &Recorder{now: time.Now, decision: Decide(s)}
	if err := Disable(s); err != nil {
		t.Fatal(err)
	}
	o := quiet()
	o.Terminal = true
	r.introduce(o)
	if d := Decide(s); d.Reason != StoredChoice || d.Status().ID != "" {
		t.Errorf("%s by %s, identity %v", d.Mode, d.Reason, d.Status().ID)
	}
	if st, _, err := readState(s.StatePath()); err != nil || st.ID != "" || st.Salt != "" {
		t.Errorf("the state is %+v, %v", st, err)
	}
}

// TestAnOptOutSurvivesConcurrentChanges lets many change the state at once.
func TestAnOptOutSurvivesConcurrentChanges(t *testing.T) {
	s := fakeSettings(t, nil)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 5 {
				if _, err := changeState(s.StatePath(), func(st *state) {
					if st.Enabled == nil || *st.Enabled {
						st.begin(noon, false)
					}
				}); err != nil {
					t.Error(err)
				}
			}
		})
		wg.Go(func() {
			if err := Disable(s); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if st, _, err := readState(s.StatePath()); err != nil || *st.Enabled || st.ID != "" {
		t.Errorf("%+v, %v", st, err)
	}
}

// FuzzReadState holds that whatever the file holds, it is either understood or
// counts as off.
func FuzzReadState(f *testing.F) {
	for _, seed := range []string{storedOn, storedOff, rasaOff, "metrics: &a\n  enabled: *a", "metrics: {enabled: yes}"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		s := fakeSettings(t, collector)
		writeFile(t, s.StatePath(), string(data))
		st, _, err := readState(s.StatePath())
		d := Decide(s)
		if (err != nil || st.Enabled == nil || !*st.Enabled) && d.Mode != Off {
			t.Errorf("%q: %s", data, d.Mode)
		}
	})
}
