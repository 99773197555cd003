package tracker_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loquat-dev/loquat/internal/tracker"
)

// appliedOf is what core.md §10.2 says about applied events, as simply as it can
// be put: always from the beginning.
func appliedOf(events []tracker.Event) []tracker.Event {
	var applied []tracker.Event
	loops := map[string]bool{}
	undo := func(match func(tracker.Event) bool) {
		for len(applied) > 0 {
			last := applied[len(applied)-1]
			if applied = applied[:len(applied)-1]; match(last) {
				return
			}
		}
	}
	for _, e := range events {
		switch e := e.(type) {
		case *tracker.Restarted, *tracker.SessionStarted:
			applied = nil
			continue
		case *tracker.ActionReverted:
			undo(isAction)
			continue
		case *tracker.UserUtteranceReverted:
			undo(isUser)
			undo(isAction)
			continue
		case *tracker.ActiveLoop:
			loops[e.Name] = e.Name != ""
		case *tracker.ActionExecuted:
			if loops[e.Name] && repeats(applied, e.Name) {
				applied = collapsed(applied, e.Name)
				continue
			}
		}
		applied = append(applied, e)
	}
	return applied
}

func isAction(e tracker.Event) bool { _, ok := e.(*tracker.ActionExecuted); return ok }
func isUser(e tracker.Event) bool   { _, ok := e.(*tracker.UserUttered); return ok }

func repeats(applied []tracker.Event, loop string) bool {
	next := ""
	for _, e := range slices.Backward(applied) {
		switch e := e.(type) {
		case *tracker.ActiveLoop:
			if e.Name == "" {
				return false
			}
		case *tracker.ActionExecutionRejected:
			if e.Name == loop {
				return false
			}
		case *tracker.UserUttered:
			if next != "" && next != loop {
				return false
			}
		case *tracker.ActionExecuted:
			if e.Name == loop {
				return true
			}
			next = e.Name
		}
	}
	return false
}

func collapsed(applied []tracker.Event, loop string) []tracker.Event {
	from := 0
	for i, e := range applied {
		if a, ok := e.(*tracker.ActionExecuted); ok && a.Name == loop {
			from = i + 1
		}
	}
	out := slices.Clone(applied[:from])
	for _, e := range applied[from:] {
		if _, featurization := e.(*tracker.UserFeaturization); !featurization && !isAction(e) && !isUser(e) {
			out = append(out, e)
		}
	}
	return out
}

// outcome is what applied events lead to by themselves.
type outcome struct {
	city, vip            any
	text, action, loop   string
	followup             string
	paused, loopRejected bool
}

func outcomeOf(applied []tracker.Event) outcome {
	o := outcome{vip: false, followup: tracker.ListenAction}
	for _, e := range applied {
		switch e := e.(type) {
		case *tracker.UserUttered:
			o.text, o.followup = e.Text, ""
		case *tracker.ActionExecuted:
			o.action, o.followup = e.Name, ""
			o.loopRejected = o.loopRejected && e.Name != o.loop
		case *tracker.SlotSet:
			if e.Name == "city" {
				o.city = e.Value
			} else {
				o.vip = e.Value
			}
		case *tracker.AllSlotsReset:
			o.city, o.vip = nil, false
		case *tracker.FollowupAction:
			o.followup = e.Name
		case *tracker.ActiveLoop:
			o.loop, o.loopRejected = e.Name, false
		case *tracker.ActionExecutionRejected:
			o.loopRejected = o.loopRejected || e.Name == o.loop
		case *tracker.ConversationPaused:
			o.paused = true
		case *tracker.ConversationResumed:
			o.paused = false
		}
	}
	return o
}

func outcomeIn(t *tracker.Tracker) outcome {
	o := outcome{
		city: t.Slot("city"), vip: t.Slot("vip"), action: t.LatestActionName(), loop: t.ActiveLoop().Name,
		followup: t.Followup(), paused: t.Paused(), loopRejected: t.ActiveLoop().Rejected,
	}
	if m := t.LatestMessage(); m != nil {
		o.text = m.Text
	}
	return o
}

func randomEvent(random *rand.Rand, undo float64, n int) tracker.Event {
	one := func(names ...string) string { return names[random.IntN(len(names))] }
	if random.Float64() < undo {
		switch random.IntN(12) {
		case 0:
			if random.IntN(10) == 0 {
				return &tracker.Restarted{}
			}
			return &tracker.ActionReverted{}
		case 1, 2:
			return &tracker.ActionReverted{}
		default:
			return &tracker.UserUtteranceReverted{}
		}
	}
	switch random.IntN(20) {
	case 0:
		return &tracker.ActiveLoop{Name: one("form", "other", "")}
	case 1:
		return &tracker.ActionExecutionRejected{Name: one("form", "other")}
	case 2:
		return &tracker.FollowupAction{Name: one("a", "b")}
	case 3:
		return []tracker.Event{&tracker.AllSlotsReset{}, &tracker.ConversationPaused{}, &tracker.ConversationResumed{}}[random.IntN(3)]
	case 4, 5:
		return &tracker.SlotSet{Name: one("city", "vip"), Value: float64(n)}
	case 6, 7:
		return &tracker.BotUttered{}
	case 8:
		return &tracker.UserFeaturization{}
	case 9, 10, 11, 12:
		return user(fmt.Sprint(n), "greet")
	default:
		return action(one("form", "form", "action_listen", "action_listen", "utter", "other"))
	}
}

// Conversations of any length, of which copies go different ways, are what their
// events say.
func TestLongConversationsAreWhatTheirEventsSay(t *testing.T) {
	d := newDomain(t)
	for seed := range uint64(8) {
		random := rand.New(rand.NewPCG(seed, 1))
		type kept struct {
			conversation *tracker.Tracker
			events       []tracker.Event
		}
		all := []kept{{tracker.New("c", d), nil}}
		undone := 0.01 * float64(seed%4)
		for n := range 5000 {
			k := &all[random.IntN(len(all))]
			e := randomEvent(random, undone, n)
			k.conversation.Update(e)
			k.events = append(slices.Clip(k.events), e)
			if random.IntN(40) == 0 {
				copied := kept{k.conversation.Copy(), k.events}
				if len(all) < 3 {
					all = append(all, copied)
				} else {
					all[random.IntN(len(all))] = copied
				}
			}
			if n%101 == 0 {
				check(t, fmt.Sprintf("seed %d, event %d", seed, n), k.conversation, k.events)
			}
		}
	}
}

func check(t *testing.T, where string, c *tracker.Tracker, events []tracker.Event) {
	t.Helper()
	want := appliedOf(events)
	if !slices.Equal(c.AppliedEvents(), want) {
		t.Fatalf("%s: %d applied events, want %d", where, len(c.AppliedEvents()), len(want))
	}
	if !slices.Equal(c.Events(), events) {
		t.Fatalf("%s: %d events, want %d", where, len(c.Events()), len(events))
	}
	var last *tracker.UserUttered
	for _, e := range want {
		if u, ok := e.(*tracker.UserUttered); ok {
			last = u
		}
	}
	if got := c.LatestAppliedMessage(); (got == nil) != (last == nil) || got != nil && got.Text != last.Text {
		t.Fatalf("%s: the latest message is %+v, want %+v", where, got, last)
	}
	// When something is taken back, the state is what the rest leads to.
	undone := c.Copy()
	undone.Update(action("action_unheard_of"))
	undone.Update(&tracker.ActionReverted{})
	if diff := cmp.Diff(outcomeOf(want), outcomeIn(undone), cmp.AllowUnexported(outcome{})); diff != "" {
		t.Fatalf("%s: (-want +got)\n%s", where, diff)
	}
}
