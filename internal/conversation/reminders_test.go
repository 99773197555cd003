package conversation_test

import (
	"context"
	"iter"
	"testing"
	"testing/synctest"
	"time"

	"github.com/loquat-dev/loquat/internal/channel"
	"github.com/loquat-dev/loquat/internal/conversation"
	"github.com/loquat-dev/loquat/internal/tracker"
	"github.com/loquat-dev/loquat/internal/trackerstore/memstore"
)

func TestReminderSpeaksUnlessTheUserDid(t *testing.T) {
	for _, c := range []struct {
		name string
		then string // what the user says before the reminder is due
		want string // the last event
		new  int    // events that the reminder adds
	}{
		{"silence", "", "action action_listen", 5}, // user, slot, utter_hi, bot, listen
		{"user speaks", "book", "action action_listen", 0},
		{"cancelled", "forget", "action action_listen", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store := newStore()
				p := conversation.New(settings(store, nil))
				defer p.Close()
				say(t, p, store, "remind")
				if c.then != "" {
					say(t, p, store, c.then)
				}
				before := len(stored(t, store))
				time.Sleep(2 * time.Minute)
				synctest.Wait()
				if got := len(stored(t, store)) - before; got != c.new {
					t.Errorf("%d new events, want %d", got, c.new)
				}
			})
		})
	}
}

// As in Rasa 3.6.21, which has a second's patience.
func TestReminderOfThePastStaysSilent(t *testing.T) {
	for late, want := range map[time.Duration]int{500 * time.Millisecond: 1, 2 * time.Second: 0, 24 * 365 * time.Hour: 0} {
		synctest.Test(t, func(t *testing.T) {
			store := newStore()
			p := conversation.New(settings(store, nil))
			defer p.Close()
			say(t, p, store, "greet")
			when := time.Now().Add(-late).Format("2006-01-02T15:04:05.000000")
			if _, err := p.AppendEvents(t.Context(), "c", []tracker.Event{&tracker.ReminderScheduled{Name: "r", Intent: "greet", DateTime: when}}, channel.NewCollector()); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Minute)
			synctest.Wait()
			spoken := 0
			for _, e := range stored(t, store) {
				if u, ok := e.(*tracker.UserUttered); ok && u.Text == "EXTERNAL: greet" {
					spoken++
				}
			}
			if spoken != want {
				t.Errorf("%v late: reminded %d times, want %d", late, spoken, want)
			}
		})
	}
}

// durable is a memory store that claims to outlive the process.
type durable struct{ *memstore.Store }

func (s durable) WithReminders(ctx context.Context, _ time.Time) iter.Seq2[string, error] {
	return s.ConversationIDs(ctx)
}

func TestRemindersAreRestored(t *testing.T) {
	at := func(d time.Duration) string { return time.Now().Add(d).Format("2006-01-02T15:04:05.000000") }
	remind := func(name, when string) tracker.Event {
		return &tracker.ReminderScheduled{Name: name, Intent: "greet", DateTime: when}
	}
	made := func(ago time.Duration, e tracker.Event) tracker.Event {
		e.Meta().Timestamp = float64(time.Now().Add(-ago).UnixMicro()) / 1e6
		return e
	}
	for _, c := range []struct {
		name   string
		events func() []tracker.Event
		want   int // how often the assistant is reminded within a minute
	}{
		{"one to come", func() []tracker.Event { return []tracker.Event{remind("r", at(time.Second))} }, 1},
		{"one overdue", func() []tracker.Event { return []tracker.Event{made(2*time.Hour, remind("r", at(-time.Hour)))} }, 1},
		{"one long overdue", func() []tracker.Event { return []tracker.Event{made(50*time.Hour, remind("r", at(-48*time.Hour)))} }, 0},
		{"one that was past when it was made", func() []tracker.Event { return []tracker.Event{remind("r", at(-time.Hour))} }, 0},
		{"one far away", func() []tracker.Event { return []tracker.Event{remind("r", at(time.Hour))} }, 0},
		{"two", func() []tracker.Event {
			return []tracker.Event{remind("r", at(time.Second)), remind("s", at(time.Second))}
		}, 2},
		{"two of one name", func() []tracker.Event {
			return []tracker.Event{remind("r", at(time.Second)), remind("r", at(time.Second))}
		}, 1},
		{"one cancelled", func() []tracker.Event {
			return []tracker.Event{remind("r", at(time.Second)), &tracker.ReminderCancelled{Name: "r"}}
		}, 0},
		{"one that was before a restart", func() []tracker.Event {
			return []tracker.Event{remind("r", at(time.Second)), &tracker.Restarted{}, &tracker.ActionExecuted{Name: "action_listen"}}
		}, 0},
		{"one without a usable time", func() []tracker.Event { return []tracker.Event{remind("r", "soon")} }, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store := newStore()
				first := conversation.New(settings(store, nil))
				say(t, first, store, "greet")
				if _, err := first.AppendEvents(t.Context(), "c", c.events(), nil); err != nil {
					t.Fatal(err)
				}
				first.Close()
				for range 2 { // a second restart repeats nothing
					s := settings(store, nil)
					s.Store = durable{store}
					p := conversation.New(s)
					if err := p.RestoreReminders(t.Context()); err != nil {
						t.Fatal(err)
					}
					time.Sleep(time.Minute)
					synctest.Wait()
					p.Close()
				}
				spoken := 0
				for _, e := range stored(t, store) {
					if u, ok := e.(*tracker.UserUttered); ok && u.Text == "EXTERNAL: greet" {
						spoken++
					}
				}
				if spoken != c.want {
					t.Errorf("reminded %d times, want %d", spoken, c.want)
				}
			})
		})
	}
}

// A reminder that becomes due while no model is loaded waits for the next.
func TestRemindersWaitForAModel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newStore()
		s := settings(store, nil)
		s.Reminders = conversation.NewReminders(s.Logger)
		p := conversation.New(s)
		defer p.Close()
		s.Reminders.Serve(p)
		say(t, p, store, "remind")
		before := len(stored(t, store))
		s.Reminders.Serve(nil)
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if got := len(stored(t, store)); got != before {
			t.Errorf("%d events without a model", got-before)
		}
		s.Reminders.Serve(p)
		synctest.Wait()
		if got := len(stored(t, store)); got == before {
			t.Error("the reminder was forgotten")
		}
	})
}
