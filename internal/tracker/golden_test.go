package tracker_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loquat-dev/loquat/internal/domain"
	"github.com/loquat-dev/loquat/internal/sharedtest"
	"github.com/loquat-dev/loquat/internal/tracker"
)

// TestEventsAsRecorded posts each recorded event to a tracker and compares what
// is stored with what Rasa 3.6.21 returned.
func TestEventsAsRecorded(t *testing.T) {
	data, err := os.ReadFile(filepath.Join(sharedtest.Dir(t, "data", "golden", "http"), "tracker_events.json"))
	if err != nil {
		t.Fatal(err)
	}
	var golden struct {
		Events map[string][]struct {
			Posted   json.RawMessage  `json:"posted"`
			Status   int              `json:"status"`
			Returned []map[string]any `json:"returned"`
		} `json:"events"`
	}
	if err := json.Unmarshal(data, &golden); err != nil {
		t.Fatal(err)
	}
	for name, records := range golden.Events {
		for _, record := range records {
			e, err := tracker.UnmarshalEvent(record.Posted)
			if (err == nil) != (record.Status == 200) && len(record.Returned) > 0 {
				t.Errorf("%s %s: error %v, Rasa's status %d", name, record.Posted, err, record.Status)
			}
			if err != nil || len(record.Returned) == 0 {
				continue
			}
			var got map[string]any
			if err := json.Unmarshal(tracker.MarshalEvent(e), &got); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			want := record.Returned[len(record.Returned)-1]
			for _, m := range []map[string]any{got, want} {
				delete(m, "timestamp")
				if meta, ok := m["metadata"].(map[string]any); ok {
					delete(meta, "model_id")
					delete(meta, "assistant_id")
					if len(meta) == 0 {
						delete(m, "metadata")
					}
				}
			}
			if name == "reminder" || name == "cancel_reminder" || name == "user_featurization" || name == "export" {
				continue // generated names, and differences listed in docs/compatibility.md
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s %s: (-Rasa +ours)\n%s", name, record.Posted, diff)
			}
		}
	}
}

func newDomain(t *testing.T) *domain.Domain {
	t.Helper()
	d := &domain.Domain{Slots: []*domain.Slot{
		{Name: "city", Type: domain.Text}, {Name: "notes", Type: domain.List}, {Name: "vip", Type: domain.Bool, InitialValue: false},
	}}
	d.Complete()
	return d
}

func user(text, intent string) *tracker.UserUttered {
	return &tracker.UserUttered{Text: text, HasText: true, Intent: intent}
}

func action(name string) *tracker.ActionExecuted { return &tracker.ActionExecuted{Name: name} }

func types(events []tracker.Event) []string {
	var out []string
	for _, e := range events {
		name := e.Type()
		switch e := e.(type) {
		case *tracker.ActionExecuted:
			name += " " + e.Name
		case *tracker.UserUttered:
			name += " " + e.Intent
		case *tracker.SlotSet:
			name += " " + e.Name
		}
		out = append(out, name)
	}
	return out
}

func TestRewindTakesBackTheLatestTurn(t *testing.T) {
	tr := tracker.New("c", newDomain(t))
	tr.UpdateAll([]tracker.Event{
		action("action_session_start"), &tracker.SessionStarted{}, action("action_listen"),
		user("hi", "greet"), action("utter_greet"), action("action_listen"),
		user("Paris", "inform"), &tracker.SlotSet{Name: "city", Value: "Paris"}, action("action_default_fallback"),
		&tracker.UserUtteranceReverted{},
	})
	want := []string{"action action_listen", "user greet", "action utter_greet"}
	if diff := cmp.Diff(want, types(tr.AppliedEvents())); diff != "" {
		t.Error(diff)
	}
	if tr.LatestIntent() != "greet" || tr.Slot("city") != nil || len(tr.Events()) != 10 {
		t.Errorf("intent %q, city %v, %d events", tr.LatestIntent(), tr.Slot("city"), len(tr.Events()))
	}
}

func TestRepeatedLoopIsCollapsed(t *testing.T) {
	tr := tracker.New("c", newDomain(t))
	tr.UpdateAll([]tracker.Event{
		action("action_listen"), user("book", "book"), action("form"), &tracker.ActiveLoop{Name: "form"},
		action("action_listen"), user("Paris", "inform"), &tracker.SlotSet{Name: "city", Value: "Paris"}, action("form"),
	})
	want := []string{"action action_listen", "user book", "action form", "active_loop", "slot city"}
	if diff := cmp.Diff(want, types(tr.AppliedEvents())); diff != "" {
		t.Error(diff)
	}
	tr.UpdateAll([]tracker.Event{
		action("action_listen"), user("why", "chat"), &tracker.ActionExecutionRejected{Name: "form"}, action("utter_chat"), action("form"),
	})
	want = append(want, "action action_listen", "user chat", "action_execution_rejected", "action utter_chat", "action form")
	if diff := cmp.Diff(want, types(tr.AppliedEvents())); diff != "" {
		t.Error(diff)
	}
}

// An action between the turns, such as one that was run over the API, answers no
// message: the loop that goes on afterwards is repeated (Rasa 3.6.21).
func TestWhatComesBeforeAMessageDoesNotAnswerIt(t *testing.T) {
	tr := tracker.New("c", newDomain(t))
	tr.UpdateAll([]tracker.Event{
		action("action_listen"), user("book", "book"), action("form"), &tracker.ActiveLoop{Name: "form"},
		action("action_listen"), action("utter_chat"), user("Paris", "inform"), action("form"),
	})
	want := []string{"action action_listen", "user book", "action form", "active_loop"}
	if diff := cmp.Diff(want, types(tr.AppliedEvents())); diff != "" {
		t.Error(diff)
	}
}

func TestCopyIsIndependent(t *testing.T) {
	tr := tracker.New("c", newDomain(t))
	tr.Update(&tracker.SlotSet{Name: "city", Value: "Paris"})
	c := tr.Copy()
	c.Update(&tracker.SlotSet{Name: "city", Value: "Rome"})
	tr.Update(&tracker.SlotSet{Name: "notes", Value: "x"})
	if tr.Slot("city") != "Paris" || c.Slot("city") != "Rome" || c.Slot("notes") != nil || len(tr.Events()) != 2 {
		t.Errorf("tracker %v, copy %v", tr.Slots(), c.Slots())
	}
	if diff := cmp.Diff([]any{"x"}, tr.Slot("notes")); diff != "" {
		t.Error(diff)
	}
}

func FuzzEventRoundTrip(f *testing.F) {
	f.Add([]byte(`{"event":"slot","name":"city","value":[1,2.5,{"a":null}]}`))
	f.Add([]byte(`{"event":"user","text":"x","parse_data":{"intent":{"name":"a"},"entities":[{"entity":"b","value":1}]}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := tracker.UnmarshalEvent(data)
		if err != nil {
			return
		}
		once := tracker.MarshalEvent(e)
		again, err := tracker.UnmarshalEvent(once)
		if err != nil {
			t.Fatalf("%s does not read back: %v", once, err)
		}
		if twice := tracker.MarshalEvent(again); string(once) != string(twice) {
			t.Errorf("written %s, then %s", once, twice)
		}
	})
}

// A fraction of nothing is left out, as Python's isoformat does; any other stays,
// also one that begins with zeros.
func TestTimesOfRemindersKeepTheirFraction(t *testing.T) {
	for when, want := range map[string]string{
		"2030-01-02T03:04:05.000000":       "2030-01-02T03:04:05",
		"2030-01-02T03:04:05.000000+01:00": "2030-01-02T03:04:05+01:00",
		"2030-01-02T03:04:05.078000":       "2030-01-02T03:04:05.078000",
		"2030-01-02T03:04:05.000001Z":      "2030-01-02T03:04:05.000001Z",
	} {
		e, err := tracker.EventFrom(map[string]any{"event": "reminder", "date_time": when})
		if err != nil {
			t.Fatal(err)
		}
		if got := e.(*tracker.ReminderScheduled).DateTime; got != want {
			t.Errorf("%s became %s", when, got)
		}
	}
}
