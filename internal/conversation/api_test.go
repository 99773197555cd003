package conversation_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loquat-dev/loquat/internal/channel"
	"github.com/loquat-dev/loquat/internal/conversation"
	"github.com/loquat-dev/loquat/internal/tracker"
)

func TestExecuteForecastAndLog(t *testing.T) {
	store := newStore()
	p := newProcessor(t, store, nil)
	if _, err := p.Execute(t.Context(), "c", "utter_hi", "", 0, nil); !errors.Is(err, conversation.ErrUnknownConversation) {
		t.Errorf("got %v", err)
	}
	if _, err := p.Forecast(t.Context(), "c"); !errors.Is(err, conversation.ErrUnknownConversation) {
		t.Errorf("got %v", err)
	}
	tr, err := p.LogMessage(t.Context(), channel.Message{Text: "greet", HasText: true, SenderID: "c", MessageID: "7"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if tr.Slot("said") != "greet" || tr.LatestMessage().MessageID != "7" {
		t.Errorf("the message left %v, %+v", tr.Slots(), tr.LatestMessage())
	}
	before := len(stored(t, store))
	f, err := p.Forecast(t.Context(), "c")
	if err != nil || f.Policy != "Script" || f.Confidence != 1 || len(f.Actions) != len(f.Probabilities) || len(stored(t, store)) != before {
		t.Errorf("forecast %+v, %v; %d events more", f, err, len(stored(t, store))-before)
	}
	out := channel.NewCollector()
	if tr, err = p.Execute(t.Context(), "c", "utter_hi", "Me", 0.25, out); err != nil {
		t.Fatal(err)
	}
	ran := tr.LatestAction()
	if ran.Name != "utter_hi" || ran.Policy != "Me" || ran.Confidence != 0.25 || len(out.Messages()) != 1 {
		t.Errorf("executed %+v", ran)
	}
	if _, err := p.Execute(t.Context(), "c", "action_nope", "", 0, out); !errors.Is(err, conversation.ErrUnknownAction) {
		t.Errorf("got %v", err)
	}
	f, err = p.ForecastEvents(t.Context(), "x", nil)
	if err != nil || f.Policy != "followup_action" || f.Tracker.Followup() != "" {
		t.Errorf("forecast of nothing: %+v %v", f, err)
	}
}

// Looking at a conversation, or adding to it, starts a session only where nothing
// is yet: not after a restart or a long silence, as in Rasa 3.6.21.
func TestLookingStartsNoSession(t *testing.T) {
	store := newStore()
	p := newProcessor(t, store, nil)
	look := func(want ...string) {
		t.Helper()
		if _, err := p.Tracker(t.Context(), "c"); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, names(stored(t, store))); diff != "" {
			t.Error(diff)
		}
	}
	add := func(e tracker.Event) {
		t.Helper()
		if _, err := p.AppendEvents(t.Context(), "c", []tracker.Event{e}, nil); err != nil {
			t.Fatal(err)
		}
	}
	shown, err := p.Tracker(t.Context(), "c")
	if err != nil || shown.Len() != 3 {
		t.Errorf("%d events, %v", shown.Len(), err)
	}
	if _, err := p.Stored(t.Context(), "c"); !errors.Is(err, conversation.ErrUnknownConversation) {
		t.Errorf("what was only looked at is stored: %v", err)
	}
	session := []string{"action action_session_start", "session_started", "action action_listen"}
	add(&tracker.SessionStarted{})
	look(append(session, "session_started")...)
	add(&tracker.Restarted{})
	look(append(session, "session_started", "restart")...)

	silent := &tracker.UserUttered{Text: "long ago", HasText: true}
	silent.Timestamp = 1
	if _, err := p.ReplaceEvents(t.Context(), "c", []tracker.Event{silent}); err != nil {
		t.Fatal(err)
	}
	add(&tracker.SlotSet{Name: "said", Value: "x"})
	look("user", "slot said")
}
