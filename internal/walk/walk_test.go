package walk

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/loquat-dev/loquat/internal/action"
	"github.com/loquat-dev/loquat/internal/channel"
	"github.com/loquat-dev/loquat/internal/conversation"
	"github.com/loquat-dev/loquat/internal/lockstore/memlock"
	"github.com/loquat-dev/loquat/internal/nlg"
	"github.com/loquat-dev/loquat/internal/tracker"
	"github.com/loquat-dev/loquat/internal/trackerstore/memstore"
)

var (
	turns = flag.Int("turns", 600, "how many turns to take with all assistants together")
	seed  = flag.Uint64("seed", 1, "seed of the whole walk")
	only  = flag.String("only", "", "assistant and conversation to repeat, as bookings/17")
)

// turnsEach is how long a conversation goes on before the next one begins.
const turnsEach = 40

func TestWalk(t *testing.T) {
	all := bots(t)
	t.Logf("go test ./internal/walk -turns %d -seed %d", *turns, *seed)
	for _, b := range all {
		t.Run(b.name, func(t *testing.T) {
			n := (*turns/len(all) + turnsEach - 1) / turnsEach
			var wait sync.WaitGroup
			defer wait.Wait()
			running := make(chan struct{}, runtime.GOMAXPROCS(0))
			for i := range n {
				if name := fmt.Sprintf("%s/%d", b.name, i); *only != "" && *only != name {
					continue
				}
				running <- struct{}{}
				wait.Go(func() {
					defer func() { <-running }()
					walk(t, b, i)
				})
			}
		})
	}
	t.Logf("saw %v", seen.kinds)
	if t.Failed() || *only != "" || *turns < 10_000 {
		return
	}
	for _, kind := range []string{
		"user", "bot", "action", "slot", "active_loop", "loop_interrupted", "action_execution_rejected", "user_featurization", "entities", "reset_slots",
		"restart", "session_started", "rewind", "undo", "pause", "resume", "followup", "reminder", "cancel_reminder", "agent", "export",
	} {
		if seen.kinds[kind] == 0 {
			t.Errorf("no event %q occurred in %d turns", kind, *turns)
		}
	}
}

// seen counts the events that were stored, by type.
var seen = struct {
	sync.Mutex
	kinds map[string]int
}{kinds: map[string]int{}}

// walk has one conversation. Its clock is its own, so that reminders and sessions
// come and go, and it can be repeated.
func walk(t *testing.T, b bot, number int) {
	if t.Failed() {
		return
	}
	synctest.Test(t, func(t *testing.T) {
		w := newWalker(b, number)
		defer w.processor.Close()
		defer func() {
			if p := recover(); p != nil {
				w.fail("panic: %v\n%s", p, debug.Stack())
			}
			if failures := w.failures(); len(failures) > 0 {
				t.Errorf("go test ./internal/walk -turns %d -seed %d -only %s/%d\n%s\nafter\n\t%s", *turns, *seed, b.name, number,
					strings.Join(failures, "\n"), strings.Join(w.said, "\n\t"))
			}
		}()
		for turn := 0; turn < turnsEach && len(w.failures()) == 0; turn++ {
			w.turn(t.Context())
		}
	})
}

// walker has one conversation and looks at every state that it gets into.
type walker struct {
	user
	bot       bot
	processor *conversation.Processor
	store     *store
	read      []tracker.Event // what was stored, as it reads back
	said      []string

	mu     sync.Mutex // reminders act beside messages
	failed []string
}

func newWalker(b bot, number int) *walker {
	r := newRandom(*seed, uint64(number))
	first := func(int) int { return 0 } // of the variations of a response
	quiet := slog.New(slog.DiscardHandler)
	w := &walker{user: user{r, b.Domain()}, bot: b}
	w.store = &store{Store: memstore.New(b.Domain()), walker: w}
	w.processor = conversation.New(conversation.Settings{
		Domain: b.Domain(), Interpreter: b, Predictor: b, Store: w.store, Locks: memlock.New(0), Logger: quiet,
		ModelID: b.ModelID(), AssistantID: b.AssistantID(),
		Actions: &action.Runner{Domain: b.Domain(), NLG: nlg.NewTemplates(b.Domain(), first, quiet), Server: &actionServer{user: w.user, seed: r.Uint64()}, Logger: quiet},
	})
	return w
}

func (w *walker) fail(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.failed = append(w.failed, fmt.Sprintf(format, args...))
}

func (w *walker) failures() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.failed
}

// turn does one thing with the conversation, and lets time pass.
func (w *walker) turn(ctx context.Context) {
	w.pass()
	ctx, cancel := context.WithTimeout(ctx, pick(w.random, []time.Duration{time.Minute, time.Hour}))
	defer cancel()
	if err := w.do(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		w.fail("%v", err)
	}
}

// pass lets some time go by, in which reminders may speak.
func (w *walker) pass() {
	time.Sleep(pick(w.random, []time.Duration{time.Second, time.Second, time.Minute, 10 * time.Minute, 3 * time.Hour}))
	synctest.Wait()
}

func (w *walker) do(ctx context.Context) error {
	const id = "walker"
	t, _ := w.store.Store.Retrieve(ctx, id)
	out := channel.NewCollector()
	switch n := w.IntN(100); {
	case n < 4:
		intent := w.anyIntent()
		entities := pick(w.random, [][]tracker.Entity{nil, {{}}, {{"entity": "number"}, {"entity": pick(w.random, []any{"number", 5}), "value": w.received()}}})
		w.note(fmt.Sprintf("trigger %s %v", intent, entities))
		_, err := w.processor.TriggerIntent(ctx, id, intent, entities, out)
		return err
	case n < 8 && t != nil:
		name := pick(w.random, w.domain.ActionNames())
		w.note("execute " + name)
		_, err := w.processor.Execute(ctx, id, name, "", 1, out)
		return err
	case n < 10 && t != nil:
		w.note("forecast")
		_, err := w.processor.Forecast(ctx, id)
		return err
	default:
		text := w.message(t)
		w.note(text)
		m := channel.Message{Text: text, HasText: true, SenderID: id, Channel: pick(w.random, []string{"rest", ""}), MessageID: "m", Output: out}
		if w.chance(10) {
			m.Metadata = map[string]any{"about": "metadata", "n": 1.5, "deep": []any{map[string]any{"x": nil}}}
		}
		w.store.begin()
		err := w.processor.HandleMessage(ctx, m)
		synctest.Wait()                                                         // a reminder may have become due while the action server was slow
		if err == nil || !strings.HasPrefix(err.Error(), "lock conversation") { // which a reminder held for too long
			w.heard(text)
		}
		return err
	}
}

func (w *walker) note(what string) { w.said = append(w.said, what) }

// heard looks for what the user said in the latest turn, and for its end.
func (w *walker) heard(text string) {
	events := w.store.stored()
	last := -1
	for i, e := range events {
		if u, ok := e.(*tracker.UserUttered); ok && u.MessageID == "m" && u.Text == strings.TrimSpace(text) {
			last = i
		}
	}
	if last < 0 {
		w.fail("the message is not in the conversation")
		return
	}
	actions := 0
	for _, e := range events[last:] {
		if _, ok := e.(*tracker.ActionExecuted); ok {
			actions++
		}
	}
	// An action server may return events of actions, too.
	if limit := 10 * conversation.DefaultMaxPredictions; actions > limit {
		w.fail("%d actions follow one message", actions)
	}
}

// store is a memory that looks at what it is given.
type store struct {
	*memstore.Store
	walker *walker

	mu     sync.Mutex
	latest []tracker.Event // of the turn that goes on, and of reminders that it let wait
}

// begin forgets the turn before.
func (s *store) begin() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.latest = nil
}

func (s *store) stored() []tracker.Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.latest
}

// Save implements trackerstore.Store.
func (s *store) Save(ctx context.Context, t *tracker.Tracker) error {
	s.mu.Lock()
	s.latest = append(s.latest, t.Unsaved()...)
	s.mu.Unlock()
	s.walker.check(t)
	seen.Lock()
	for _, e := range t.Unsaved() {
		seen.kinds[e.Type()]++
	}
	seen.Unlock()
	return s.Store.Save(ctx, t)
}
