package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"sync/atomic"

	"github.com/loquat-dev/loquat/internal/tracker"
)

// row is one event as the table holds it.
type row struct {
	typeName   string
	timestamp  float64
	intentName sql.NullString
	actionName sql.NullString
	data       string
}

// encode makes the rows of events. What stands in intent_name and action_name
// is what Rasa 3.6 puts there: the intent of user events, and the key "name" of
// any event.
func encode(events []tracker.Event) []row {
	rows := make([]row, len(events))
	for i, e := range events {
		rows[i] = row{typeName: e.Type(), timestamp: e.Meta().Timestamp, data: string(tracker.MarshalEvent(e))}
		switch e := e.(type) {
		case *tracker.UserUttered:
			rows[i].intentName = orNull(e.Intent)
		case *tracker.ActionExecuted:
			rows[i].actionName = orNull(e.Name)
		case *tracker.ActionExecutionRejected:
			rows[i].actionName = orNull(e.Name)
		case *tracker.SlotSet:
			rows[i].actionName = orNull(e.Name)
		case *tracker.FollowupAction:
			rows[i].actionName = orNull(e.Name)
		case *tracker.ActiveLoop:
			rows[i].actionName = orNull(e.Name)
		case *tracker.ReminderScheduled:
			rows[i].actionName = orNull(e.Name)
		case *tracker.ReminderCancelled:
			rows[i].actionName = orNull(e.Name)
		}
	}
	return rows
}

func orNull(s string) sql.NullString { return sql.NullString{String: s, Valid: s != ""} }

// change is what one Save or Replace does to one conversation.
type change struct {
	conversationID string
	tracker        *tracker.Tracker
	rows           []row // of the events that are to be stored
	replace        bool  // delete what is there before
	lastID         int64 // set by the transaction

	state atomic.Int32 // waiting, then taken or withdrawn
	done  chan error   // gets the outcome once, if taken
}

// size is how many bytes of JSON the change adds.
func (c *change) size() int {
	n := 0
	for _, r := range c.rows {
		n += len(r.data)
	}
	return n
}

// follows reports whether the change's tracker is what was stored and the new
// events.
func (c *change) follows(stored *tracker.Tracker) bool {
	return c.tracker.Follows(stored, len(c.rows))
}

const (
	waiting int32 = iota
	taken
	withdrawn
)

// maxBatch bounds how many changes share a transaction.
const maxBatch = 128

// writer applies changes one after another on a connection of its own.
type writer struct {
	db     *sql.DB
	conn   *sql.Conn
	insert *sql.Stmt
	remove *sql.Stmt
	recent *recent // told of what was committed, in order

	checkpoints *checkpointer
	written     int // bytes of events since the last checkpoint

	version       *sql.Stmt // changes when another process has written
	latestVersion int64

	changes chan *change
	mu      sync.RWMutex // held for writing while closing
	closed  bool
	stopped chan struct{}
}

// openWriter opens the file, makes the table and starts the writing goroutine.
func openWriter(ctx context.Context, file string, r *recent) (w *writer, err error) {
	w = &writer{recent: r, changes: make(chan *change, maxBatch), stopped: make(chan struct{})}
	if w.db, err = sql.Open("sqlite", dsn(file, "wal_autocheckpoint(0)")); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.db.Close())
		}
	}()
	if w.conn, err = w.db.Conn(ctx); err != nil {
		return nil, err
	}
	if _, err = w.conn.ExecContext(ctx, schema); err != nil {
		return nil, err
	}
	w.insert, err = w.conn.PrepareContext(ctx,
		"INSERT INTO events (sender_id, type_name, timestamp, intent_name, action_name, data) VALUES (?, ?, ?, ?, ?, ?)")
	if err != nil {
		return nil, err
	}
	if w.remove, err = w.conn.PrepareContext(ctx, "DELETE FROM events WHERE sender_id = ?"); err != nil {
		return nil, err
	}
	if w.version, err = w.conn.PrepareContext(ctx, "PRAGMA data_version"); err != nil {
		return nil, err
	}
	if w.checkpoints, err = startCheckpointer(file); err != nil {
		return nil, err
	}
	go w.run()
	return w, nil
}

// write hands over a change and waits for its outcome. A change that is already
// being written when ctx ends is waited for, because its outcome must be known.
func (w *writer) write(ctx context.Context, c *change) error {
	c.done = make(chan error, 1)
	if err := w.enqueue(ctx, c); err != nil {
		return err
	}
	select {
	case err := <-c.done:
		return err
	case <-ctx.Done():
		if c.state.CompareAndSwap(waiting, withdrawn) {
			return ctx.Err()
		}
		return <-c.done
	}
}

func (w *writer) enqueue(ctx context.Context, c *change) error {
	w.mu.RLock()
	defer w.mu.RUnlock()
	if w.closed {
		return errClosed
	}
	select {
	case w.changes <- c:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (w *writer) run() {
	defer close(w.stopped)
	batch := make([]*change, 0, maxBatch)
	for c := range w.changes {
		batch = append(batch[:0], c)
	gather:
		for len(batch) < maxBatch {
			select {
			case c, open := <-w.changes:
				if !open {
					break gather
				}
				batch = append(batch, c)
			default:
				break gather
			}
		}
		w.apply(batch)
	}
}

// apply writes a batch in one transaction. If that fails, each change gets a
// transaction of its own, so that only the guilty one fails.
func (w *writer) apply(batch []*change) {
	live := batch[:0]
	for _, c := range batch {
		if c.state.CompareAndSwap(waiting, taken) {
			live = append(live, c)
		}
	}
	if len(live) == 0 {
		return
	}
	err := w.transaction(live)
	for i, c := range live {
		if err != nil && len(live) > 1 {
			c.done <- w.transaction(live[i : i+1])
			continue
		}
		c.done <- err
	}
}

func (w *writer) transaction(batch []*change) (err error) {
	ctx := context.Background() // the outcome of what has begun must be known
	if _, err := w.conn.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_, rollback := w.conn.ExecContext(ctx, "ROLLBACK")
			err = errors.Join(err, rollback)
		}
	}()
	if err := w.noticeForeignWrites(ctx); err != nil {
		return err
	}
	for _, c := range batch {
		if c.replace {
			if _, err := w.remove.ExecContext(ctx, c.conversationID); err != nil {
				return err
			}
		}
		for _, r := range c.rows {
			done, err := w.insert.ExecContext(ctx, c.conversationID, r.typeName, r.timestamp, r.intentName, r.actionName, r.data)
			if err != nil {
				return err
			}
			if c.lastID, err = done.LastInsertId(); err != nil {
				return err
			}
		}
	}
	if _, err = w.conn.ExecContext(ctx, "COMMIT"); err != nil {
		return err
	}
	for _, c := range batch {
		w.recent.committed(c)
		w.written += c.size()
	}
	if w.written >= checkpointBytes {
		w.written = 0
		w.checkpoints.tell()
	}
	return nil
}

// noticeForeignWrites forgets what is remembered when another process wrote to
// the file. It is called inside a transaction, so none can write until its end.
func (w *writer) noticeForeignWrites(ctx context.Context) error {
	var version int64
	if err := w.version.QueryRowContext(ctx).Scan(&version); err != nil {
		return err
	}
	if version != w.latestVersion {
		w.latestVersion = version
		w.recent.clear()
	}
	return nil
}

// close writes what waits and closes the connection.
func (w *writer) close() error {
	w.mu.Lock()
	if !w.closed {
		w.closed = true
		close(w.changes)
	}
	w.mu.Unlock()
	<-w.stopped
	return errors.Join(w.checkpoints.stop(), w.insert.Close(), w.remove.Close(), w.version.Close(), w.conn.Close(), w.db.Close())
}
