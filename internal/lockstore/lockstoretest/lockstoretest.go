// Package lockstoretest checks that a lock store keeps the promises of
// lockstore.Store. Each backend and each wrapper runs it.
package lockstoretest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/loquat-dev/loquat/internal/lockstore"
)

// Traits say what the tested store promises beyond the contract.
type Traits struct {
	// InMemory stores wait on nothing but channels and locks, so the suite can
	// tell exactly when everybody stands in line. For others it waits Settle.
	InMemory bool
	Settle   time.Duration

	MaxWaiting int // how many may wait in one conversation; 0 is not tested
}

// Open returns a fresh store for one test.
type Open func(t *testing.T) lockstore.Store

// Run runs the suite.
func Run(t *testing.T, traits Traits, open Open) {
	cases := []struct {
		name string
		run  func(t *testing.T, c *check)
	}{
		{"OneHolderAtATime", oneHolder},
		{"ConversationsAreIndependent", independent},
		{"WaitersAreServedInOrder", fifo},
		{"ContextEndsWaiting", cancelled},
		{"EndedContextGetsNoLock", endedContext},
		{"UnlockTwiceFreesOnce", unlockTwice},
		{"LongLinesAreRefused", queueFull},
		{"CloseEndsWaiting", closing},
		{"OddIdentifiers", oddIDs},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			if !traits.InMemory {
				settle := func() { time.Sleep(traits.Settle) }
				tc.run(t, &check{t: t, store: open(t), settle: settle, traits: traits})
				return
			}
			synctest.Test(t, func(t *testing.T) {
				tc.run(t, &check{t: t, store: open(t), settle: synctest.Wait, traits: traits})
			})
		})
	}
}

type check struct {
	t      *testing.T
	store  lockstore.Store
	settle func()
	traits Traits
	wg     sync.WaitGroup
}

// lock takes the lock of a conversation or fails the test.
func (c *check) lock(id string) func() {
	c.t.Helper()
	unlock, err := c.store.Lock(c.t.Context(), id)
	if err != nil {
		c.t.Fatalf("Lock(%q): %v", id, err)
	}
	return unlock
}

// lockLater asks for the lock of "a" in the background, waits until it stands in line,
// and returns where the result will arrive.
func (c *check) lockLater(ctx context.Context) <-chan result {
	done := make(chan result, 1)
	c.wg.Go(func() {
		unlock, err := c.store.Lock(ctx, "a")
		done <- result{unlock, err}
	})
	c.settle()
	return done
}

type result struct {
	unlock func()
	err    error
}

func (c *check) waiting(done <-chan result) {
	c.t.Helper()
	c.settle()
	select {
	case r := <-done:
		c.t.Fatalf("Lock returned (error %v) while another holds the conversation", r.err)
	default:
	}
}

func (c *check) granted(done <-chan result) func() {
	c.t.Helper()
	r := <-done
	if r.err != nil {
		c.t.Fatalf("Lock: %v", r.err)
	}
	return r.unlock
}

func oneHolder(t *testing.T, c *check) {
	var holders, most atomic.Int32
	var count int // guarded by the lock under test
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 20 {
				unlock, err := c.store.Lock(t.Context(), "a")
				if err != nil {
					t.Errorf("Lock: %v", err)
					return
				}
				if n := holders.Add(1); n > most.Load() {
					most.Store(n)
				}
				count++
				holders.Add(-1)
				unlock()
			}
		})
	}
	wg.Wait()
	if most.Load() != 1 || count != 160 {
		t.Errorf("%d holders at once, %d turns; want 1 and 160", most.Load(), count)
	}
}

func independent(t *testing.T, c *check) {
	unlockA := c.lock("a")
	unlockB := c.lock("b")
	unlockB()
	unlockA()
}

func fifo(t *testing.T, c *check) {
	unlock := c.lock("a")
	const n = 10
	var waiting []<-chan result
	for range n {
		waiting = append(waiting, c.lockLater(t.Context()))
	}
	unlock()
	for i, done := range waiting {
		next := c.granted(done)
		for _, later := range waiting[i+1:] {
			c.waiting(later)
		}
		next()
	}
}

func cancelled(t *testing.T, c *check) {
	unlock := c.lock("a")
	ctx, cancel := context.WithCancel(t.Context())
	quitter := c.lockLater(ctx)
	patient := c.lockLater(t.Context())
	cancel()
	if r := <-quitter; !errors.Is(r.err, context.Canceled) {
		t.Errorf("Lock with a cancelled context: %v, want %v", r.err, context.Canceled)
	}
	c.waiting(patient)
	unlock()
	c.granted(patient)()
	c.lock("a")()
}

func endedContext(t *testing.T, c *check) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.store.Lock(ctx, "a"); !errors.Is(err, context.Canceled) {
		t.Errorf("Lock: %v, want %v", err, context.Canceled)
	}
	c.lock("a")()
}

func unlockTwice(t *testing.T, c *check) {
	first := c.lock("a")
	first()
	second := c.lock("a")
	first()
	third := c.lockLater(t.Context())
	c.waiting(third)
	second()
	c.granted(third)()
}

func queueFull(t *testing.T, c *check) {
	if c.traits.MaxWaiting == 0 {
		t.Skip("skipped: this store was opened without a bound to test")
	}
	unlock := c.lock("a")
	var waiting []<-chan result
	for range c.traits.MaxWaiting {
		waiting = append(waiting, c.lockLater(t.Context()))
	}
	if _, err := c.store.Lock(t.Context(), "a"); !errors.Is(err, lockstore.ErrQueueFull) {
		t.Errorf("Lock in a full line: %v, want %v", err, lockstore.ErrQueueFull)
	}
	unlock()
	for _, done := range waiting {
		c.granted(done)()
	}
}

func closing(t *testing.T, c *check) {
	unlock := c.lock("a")
	waiting := c.lockLater(t.Context())
	if err := c.store.Close(); err != nil {
		t.Fatalf("Close: %v", err)
	}
	if r := <-waiting; !errors.Is(r.err, lockstore.ErrClosed) {
		t.Errorf("waiter got %v, want %v", r.err, lockstore.ErrClosed)
	}
	unlock()
	if _, err := c.store.Lock(t.Context(), "a"); !errors.Is(err, lockstore.ErrClosed) {
		t.Errorf("Lock after Close: %v, want %v", err, lockstore.ErrClosed)
	}
}

func oddIDs(t *testing.T, c *check) {
	ids := []string{"", "default", "../../etc", "a/b", "*?[", "\U0001f95d", "a\x00b", strings.Repeat("x", 10_000)}
	var unlocks []func()
	for _, id := range ids {
		unlocks = append(unlocks, c.lock(id))
	}
	slices.Reverse(unlocks)
	for _, unlock := range unlocks {
		unlock()
	}
	for i, id := range ids {
		t.Logf("again %s", fmt.Sprintf("%.20q (%d)", id, i))
		c.lock(id)()
	}
}
