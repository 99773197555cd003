package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/domain"
	"github.com/loquat-dev/loquat/internal/tracker"
	"github.com/loquat-dev/loquat/internal/trackerstore"
	"github.com/loquat-dev/loquat/internal/trackerstore/trackerstoretest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t testing.TB, dir string) *Store {
	t.Helper()
	c := DefaultConfig()
	c.DB = filepath.Join(dir, "conversations", "100% & more?.db")
	s, err := Open(t.Context(), c, trackerstoretest.Domain())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestConformance(t *testing.T) {
	trackerstoretest.Run(t, trackerstoretest.Traits{Durable: true}, func(t *testing.T, dir string, d *domain.Domain) trackerstore.Store {
		return open(t, dir)
	})
}

func TestConformanceWithoutMemory(t *testing.T) {
	trackerstoretest.Run(t, trackerstoretest.Traits{Durable: true}, func(t *testing.T, dir string, d *domain.Domain) trackerstore.Store {
		s := open(t, dir)
		s.recent.maxConversations = 0
		return s
	})
}

func TestConfig(t *testing.T) {
	cases := []struct {
		config Config
		file   string
		code   diag.Code
	}{
		{DefaultConfig(), "rasa.db", ""},
		{Config{Dialect: "SQLite", DB: "/data/a.db"}, "/data/a.db", ""},
		{Config{Dialect: "sqlite+pysqlite", DB: "a.db"}, "a.db", ""},
		{Config{Dialect: "postgresql", URL: "sqlite:///b.db", DB: "a.db"}, "b.db", ""},
		{Config{Dialect: "sqlite", URL: "sqlite:////data/b.db"}, "/data/b.db", ""},
		{Config{Dialect: "sqlite", URL: "localhost", DB: "a.db"}, "a.db", ""},
		{Config{Dialect: "sqlite"}, "", "bad-value"},
		{Config{Dialect: "sqlite", DB: ":memory:"}, "", "bad-value"},
		{Config{Dialect: "postgresql", DB: "rasa"}, "", "unbuilt-dialect"},
		{Config{Dialect: "sqlite", URL: "postgresql+psycopg2://u:p@h/db"}, "", "unbuilt-dialect"},
		{Config{Dialect: "oracle+cx_oracle"}, "", "unbuilt-dialect"},
	}
	for _, c := range cases {
		file, err := c.config.file()
		problem, _ := errors.AsType[diag.Problem](err)
		if file != c.file || problem.Code != c.code {
			t.Errorf("%+v: file %q, error %v; want %q, %q", c.config, file, err, c.file, c.code)
		}
	}
}

// The columns beside data are what reports over Rasa's table use.
func TestRowsAreRasas(t *testing.T) {
	s := open(t, t.TempDir())
	tr := tracker.New("a", trackerstoretest.Domain())
	trackerstoretest.Turn(tr, 0)
	if err := s.Save(t.Context(), tr); err != nil {
		t.Fatal(err)
	}
	rows, err := s.reader.QueryContext(t.Context(),
		"SELECT id || ' ' || sender_id || ' ' || type_name || ' ' || timestamp || ' ' || coalesce(intent_name, '-') || ' ' || coalesce(action_name, '-') FROM events ORDER BY id")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var got []string
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			t.Fatal(err)
		}
		got = append(got, line)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"1 a user 1700000000.25 inform -",
		"2 a slot 1700000000.25 - city",
		"3 a action 1700000000.25 - utter_noted",
		"4 a bot 1700000000.25 - -",
		"5 a action 1700000000.25 - action_listen",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// A database that another Rasa wrote may hold events that we don't know. They
// are kept.
func TestUnknownEventsAreKept(t *testing.T) {
	s := open(t, t.TempDir())
	const data = `{"event":"flow_started","timestamp":1.5,"flow_id":"transfer"}`
	_, err := s.writer.conn.ExecContext(t.Context(), "INSERT INTO events (sender_id, type_name, data) VALUES ('a', 'flow_started', ?)", data)
	if err != nil {
		t.Fatal(err)
	}
	tr, err := s.Retrieve(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Replace(t.Context(), tr); err != nil {
		t.Fatal(err)
	}
	var got string
	if err := s.reader.QueryRowContext(t.Context(), "SELECT data FROM events").Scan(&got); err != nil || got != data {
		t.Errorf("got %s (%v), want %s", got, err, data)
	}
}

func TestNewFilesAreTheOwners(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	tr := tracker.New("a", trackerstoretest.Domain())
	trackerstoretest.Turn(tr, 0)
	if err := s.Save(t.Context(), tr); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*", "*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	for _, file := range files {
		if info, err := os.Stat(file); err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: %v %v", file, info.Mode(), err)
		}
	}
}

// A second process, such as an export or an administrator's script, may write
// to the file too.
func TestForeignWritesAreSeen(t *testing.T) {
	dir := t.TempDir()
	ours, theirs := open(t, dir), open(t, dir)
	tr := tracker.New("a", trackerstoretest.Domain())
	for n := range 4 {
		trackerstoretest.Turn(tr, n)
		store := []*Store{ours, theirs}[n%2]
		if err := store.Save(t.Context(), tr); err != nil {
			t.Fatal(err)
		}
		for _, s := range []*Store{ours, theirs} {
			got, err := s.Retrieve(t.Context(), "a")
			if err != nil || len(got.Events()) != len(tr.Events()) {
				t.Fatalf("after turn %d: %v, want %d events", n, err, len(tr.Events()))
			}
		}
	}
	short := tracker.New("a", trackerstoretest.Domain())
	trackerstoretest.Turn(short, 9)
	if err := theirs.Replace(t.Context(), short); err != nil {
		t.Fatal(err)
	}
	got, err := ours.Retrieve(t.Context(), "a")
	if err != nil || len(got.Events()) != len(short.Events()) {
		t.Errorf("after a foreign Replace: %v, want %d events", err, len(short.Events()))
	}
}

// Changes that share a transaction with one that fails are saved all the same.
func TestOneFailureTakesNoOtherWithIt(t *testing.T) {
	s := open(t, t.TempDir())
	_, err := s.writer.conn.ExecContext(t.Context(),
		"CREATE TRIGGER no_bob BEFORE INSERT ON events WHEN NEW.sender_id = 'bob' BEGIN SELECT RAISE(ABORT, 'no bob'); END")
	if err != nil {
		t.Fatal(err)
	}
	var batch []*change
	for _, id := range []string{"alice", "bob", "carol"} {
		c := &change{conversationID: id, rows: []row{{typeName: "restart", data: `{}`}}, done: make(chan error, 1)}
		batch = append(batch, c)
	}
	s.writer.apply(batch)
	for _, c := range batch {
		if err := <-c.done; (err != nil) != (c.conversationID == "bob") {
			t.Errorf("%s: %v", c.conversationID, err)
		}
	}
	var n int
	if err := s.reader.QueryRowContext(t.Context(), "SELECT count(*) FROM events").Scan(&n); err != nil || n != 2 {
		t.Errorf("%d rows (%v), want 2", n, err)
	}
}

func TestSaveAfterCloseIsRefused(t *testing.T) {
	s := open(t, t.TempDir())
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	tr := tracker.New("a", trackerstoretest.Domain())
	trackerstoretest.Turn(tr, 0)
	if err := s.Save(t.Context(), tr); !errors.Is(err, errClosed) {
		t.Errorf("Save: %v, want %v", err, errClosed)
	}
}

// Turns that never pause must not let the log grow for ever.
func TestLogIsCarriedOver(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	big := strings.Repeat("x", 256<<10)
	for range 4 * checkpointBytes / len(big) {
		tr := tracker.New("a", s.recent.domain)
		tr.Update(&tracker.SlotSet{Name: "city", Value: big})
		if err := s.Save(t.Context(), tr); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.writer.checkpoints.checkpoint("PASSIVE"); err != nil {
		t.Error(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*", "*.db"))
	if err != nil || len(files) != 1 {
		t.Fatalf("%v %v", files, err)
	}
	if info, err := os.Stat(files[0]); err != nil || info.Size() < checkpointBytes {
		t.Errorf("%d bytes are carried over (%v), want more than %d", info.Size(), err, checkpointBytes)
	}
	if pages, err := s.writer.checkpoints.checkpoint("RESTART"); err != nil || pages == 0 {
		t.Errorf("%d pages, %v", pages, err)
	}
}

func TestRecentIsBounded(t *testing.T) {
	r := newRecent(trackerstoretest.Domain(), 3, 10)
	put := func(id string, size int) {
		r.put(history{tracker: tracker.New(id, r.domain), size: size, lastID: int64(size)})
	}
	for _, id := range []string{"a", "b", "c", "a", "d"} {
		put(id, 2)
	}
	if r.get("a").lastID == 0 || r.get("b").lastID != 0 || r.bytes != 6 {
		t.Errorf("a: %v, b: %v, %d bytes; want a remembered, b not, 6 bytes", r.get("a"), r.get("b"), r.bytes)
	}
	put("e", 9)
	if len(r.byID) != 1 || r.bytes != 9 {
		t.Errorf("%d conversations, %d bytes; want 1 and 9", len(r.byID), r.bytes)
	}
	put("e", 11)
	if len(r.byID) != 0 || r.bytes != 0 {
		t.Errorf("%d conversations, %d bytes; want none", len(r.byID), r.bytes)
	}
}

// BenchmarkTurn retrieves and saves one turn of a growing conversation, by one
// user and by eight at once.
func BenchmarkTurn(b *testing.B) {
	for _, users := range []int{1, 8} {
		b.Run(fmt.Sprintf("users=%d", users), func(b *testing.B) {
			s := open(b, b.TempDir())
			var wg sync.WaitGroup
			var turns = make(chan int, 64)
			for user := range users {
				wg.Go(func() {
					id := fmt.Sprint(user)
					for n := range turns {
						tr, err := s.Retrieve(context.Background(), id)
						if err != nil || len(tr.Events()) > 50 {
							id = fmt.Sprint(user, n)
							tr = tracker.New(id, s.recent.domain)
						}
						trackerstoretest.Turn(tr, n)
						if err := s.Save(context.Background(), tr); err != nil {
							b.Error(err)
						}
					}
				})
			}
			n := 0
			for b.Loop() {
				turns <- n
				n++
			}
			close(turns)
			wg.Wait()
		})
	}
}
