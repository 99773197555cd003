package filebroker

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/loquat-dev/loquat/internal/broker/brokertest"
	"github.com/loquat-dev/loquat/internal/tracker"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t *testing.T, path string) *Broker {
	t.Helper()
	b, err := Open(Config{Path: path}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close(context.Background()) })
	return b
}

func lines(t *testing.T, path string) [][]byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if len(data) > 0 && data[len(data)-1] != '\n' {
		t.Errorf("the file ends within a line: %q", data[max(0, len(data)-50):])
	}
	return bytes.Split(bytes.TrimSuffix(data, []byte("\n")), []byte("\n"))
}

func TestConformance(t *testing.T) {
	brokertest.Run(t, brokertest.Traits{}, func(t *testing.T) brokertest.Rig {
		path := filepath.Join(t.TempDir(), "events.log")
		b := open(t, path)
		return brokertest.Rig{Broker: b, Delivered: func(t *testing.T) [][]byte {
			if err := b.Close(t.Context()); err != nil {
				t.Errorf("Close: %v", err)
			}
			if info, err := os.Stat(path); err == nil && info.Size() == 0 {
				return nil
			}
			return lines(t, path)
		}}
	})
}

var pause = []tracker.Event{&tracker.ConversationPaused{Base: tracker.Base{Timestamp: 1.5}}}

func TestAppendsToWhatIsThere(t *testing.T) {
	path := filepath.Join(t.TempDir(), "events.log")
	for range 2 {
		b := open(t, path)
		if err := b.Publish(t.Context(), "alice", pause); err != nil {
			t.Fatal(err)
		}
		if err := b.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if got := lines(t, path); len(got) != 2 || !bytes.HasPrefix(got[1], []byte(`{"sender_id":"alice","event":"pause"`)) {
		t.Errorf("got %q", got)
	}
}

func TestWrongPathIsNoticedAtStart(t *testing.T) {
	_, err := Open(Config{Path: filepath.Join(t.TempDir(), "missing", "events.log")}, slog.New(slog.DiscardHandler))
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Open: %v, want %v", err, os.ErrNotExist)
	}
}

// breakFile makes the next write fail as a full disk would, by exchanging the
// open file for one that is closed. It must be called before anything is
// published.
func breakFile(b *Broker) { b.file.Close() }

func TestWriteErrorLosesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "events.log")
	synctest.Test(t, func(t *testing.T) {
		b := open(t, path)
		synctest.Wait()
		breakFile(b)
		for range 3 {
			if err := b.Publish(t.Context(), "alice", pause); err != nil {
				t.Fatal(err)
			}
		}
		if err := b.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := lines(t, path); len(got) != 3 {
			t.Errorf("%d lines, want 3", len(got))
		}
	})
}

func TestCloseGivesUpInTime(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "logs")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		b := open(t, filepath.Join(dir, "events.log"))
		synctest.Wait()
		breakFile(b)
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
		if err := b.Publish(t.Context(), "alice", pause); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := b.Close(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Close: %v, want %v", err, context.DeadlineExceeded)
		}
	})
}

func TestMemoryIsBounded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "events.log")
	var log strings.Builder
	synctest.Test(t, func(t *testing.T) {
		b, err := Open(Config{Path: path}, slog.New(slog.NewTextHandler(&log, nil)))
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		breakFile(b)
		big := []tracker.Event{&tracker.SlotSet{Name: "s", Value: strings.Repeat("x", maxWaiting/4)}}
		for range 8 {
			if err := b.Publish(t.Context(), "alice", big); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		if n := len(b.waiting); n > maxWaiting {
			t.Errorf("%d bytes wait, at most %d should", n, maxWaiting)
		}
		if err := b.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
	if got := len(lines(t, path)); got < 3 || got > 5 {
		t.Errorf("%d lines, want the bound's worth", got)
	}
	if !strings.Contains(log.String(), "some are dropped") {
		t.Errorf("nothing is logged about dropped events:\n%s", log.String())
	}
}
