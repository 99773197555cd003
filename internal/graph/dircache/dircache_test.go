package dircache_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/loquat-dev/loquat/internal/graph"
	"github.com/loquat-dev/loquat/internal/graph/dircache"
)

var _ graph.Cache = (*dircache.Cache)(nil)

func key(i int) string { return fmt.Sprintf("%064x", i) }

func TestWhatIsStoredComesBackInAnotherCache(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	want := graph.Resource{"x.json": []byte("{}"), "empty": {}, "ünïcode": {0, 255}}
	if err := dircache.New(dir, 1<<20).Put(key(1), want); err != nil {
		t.Fatal(err)
	}
	got, ok := dircache.New(dir, 1<<20).Get(key(1))
	if !ok {
		t.Fatal("nothing is there")
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if _, ok := dircache.New(dir, 1<<20).Get(key(2)); ok {
		t.Error("what was never stored is there")
	}
	if _, ok := dircache.New(dir, 1<<20).Get("../../" + key(1)); ok {
		t.Error("a key reaches out of the folder")
	}
}

func TestADamagedEntryIsMissing(t *testing.T) {
	dir := t.TempDir()
	c := dircache.New(dir, 1<<20)
	path := filepath.Join(dir, key(1)+".entry")
	for name, damage := range map[string]func([]byte) []byte{
		"one bit":  func(b []byte) []byte { b[len(b)-1] ^= 1; return b },
		"cut off":  func(b []byte) []byte { return b[:len(b)-3] },
		"empty":    func([]byte) []byte { return nil },
		"appended": func(b []byte) []byte { return append(b, 'x') },
	} {
		if err := c.Put(key(1), graph.Resource{"f": []byte("contents")}); err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, damage(bytes.Clone(data)), 0o600); err != nil {
			t.Fatal(err)
		}
		if r, ok := c.Get(key(1)); ok {
			t.Errorf("%s: got %v", name, r)
		}
		if _, err := os.Stat(path); err == nil {
			t.Errorf("%s: the entry is still there", name)
		}
	}
}

func TestTheLeastRecentlyUsedGoes(t *testing.T) {
	dir := t.TempDir()
	kilobyte := graph.Resource{"f": make([]byte, 1000)}
	c := dircache.New(dir, 3500)
	age := func(i int, minutes time.Duration) {
		at := time.Now().Add(-minutes * time.Minute)
		if err := os.Chtimes(filepath.Join(dir, key(i)+".entry"), at, at); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 3 {
		if err := c.Put(key(i), kilobyte); err != nil {
			t.Fatal(err)
		}
		age(i, time.Duration(10-i))
	}
	if _, ok := c.Get(key(0)); !ok { // now 1 is the oldest
		t.Fatal("0 is missing")
	}
	if err := c.Put(key(3), kilobyte); err != nil {
		t.Fatal(err)
	}
	var there []int
	for i := range 4 {
		if _, ok := c.Get(key(i)); ok {
			there = append(there, i)
		}
	}
	if d := cmp.Diff([]int{0, 2, 3}, there); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if err := c.Put(key(4), graph.Resource{"f": make([]byte, 5000)}); err != nil {
		t.Fatal(err)
	}
	if _, ok := c.Get(key(4)); ok {
		t.Error("an entry larger than the cache was kept")
	}
	if _, ok := c.Get(key(3)); !ok {
		t.Error("an entry larger than the cache drove another one out")
	}
}

func TestLeftoversGo(t *testing.T) {
	dir := t.TempDir()
	old, young := filepath.Join(dir, ".partial-1"), filepath.Join(dir, ".partial-2")
	for _, path := range []string{old, young} {
		if err := os.WriteFile(path, []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	at := time.Now().Add(-2 * time.Hour)
	if err := os.Chtimes(old, at, at); err != nil {
		t.Fatal(err)
	}
	if err := dircache.New(dir, 1<<20).Put(key(1), nil); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(old); err == nil {
		t.Error("the leftover of a killed training is still there")
	}
	if _, err := os.Stat(young); err != nil {
		t.Error("a file that may still be written is gone")
	}
}

func TestTrainingsShareACache(t *testing.T) {
	dir := t.TempDir()
	var wait sync.WaitGroup
	for worker := range 8 {
		wait.Go(func() {
			c := dircache.New(dir, 4000)
			for i := range 40 {
				k := (worker + i) % 10
				if r, ok := c.Get(key(k)); ok && !bytes.Equal(r["f"], bytes.Repeat([]byte{byte(k)}, 900)) {
					t.Errorf("entry %d holds something else", k)
				}
				if err := c.Put(key(k), graph.Resource{"f": bytes.Repeat([]byte{byte(k)}, 900)}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wait.Wait()
}
