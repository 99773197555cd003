package conversation

import (
	"context"
	"fmt"
	"log/slog"
	"reflect"
	"sync"
	"time"

	"github.com/loquat-dev/loquat/internal/channel"
	"github.com/loquat-dev/loquat/internal/tracker"
)

// maxReminders bounds what is scheduled in this process.
const maxReminders = 100_000

// Reminders are the scheduled reminders of all conversations. A reminder is an
// event of its conversation, so nothing else has to be stored: Restore schedules
// again what a stopped process has left. They outlive the processor that
// scheduled them; those that become due are handed to the one that serves.
type Reminders struct {
	logger   *slog.Logger
	ctx      context.Context // of those that fire; ends with Stop
	breakOff context.CancelFunc

	mu      sync.Mutex
	serving *Processor // nil: what becomes due waits
	next    int
	waiting map[int]*scheduled
	closed  bool
	wait    sync.WaitGroup
}

// scheduled is one reminder that waits for its time.
type scheduled struct {
	conversationID string
	event          *tracker.ReminderScheduled
	output         channel.Output // where it speaks; nil for nowhere
	timer          *time.Timer
	due            bool // its time has come, and no processor served
}

// NewReminders returns an empty schedule without a processor.
func NewReminders(logger *slog.Logger) *Reminders {
	r := &Reminders{logger: logger, waiting: map[int]*scheduled{}}
	r.ctx, r.breakOff = context.WithCancel(context.Background())
	return r
}

// Serve hands reminders that become due to p from now on. Without a processor
// they wait for the next.
func (r *Reminders) Serve(p *Processor) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.serving = p
	if p == nil {
		return
	}
	for id, s := range r.waiting {
		if s.due {
			r.fire(id)
		}
	}
}

// Stop breaks off the reminders that are firing and waits for them. Those that
// are scheduled stay in the tracker store only.
func (r *Reminders) Stop() {
	r.breakOff()
	r.mu.Lock()
	r.closed = true
	for id, s := range r.waiting {
		s.timer.Stop()
		delete(r.waiting, id)
	}
	r.mu.Unlock()
	r.wait.Wait()
}

// schedule sets a reminder; one of the same name in the conversation is replaced.
// One whose time was past when it was made is left out; a time that has passed
// since is now.
func (r *Reminders) schedule(conversationID string, e *tracker.ReminderScheduled, out channel.Output, made, now time.Time) {
	logger := r.logger.With("conversation_id", conversationID, "reminder", e.Name)
	when, err := tracker.ParseTime(e.DateTime)
	if err != nil {
		logger.Error("reminder has no usable time and is left out", "err", err)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed || len(r.waiting) >= maxReminders {
		logger.Error("reminder is left out: too many are scheduled, or the server is stopping")
		return
	}
	for id, s := range r.waiting {
		if e.Name != "" && s.conversationID == conversationID && s.event.Name == e.Name {
			r.drop(id)
		}
	}
	if isPast(when, made) {
		logger.Warn("reminder is left out: its time was past when it was made", "date_time", e.DateTime)
		return
	}
	r.add(conversationID, e, out, when.Sub(now))
}

// grace is how late the time of a new reminder may be: Rasa 3.6 speaks one that is half a
// second late, and never one of last year.
const grace = time.Second

// isPast reports whether the time of a reminder was past when it was made.
func isPast(when, made time.Time) bool { return when.Before(made.Add(-grace)) }

// add lets a reminder speak after a while. The caller holds the lock.
func (r *Reminders) add(conversationID string, e *tracker.ReminderScheduled, out channel.Output, after time.Duration) {
	id := r.next
	r.next++
	s := &scheduled{conversationID: conversationID, event: e, output: out}
	r.waiting[id] = s
	s.timer = time.AfterFunc(max(0, after), func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		s.due = true
		if r.serving != nil {
			r.fire(id)
		}
	})
}

func (r *Reminders) drop(id int) {
	r.waiting[id].timer.Stop()
	delete(r.waiting, id)
}

// fire lets a reminder speak, unless it was dropped in the meantime. The caller
// holds the mutex.
func (r *Reminders) fire(id int) {
	s, waiting := r.waiting[id]
	if !waiting {
		return
	}
	delete(r.waiting, id)
	p := r.serving
	r.wait.Go(func() {
		if err := p.fire(r.ctx, s.conversationID, s.event, s.output); err != nil {
			r.logger.Error("reminder failed", "conversation_id", s.conversationID, "reminder", s.event.Name, "err", err)
		}
	})
}

// cancel drops the conversation's reminders that match; absent fields match all.
func (r *Reminders) cancel(conversationID string, c *tracker.ReminderCancelled) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for id, s := range r.waiting {
		if s.conversationID == conversationID && matches(s.event, c) {
			r.drop(id)
		}
	}
}

func matches(e *tracker.ReminderScheduled, c *tracker.ReminderCancelled) bool {
	return (c.Name == "" || c.Name == e.Name) &&
		(c.Intent == "" || c.Intent == e.Intent) &&
		(c.Entities == nil || reflect.DeepEqual(c.Entities, e.Entities))
}

// reminderKey is where the message that a reminder causes names it. From it a
// later process knows that the reminder has spoken.
const reminderKey = "reminder"

// fire goes on with a conversation as if the user had expressed the reminder's
// intent, unless the user has spoken since or the reminder no longer counts.
func (p *Processor) fire(ctx context.Context, conversationID string, e *tracker.ReminderScheduled, out channel.Output) error {
	return p.locked(ctx, conversationID, func(ctx context.Context) error {
		t := &turn{Processor: p, output: out}
		var err error
		if t.tracker, err = p.load(ctx, conversationID); err != nil {
			return err
		}
		if err := t.updateSession(ctx, nil); err != nil {
			return err
		}
		if !stillCounts(t.tracker, e) {
			return nil
		}
		entities, err := entityList(e.Entities)
		if err != nil {
			return fmt.Errorf("reminder %q: %w", e.Name, err)
		}
		return t.trigger(ctx, e.Intent, entities, e.Name)
	})
}

// stillCounts reports whether a reminder is among the applied events, and the
// user has not spoken since if that is to kill it.
func stillCounts(t *tracker.Tracker, e *tracker.ReminderScheduled) bool {
	spoken := false
	for _, event := range t.AppliedBackward() {
		switch have := event.(type) {
		case *tracker.UserUttered:
			spoken = spoken || have.HasText
		case *tracker.ReminderScheduled:
			if have.Name == e.Name && have.Intent == e.Intent && have.DateTime == e.DateTime {
				return !spoken || !e.KillOnUserMessage
			}
		}
	}
	return false
}
