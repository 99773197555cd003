// Package trackerstoretest checks that a tracker store keeps the promises of
// trackerstore.Store. Each backend and each wrapper runs it.
package trackerstoretest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/loquat-dev/loquat/internal/domain"
	"github.com/loquat-dev/loquat/internal/tracker"
	"github.com/loquat-dev/loquat/internal/trackerstore"
)

// Traits say what the tested store promises beyond the contract.
type Traits struct {
	// Durable stores have everything that was saved when they are opened again:
	// Open with the same folder gives the same conversations.
	Durable bool
}

// Open opens a store that keeps what it keeps in dir, with the given domain.
// dir is fresh and empty for every test.
type Open func(t *testing.T, dir string, d *domain.Domain) trackerstore.Store

// Run runs the suite.
func Run(t *testing.T, traits Traits, open Open) {
	cases := []struct {
		name string
		run  func(t *testing.T, s trackerstore.Store)
	}{
		{"UnknownConversation", unknown},
		{"SavedEventsComeBackInOrder", savedEvents},
		{"OnlyUnsavedEventsAreAppended", appends},
		{"TrackersAreCopies", copies},
		{"ReplaceIsComplete", replaces},
		{"ReplaceByNothingForgets", replaceByNothing},
		{"EndedContextChangesNothing", endedContext},
		{"ConversationsAreSeparate", separate},
		{"ConcurrentTurns", concurrentTurns},
		{"OddIdentifiers", oddIDs},
		{"OddValues", oddValues},
		{"LongConversation", long},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			s := open(t, t.TempDir(), Domain())
			t.Cleanup(func() {
				if err := s.Close(); err != nil {
					t.Errorf("Close: %v", err)
				}
			})
			tc.run(t, s)
		})
	}
	if traits.Durable {
		t.Run("SurvivesReopening", func(t *testing.T) { reopens(t, open) })
	}
}

// Domain is the domain that the suite's trackers have: one slot, "city".
func Domain() *domain.Domain {
	d := &domain.Domain{Slots: []*domain.Slot{{Name: "city", Type: domain.Text}}}
	d.Complete()
	return d
}

// Turn adds the events of one small turn to a tracker, distinct for each n.
func Turn(t *tracker.Tracker, n int) {
	stamp := func(b *tracker.Base) { b.Timestamp = 1_700_000_000.25 + float64(n) }
	for _, e := range []tracker.Event{
		&tracker.UserUttered{
			Text: fmt.Sprintf("message %d", n), HasText: true, Intent: "inform", Confidence: 0.5,
			Entities: []tracker.Entity{{"entity": "city", "value": fmt.Sprintf("city %d", n)}},
			ParseData: tracker.ParseData{
				"text":     fmt.Sprintf("message %d", n),
				"intent":   map[string]any{"name": "inform", "confidence": 0.5},
				"entities": []any{map[string]any{"entity": "city", "value": fmt.Sprintf("city %d", n)}},
			},
			InputChannel: "rest", MessageID: fmt.Sprintf("%032x", n),
		},
		&tracker.SlotSet{Name: "city", Value: fmt.Sprintf("city %d", n)},
		&tracker.ActionExecuted{Name: "utter_noted", Policy: "RulePolicy", Confidence: 1, HasConfidence: true},
		&tracker.BotUttered{Text: "Noted.", HasText: true},
		&tracker.ActionExecuted{Name: "action_listen"},
	} {
		stamp(e.Meta())
		t.Update(e)
	}
}

const eventsOfTurn = 5

func newTracker(id string) *tracker.Tracker { return tracker.New(id, Domain()) }

func save(t *testing.T, s trackerstore.Store, tr *tracker.Tracker) {
	t.Helper()
	if err := s.Save(t.Context(), tr); err != nil {
		t.Fatalf("Save(%.20q): %v", tr.ConversationID, err)
	}
}

func retrieve(t *testing.T, s trackerstore.Store, id string) *tracker.Tracker {
	t.Helper()
	tr, err := s.Retrieve(t.Context(), id)
	if err != nil {
		t.Fatalf("Retrieve(%.20q): %v", id, err)
	}
	if tr.ConversationID != id {
		t.Fatalf("Retrieve(%.20q) returned conversation %.20q", id, tr.ConversationID)
	}
	return tr
}

// wantStored checks that the stored conversation has the events of want.
func wantStored(t *testing.T, s trackerstore.Store, want *tracker.Tracker) {
	t.Helper()
	got := retrieve(t, s, want.ConversationID)
	if g, w := render(got.Events()), render(want.Events()); !slices.Equal(g, w) {
		t.Errorf("conversation %.20q: %d events, want %d\ngot  %s\nwant %s",
			want.ConversationID, len(g), len(w), shorten(g), shorten(w))
	}
	if n := len(got.Unsaved()); n != 0 {
		t.Errorf("%d events of a retrieved tracker count as unsaved", n)
	}
}

func shorten(lines []string) string {
	s := strings.Join(lines, "\n     ")
	return s[:min(len(s), 4000)]
}

func render(events []tracker.Event) []string {
	out := make([]string, len(events))
	for i, e := range events {
		out[i] = string(tracker.MarshalEvent(e))
	}
	return out
}

func unknown(t *testing.T, s trackerstore.Store) {
	if _, err := s.Retrieve(t.Context(), "nobody"); !errors.Is(err, trackerstore.ErrNotFound) {
		t.Errorf("Retrieve: %v, want %v", err, trackerstore.ErrNotFound)
	}
	save(t, s, newTracker("nobody")) // has no events
	if _, err := s.Retrieve(t.Context(), "nobody"); !errors.Is(err, trackerstore.ErrNotFound) {
		t.Errorf("Retrieve after saving nothing: %v, want %v", err, trackerstore.ErrNotFound)
	}
}

func savedEvents(t *testing.T, s trackerstore.Store) {
	tr := newTracker("a")
	// Times that run backwards: the order of saving counts, not that of the clock.
	for _, n := range []int{3, 1, 2} {
		Turn(tr, n)
	}
	save(t, s, tr)
	if n := len(tr.Unsaved()); n != 0 {
		t.Errorf("%d events count as unsaved after Save", n)
	}
	wantStored(t, s, tr)
}

func appends(t *testing.T, s trackerstore.Store) {
	tr := newTracker("a")
	for n := range 4 {
		Turn(tr, n)
		save(t, s, tr)
		save(t, s, tr) // nothing new
		wantStored(t, s, tr)
		tr = retrieve(t, s, "a")
	}
	if got, want := len(tr.Events()), 4*eventsOfTurn; got != want {
		t.Errorf("%d events, want %d", got, want)
	}
}

func copies(t *testing.T, s trackerstore.Store) {
	tr := newTracker("a")
	Turn(tr, 0)
	save(t, s, tr)
	want := retrieve(t, s, "a")

	Turn(tr, 1) // after Save, without another
	other := retrieve(t, s, "a")
	Turn(other, 2)
	third := retrieve(t, s, "a")
	Turn(third, 3)
	wantStored(t, s, want)
	if got, want := render(other.Unsaved())[0], render(third.Unsaved())[0]; got == want {
		t.Error("two trackers of one conversation share their unsaved events")
	}
}

func replaces(t *testing.T, s trackerstore.Store) {
	tr := newTracker("a")
	Turn(tr, 0)
	Turn(tr, 1)
	save(t, s, tr)
	retrieve(t, s, "a")

	// As many events as before, then fewer, then more.
	for i, turns := range [][]int{{5, 6}, {7}, {8, 9, 10}} {
		tr := newTracker("a")
		for _, n := range turns {
			Turn(tr, n)
		}
		if err := s.Replace(t.Context(), tr); err != nil {
			t.Fatalf("Replace %d: %v", i, err)
		}
		if n := len(tr.Unsaved()); n != 0 {
			t.Errorf("%d events count as unsaved after Replace", n)
		}
		wantStored(t, s, tr)
	}
	tr = retrieve(t, s, "a")
	Turn(tr, 11)
	save(t, s, tr)
	wantStored(t, s, tr)
}

func replaceByNothing(t *testing.T, s trackerstore.Store) {
	tr := newTracker("a")
	Turn(tr, 0)
	save(t, s, tr)
	if err := s.Replace(t.Context(), newTracker("a")); err != nil {
		t.Fatalf("Replace: %v", err)
	}
	if _, err := s.Retrieve(t.Context(), "a"); !errors.Is(err, trackerstore.ErrNotFound) {
		t.Errorf("Retrieve: %v, want %v", err, trackerstore.ErrNotFound)
	}
}

func endedContext(t *testing.T, s trackerstore.Store) {
	tr := newTracker("a")
	Turn(tr, 0)
	save(t, s, tr)
	want := retrieve(t, s, "a")

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	Turn(tr, 1)
	if err := s.Save(ctx, tr); !errors.Is(err, context.Canceled) {
		t.Errorf("Save: %v, want %v", err, context.Canceled)
	}
	if got := len(tr.Unsaved()); got != eventsOfTurn {
		t.Errorf("%d events count as unsaved after a Save that failed, want %d", got, eventsOfTurn)
	}
	if err := s.Replace(ctx, newTracker("a")); !errors.Is(err, context.Canceled) {
		t.Errorf("Replace: %v, want %v", err, context.Canceled)
	}
	if _, err := s.Retrieve(ctx, "a"); !errors.Is(err, context.Canceled) {
		t.Errorf("Retrieve: %v, want %v", err, context.Canceled)
	}
	wantStored(t, s, want)
}

func separate(t *testing.T, s trackerstore.Store) {
	a, b := newTracker("a"), newTracker("A")
	Turn(a, 1)
	Turn(b, 2)
	save(t, s, a)
	save(t, s, b)
	wantStored(t, s, a)
	wantStored(t, s, b)
	if got := conversations(t, s); !slices.Equal(got, []string{"A", "a"}) {
		t.Errorf("ConversationIDs: %q, want A and a", got)
	}
}

func conversations(t *testing.T, s trackerstore.Store) []string {
	t.Helper()
	var ids []string
	for id, err := range s.ConversationIDs(t.Context()) {
		if err != nil {
			t.Fatalf("ConversationIDs: %v", err)
		}
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

// concurrentTurns talks in several conversations at once, each in order, as the
// lock store sees to it.
func concurrentTurns(t *testing.T, s trackerstore.Store) {
	const users, turns = 16, 10
	var wg sync.WaitGroup
	for user := range users {
		wg.Go(func() {
			id := fmt.Sprintf("user %d", user)
			for n := range turns {
				tr, err := s.Retrieve(t.Context(), id)
				if errors.Is(err, trackerstore.ErrNotFound) && n == 0 {
					tr, err = newTracker(id), nil
				}
				if err != nil {
					t.Errorf("Retrieve(%q): %v", id, err)
					return
				}
				if got, want := len(tr.Events()), n*eventsOfTurn; got != want {
					t.Errorf("%q has %d events before turn %d, want %d", id, got, n, want)
					return
				}
				Turn(tr, n)
				if err := s.Save(t.Context(), tr); err != nil {
					t.Errorf("Save(%q): %v", id, err)
					return
				}
			}
		})
	}
	wg.Wait()
	for user := range users {
		want := newTracker(fmt.Sprintf("user %d", user))
		for n := range turns {
			Turn(want, n)
		}
		wantStored(t, s, want)
	}
}

func oddIDs(t *testing.T, s trackerstore.Store) {
	ids := []string{
		"", "default", "../../etc/passwd", "a/b", "'; DROP TABLE events; --", "%", "_",
		"\U0001f95d\u0301 \u202e", " leading and trailing ", "a\x00b", "NULL", strings.Repeat("x", 10_000),
	}
	for n, id := range ids {
		tr := newTracker(id)
		Turn(tr, n)
		save(t, s, tr)
	}
	for n, id := range ids {
		want := newTracker(id)
		Turn(want, n)
		wantStored(t, s, want)
	}
	slices.Sort(ids)
	if got := conversations(t, s); !slices.Equal(got, ids) {
		t.Errorf("ConversationIDs: %.100q, want %.100q", got, ids)
	}
}

func oddValues(t *testing.T, s trackerstore.Store) {
	tr := newTracker("a")
	var nested any
	if err := json.Unmarshal([]byte(`{"a":[1,2.5,null,true,"\u0000\ud83e\udd5d"],"":{}}`), &nested); err != nil {
		t.Fatal(err)
	}
	for _, v := range []any{nil, "", "\x00 \u2028 </script> \\ \"", 0.1, -1e300, true, []any{}, nested, strings.Repeat("long ", 100_000)} {
		e := &tracker.SlotSet{Name: "city", Value: v}
		e.Timestamp = 1_700_000_000.123456
		tr.Update(e)
	}
	save(t, s, tr)
	wantStored(t, s, tr)
}

func long(t *testing.T, s trackerstore.Store) {
	tr := newTracker("a")
	for n := range 400 {
		Turn(tr, n)
		if n%100 == 99 {
			save(t, s, tr)
			wantStored(t, s, tr)
		}
	}
}

func reopens(t *testing.T, open Open) {
	dir := t.TempDir()
	tr := newTracker("a")
	for n := range 3 {
		s := open(t, dir, Domain())
		if n > 0 {
			wantStored(t, s, tr)
			tr = retrieve(t, s, "a")
		}
		Turn(tr, n)
		save(t, s, tr)
		if err := s.Close(); err != nil {
			t.Fatalf("Close: %v", err)
		}
	}
	s := open(t, dir, Domain())
	wantStored(t, s, tr)
	if err := s.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
}
