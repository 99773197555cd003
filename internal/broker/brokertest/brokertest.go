// Package brokertest checks that an event broker keeps the promises of
// broker.Broker. Each backend and each wrapper runs it.
package brokertest

import (
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/loquat-dev/loquat/internal/broker"
	"github.com/loquat-dev/loquat/internal/tracker"
)

// Traits say what the tested broker promises beyond the contract.
type Traits struct {
	// Away brokers can be cut off from where they deliver to, and be connected
	// again: both functions are called once, in this order.
	Away func(t *testing.T) (cut, mend func())
}

// Rig is a broker under test and its other end.
type Rig struct {
	Broker broker.Broker
	// Delivered closes the broker and returns the JSON that arrived.
	Delivered func(t *testing.T) [][]byte
}

// Run runs the suite. open returns a fresh broker to which nothing was
// published.
func Run(t *testing.T, traits Traits, open func(t *testing.T) Rig) {
	t.Run("EventsArriveWithTheirSender", func(t *testing.T) { arrives(t, open(t)) })
	t.Run("OrderWithinConversations", func(t *testing.T) { inOrder(t, open(t)) })
	t.Run("PublishingNothing", func(t *testing.T) { nothing(t, open(t)) })
	t.Run("CloseTwice", func(t *testing.T) { closeTwice(t, open(t)) })
	if traits.Away != nil {
		t.Run("SurvivesAbsence", func(t *testing.T) {
			rig := open(t)
			cut, mend := traits.Away(t)
			absence(t, rig, cut, mend)
		})
	}
}

// message is what the suite looks at in a published event.
type message struct {
	Event     string  `json:"event"`
	SenderID  string  `json:"sender_id"`
	Timestamp float64 `json:"timestamp"`
	Name      string  `json:"name"`
}

func slot(n int) tracker.Event {
	e := &tracker.SlotSet{Name: fmt.Sprintf("slot %d", n), Value: n}
	e.Timestamp = 1_700_000_000.5
	return e
}

func publish(t *testing.T, b broker.Broker, id string, events ...tracker.Event) {
	t.Helper()
	if err := b.Publish(t.Context(), id, events); err != nil {
		t.Errorf("Publish(%.20q): %v", id, err)
	}
}

func delivered(t *testing.T, rig Rig) []message {
	t.Helper()
	var out []message
	for _, data := range rig.Delivered(t) {
		var m message
		if err := json.Unmarshal(data, &m); err != nil {
			t.Fatalf("delivered %q: %v", data, err)
		}
		out = append(out, m)
	}
	return out
}

func arrives(t *testing.T, rig Rig) {
	ids := []string{"alice", "", "../\"\n\U0001f95d"}
	var want []message
	for n, id := range ids {
		publish(t, rig.Broker, id, slot(n))
		want = append(want, message{"slot", id, 1_700_000_000.5, fmt.Sprintf("slot %d", n)})
	}
	if got := delivered(t, rig); !slices.Equal(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
}

func inOrder(t *testing.T, rig Rig) {
	const users, turns = 8, 50
	var wg sync.WaitGroup
	for user := range users {
		wg.Go(func() {
			for n := range turns {
				publish(t, rig.Broker, fmt.Sprint(user), slot(2*n), slot(2*n+1))
			}
		})
	}
	wg.Wait()
	next := make(map[string]int)
	for _, m := range delivered(t, rig) {
		if want := fmt.Sprintf("slot %d", next[m.SenderID]); m.Name != want {
			t.Fatalf("conversation %q: got %q, want %q", m.SenderID, m.Name, want)
		}
		next[m.SenderID]++
	}
	for user := range users {
		if n := next[fmt.Sprint(user)]; n != 2*turns {
			t.Errorf("conversation %d: %d events, want %d", user, n, 2*turns)
		}
	}
}

func nothing(t *testing.T, rig Rig) {
	publish(t, rig.Broker, "alice")
	if got := delivered(t, rig); len(got) != 0 {
		t.Errorf("got %+v, want nothing", got)
	}
}

func closeTwice(t *testing.T, rig Rig) {
	publish(t, rig.Broker, "alice", slot(1))
	for range 2 {
		if err := rig.Broker.Close(t.Context()); err != nil {
			t.Errorf("Close: %v", err)
		}
	}
	if err := rig.Broker.Publish(t.Context(), "alice", []tracker.Event{slot(2)}); err == nil {
		t.Error("Publish after Close succeeded")
	}
}

// absence publishes before, while and after the other end is away.
func absence(t *testing.T, rig Rig, cut, mend func()) {
	publish(t, rig.Broker, "alice", slot(0))
	cut()
	for n := 1; n < 100; n++ {
		publish(t, rig.Broker, "alice", slot(n))
	}
	mend()
	publish(t, rig.Broker, "alice", slot(100))
	got := delivered(t, rig)
	var previous = -1
	for _, m := range got {
		var n int
		if _, err := fmt.Sscanf(m.Name, "slot %d", &n); err != nil || n <= previous {
			t.Fatalf("%q came after slot %d", m.Name, previous)
		}
		previous = n
	}
	if previous != 100 {
		t.Errorf("the last event that arrived is %d, want 100", previous)
	}
	if len(got) != 101 {
		t.Errorf("%d events arrived, want 101", len(got))
	}
}
