package memlock

import (
	"context"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/loquat-dev/loquat/internal/lockstore"
	"github.com/loquat-dev/loquat/internal/lockstore/lockstoretest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestConformance(t *testing.T) {
	const bound = 12
	lockstoretest.Run(t, lockstoretest.Traits{InMemory: true, MaxWaiting: bound}, func(*testing.T) lockstore.Store {
		return New(bound)
	})
}

func TestIdleConversationsAreForgotten(t *testing.T) {
	s := New(0)
	var wg sync.WaitGroup
	for _, id := range []string{"a", "b", "a", "b", "a"} {
		wg.Go(func() {
			unlock, err := s.Lock(t.Context(), id)
			if err != nil {
				t.Error(err)
				return
			}
			unlock()
		})
	}
	wg.Wait()
	if n := len(s.lines); n != 0 {
		t.Errorf("%d conversations are remembered, want 0", n)
	}
}

// A waiter may be handed the lock in the instant in which its context ends; the
// lock must not be lost with it.
func TestLockIsNotLostToAQuitter(t *testing.T) {
	s := New(0)
	for range 2000 {
		unlock, err := s.Lock(t.Context(), "a")
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() {
			if unlock, err := s.Lock(ctx, "a"); err == nil {
				unlock()
			}
		})
		wg.Go(cancel)
		wg.Go(unlock)
		wg.Wait()
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if _, err := s.Lock(ctx, "a"); err != nil {
		t.Fatalf("the lock is lost: %v", err)
	}
}

func BenchmarkLock(b *testing.B) {
	s := New(0)
	for b.Loop() {
		unlock, _ := s.Lock(b.Context(), "a")
		unlock()
	}
}
