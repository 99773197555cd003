package conversation

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/loquat-dev/loquat/internal/channel"
	"github.com/loquat-dev/loquat/internal/tracker"
	"github.com/loquat-dev/loquat/internal/trackerstore"
)

// MaxOverdue is how late a reminder may be that became due while nothing was
// running. A later one is not spoken any more.
const MaxOverdue = 24 * time.Hour

// RestoreReminders schedules the reminders that an earlier process has left in
// the tracker store: those that were neither cancelled nor spoken. Those that
// have become due since speak at once. A reminder whose turn was broken off
// before it was stored speaks again.
//
// Stores that can't survive a process have none, and need not be a
// trackerstore.ReminderFinder.
func (p *Processor) RestoreReminders(ctx context.Context) error {
	finder, ok := p.Store.(trackerstore.ReminderFinder)
	if !ok {
		return nil
	}
	oldest := p.Now().Add(-MaxOverdue)
	restored := 0
	for id, err := range finder.WithReminders(ctx, oldest) {
		if err != nil {
			return fmt.Errorf("restore reminders: %w", err)
		}
		n, err := p.restore(ctx, id, oldest)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil { // the others' are scheduled all the same
			p.Logger.ErrorContext(ctx, "reminders are not scheduled again", "conversation_id", id, "err", err)
		}
		restored += n
	}
	if restored > 0 {
		p.Logger.InfoContext(ctx, "reminders of earlier conversations are scheduled", "reminders", restored)
	}
	return nil
}

// restore schedules what one conversation has left. Its lock keeps a turn from
// scheduling the same at the same time.
func (p *Processor) restore(ctx context.Context, conversationID string, oldest time.Time) (n int, err error) {
	err = p.locked(ctx, conversationID, func(ctx context.Context) error {
		t, err := p.load(ctx, conversationID)
		if err != nil {
			return err
		}
		for _, e := range pending(t) {
			when, err := tracker.ParseTime(e.DateTime)
			made := time.UnixMicro(int64(e.Timestamp * 1e6))
			if err != nil || when.Before(oldest) || isPast(when, made) || p.Reminders.has(conversationID, e.Name) {
				continue
			}
			// The request that it could have answered is long over. What it says is in the
			// tracker, and the log says that nobody got it.
			out := channel.NewCollector()
			out.Messages()
			p.Reminders.schedule(conversationID, e, out, made, p.Now())
			n++
		}
		return nil
	})
	return n, err
}

// pending are the reminders of a conversation that are still to come.
func pending(t *tracker.Tracker) []*tracker.ReminderScheduled {
	var open []*tracker.ReminderScheduled
	without := func(done func(*tracker.ReminderScheduled) bool) { open = slices.DeleteFunc(open, done) }
	for _, e := range t.Events() {
		switch e := e.(type) {
		case *tracker.ReminderScheduled:
			without(func(o *tracker.ReminderScheduled) bool { return o.Name == e.Name })
			open = append(open, e)
		case *tracker.ReminderCancelled:
			without(func(o *tracker.ReminderScheduled) bool { return matches(o, e) })
		case *tracker.UserUttered:
			if name, ok := e.Metadata[reminderKey].(string); ok {
				without(func(o *tracker.ReminderScheduled) bool { return o.Name == name })
			}
		}
	}
	without(func(o *tracker.ReminderScheduled) bool { return !stillCounts(t, o) })
	return open
}

// has reports whether a reminder of that name waits already.
func (r *Reminders) has(conversationID, name string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.waiting {
		if s.conversationID == conversationID && s.event.Name == name {
			return true
		}
	}
	return false
}
