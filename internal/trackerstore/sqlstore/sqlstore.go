// Package sqlstore keeps conversations in a SQL database, in the table that Rasa
// uses, so that an existing rasa.db goes on being used as it is. SQLite is built.
//
// One goroutine writes. Saves of several conversations that arrive together
// share a transaction, which is what makes SQLite fast enough to save every
// turn; each Save returns when its transaction is committed, and a Save that
// fails takes no other with it.
//
// The database is in WAL mode with synchronous = NORMAL. A process that dies at
// any moment (kill -9, out of memory) loses nothing that was acknowledged; a
// machine that loses power may lose the last moments, but never half a turn and
// never the file.
//
// Reading is incremental: the store keeps the conversations that were read last
// and asks the database only for what is newer, so that a turn costs the same in
// a conversation of ten events and of ten thousand.
package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"sync"

	_ "modernc.org/sqlite" // the "sqlite" driver, pure Go

	"github.com/loquat-dev/loquat/internal/domain"
	"github.com/loquat-dev/loquat/internal/tracker"
	"github.com/loquat-dev/loquat/internal/trackerstore"
)

// schema is the table as Rasa 3.6.21 creates it, and an index of ours, which
// Rasa does not mind.
const schema = `
CREATE TABLE IF NOT EXISTS events (
	id INTEGER NOT NULL,
	sender_id VARCHAR(255) NOT NULL,
	type_name VARCHAR(255) NOT NULL,
	timestamp FLOAT,
	intent_name VARCHAR(255),
	action_name VARCHAR(255),
	data TEXT,
	PRIMARY KEY (id)
);
CREATE INDEX IF NOT EXISTS ix_events_sender_id ON events (sender_id);
CREATE INDEX IF NOT EXISTS ix_loquat_reminders ON events (sender_id) WHERE type_name = 'reminder';`

// errClosed is what a method returns after Close.
var errClosed = errors.New("tracker store is closed")

// Store is a trackerstore.Store in a SQL database.
type Store struct {
	reader *sql.DB
	tail   *sql.Stmt // the rows of a conversation from an id on
	recent *recent
	writer *writer

	closing sync.Once
	closed  error
}

// Open opens the database, creating file, folder and table where they are
// missing. Trackers that the store returns have the slots of d. A configuration
// that can't be served is a diag.Problem.
func Open(ctx context.Context, c Config, d *domain.Domain) (*Store, error) {
	file, err := c.file()
	if err != nil {
		return nil, err
	}
	if c.MustExist {
		if _, err := os.Stat(file); err != nil {
			return nil, fmt.Errorf("open tracker store: %w", err)
		}
	}
	s := &Store{recent: newRecent(d, maxRecentConversations, maxRecentBytes)}
	if err := s.open(ctx, file); err != nil {
		return nil, fmt.Errorf("open tracker store %s: %w", file, err)
	}
	return s, nil
}

func (s *Store) open(ctx context.Context, file string) (err error) {
	if err := create(file); err != nil {
		return err
	}
	if s.writer, err = openWriter(ctx, file, s.recent); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	if s.reader, err = sql.Open("sqlite", dsn(file, "query_only(1)")); err != nil {
		return err
	}
	s.reader.SetMaxOpenConns(4)
	s.tail, err = s.reader.PrepareContext(ctx,
		"SELECT id, data FROM events WHERE sender_id = ? AND id >= ? ORDER BY id")
	return err
}

// create makes the file if there is none. What people said is nobody else's
// business, so only its owner may read a new one.
func create(file string) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(file, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

// Retrieve implements trackerstore.Store.
func (s *Store) Retrieve(ctx context.Context, conversationID string) (*tracker.Tracker, error) {
	h, err := s.read(ctx, s.recent.get(conversationID))
	if errors.Is(err, errRewritten) {
		h, err = s.read(ctx, s.recent.fresh(conversationID))
	}
	if err != nil {
		return nil, fmt.Errorf("retrieve conversation %q: %w", conversationID, err)
	}
	if h.tracker.Len() == 0 {
		return nil, trackerstore.ErrNotFound
	}
	return h.tracker, nil
}

// errRewritten means that what we remember of a conversation is not what is
// stored.
var errRewritten = errors.New("the stored conversation was rewritten")

// read completes a history, of which the beginning is known already.
func (s *Store) read(ctx context.Context, h history) (history, error) {
	rows, err := s.tail.QueryContext(ctx, h.tracker.ConversationID, h.lastID)
	if err != nil {
		return history{}, err
	}
	defer rows.Close()
	known := h
	checked := known.lastID == 0
	var data sql.RawBytes
	for rows.Next() {
		if err := rows.Scan(&h.lastID, &data); err != nil {
			return history{}, err
		}
		if !checked {
			if h.lastID != known.lastID || string(data) != known.lastData {
				return history{}, errRewritten
			}
			checked = true
			continue
		}
		e, err := tracker.UnmarshalStored(data)
		if err != nil {
			return history{}, fmt.Errorf("row %d: %w", h.lastID, err)
		}
		h.tracker.Update(e)
		h.lastData = string(data)
		h.size += len(data)
	}
	if err := rows.Err(); err != nil {
		return history{}, err
	}
	if !checked {
		return history{}, errRewritten
	}
	h.tracker.MarkSaved()
	s.recent.put(h)
	return h, nil
}

// Save implements trackerstore.Store.
func (s *Store) Save(ctx context.Context, t *tracker.Tracker) error {
	if err := s.store(ctx, t, t.Unsaved(), false); err != nil {
		return fmt.Errorf("save conversation %q: %w", t.ConversationID, err)
	}
	return nil
}

// Replace implements trackerstore.Store.
func (s *Store) Replace(ctx context.Context, t *tracker.Tracker) error {
	if err := s.store(ctx, t, t.Events(), true); err != nil {
		return fmt.Errorf("replace conversation %q: %w", t.ConversationID, err)
	}
	return nil
}

func (s *Store) store(ctx context.Context, t *tracker.Tracker, events []tracker.Event, replace bool) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if len(events) == 0 && !replace {
		return nil
	}
	err := s.writer.write(ctx, &change{
		conversationID: t.ConversationID,
		tracker:        t,
		rows:           encode(events),
		replace:        replace,
	})
	if err != nil {
		return err
	}
	t.MarkSaved()
	return nil
}

// ConversationIDs implements trackerstore.Store.
func (s *Store) ConversationIDs(ctx context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		rows, err := s.reader.QueryContext(ctx, "SELECT DISTINCT sender_id FROM events")
		if err != nil {
			yield("", fmt.Errorf("list conversations: %w", err))
			return
		}
		defer rows.Close()
		for rows.Next() {
			var id string
			if err = rows.Scan(&id); err != nil || !yield(id, nil) {
				break
			}
		}
		if err = errors.Join(err, rows.Err()); err != nil {
			yield("", fmt.Errorf("list conversations: %w", err))
		}
	}
}

// UseDomain implements trackerstore.Store.
func (s *Store) UseDomain(d *domain.Domain) { s.recent.use(d) }

// Ready reports whether the database answers, and can be written to.
func (s *Store) Ready(ctx context.Context) error {
	return errors.Join(s.reader.PingContext(ctx), s.writer.checkpoints.err())
}

// Close implements trackerstore.Store. Saves that wait are written first.
func (s *Store) Close() error {
	s.closing.Do(func() {
		if s.tail != nil {
			s.closed = s.tail.Close()
		}
		if s.reader != nil {
			s.closed = errors.Join(s.closed, s.reader.Close())
		}
		s.closed = errors.Join(s.closed, s.writer.close())
	})
	return s.closed
}
