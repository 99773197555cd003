package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"sync/atomic"
)

// Checkpoints carry what was written from the log (the -wal file) over into the
// database file, and wait for the disk. They happen beside the turns, on a
// connection of their own: SQLite by itself would do them inside a turn's
// commit, which every hundredth turn would notice.
const (
	checkpointBytes = 4 << 20 // of events, between two checkpoints
	restartPages    = 16_000  // length of the log at which it begins anew; 64 MB
)

// checkpointer runs checkpoints when it is told to.
type checkpointer struct {
	db      *sql.DB
	due     chan struct{} // closed to stop
	stopped chan struct{}
	failure atomic.Pointer[error] // of the last checkpoint; nil if it went well
}

func startCheckpointer(file string) (*checkpointer, error) {
	db, err := sql.Open("sqlite", dsn(file))
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	c := &checkpointer{db: db, due: make(chan struct{}, 1), stopped: make(chan struct{})}
	go c.run()
	return c, nil
}

// tell asks for a checkpoint and does not wait for it.
func (c *checkpointer) tell() {
	select {
	case c.due <- struct{}{}:
	default: // one is due already
	}
}

func (c *checkpointer) run() {
	defer close(c.stopped)
	for range c.due {
		pages, err := c.checkpoint("PASSIVE") // lets others read and write
		if err == nil && pages > restartPages {
			// Turns that never pause would let the log grow for ever. Little is left
			// to carry over now, so they wait for a moment only.
			_, err = c.checkpoint("RESTART")
		}
		if err != nil {
			err = fmt.Errorf("checkpoint failed, the log grows: %w", err)
			c.failure.Store(&err)
			continue
		}
		c.failure.Store(nil)
	}
}

// err returns why the last checkpoint failed.
func (c *checkpointer) err() error {
	if failure := c.failure.Load(); failure != nil {
		return *failure
	}
	return nil
}

// checkpoint returns how many pages the log has.
func (c *checkpointer) checkpoint(mode string) (pages int, err error) {
	var busy, carried int
	err = c.db.QueryRowContext(context.Background(), "PRAGMA wal_checkpoint("+mode+")").Scan(&busy, &pages, &carried)
	return pages, err
}

func (c *checkpointer) stop() error {
	close(c.due)
	<-c.stopped
	return c.db.Close()
}
