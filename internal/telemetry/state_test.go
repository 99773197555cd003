package telemetry

import (
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestChangingTheStateKeepsWhatElseIsThere(t *testing.T) {
	s := fakeSettings(t, nil)
	writeFile(t, s.StatePath(), "# ours\nother:\n- a # note\nmetrics:\n  enabled: true\n  mine: 1\ntraits: {enabled: true}\n")
	if err := Disable(s); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(s.StatePath())
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"# ours", "- a # note", "mine: 1", "traits: {enabled: true}", "enabled: false"} {
		if !strings.Contains(string(data), want) {
			t.Errorf("%q is missing in:\n%s", want, data)
		}
	}
	if info, err := os.Stat(s.StatePath()); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
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
	first := identity()
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
	for _, content := range []string{"metrics: [", "", "metrics: 1", "\x00\x01", "[]", "metrics:\n  enabled: maybe\n"} {
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
