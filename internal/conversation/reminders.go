package conversation

import (
	"context"
	"fmt"
	"reflect"
	"sync"
	"time"

	"github.com/loquat-dev/loquat/internal/channel"
	"github.com/loquat-dev/loquat/internal/tracker"
)

// maxReminders bounds what is scheduled in this process.
const maxReminders = 100_000

// reminders are the scheduled reminders of all conversations. They live in
// memory, as in Rasa, and are gone after a restart.
type reminders struct {
	processor *Processor
	ctx       context.Context // of those that fire; ends with stop
	breakOff  context.CancelFunc

	mu     sync.Mutex
	next   int
	timers map[int]scheduled
	closed bool
	wait   sync.WaitGroup
}

// scheduled is one reminder that waits for its time.
type scheduled struct {
	conversationID string
	event          *tracker.ReminderScheduled
	timer          *time.Timer
}

func (r *reminders) start(p *Processor) {
	r.processor = p
	r.ctx, r.breakOff = context.WithCancel(context.Background())
	r.timers = map[int]scheduled{}
}

// stop drops all reminders, breaks off those that are firing, and waits for them.
func (r *reminders) stop() {
	r.breakOff()
	r.mu.Lock()
	r.closed = true
	for id, s := range r.timers {
		s.timer.Stop()
		delete(r.timers, id)
	}
	r.mu.Unlock()
	r.wait.Wait()
}

// schedule sets a reminder; one of the same name in the conversation is replaced.
func (r *reminders) schedule(conversationID string, e *tracker.ReminderScheduled, out channel.Output) {
	logger := r.processor.Logger.With("conversation_id", conversationID, "reminder", e.Name)
	when, err := tracker.ParseTime(e.DateTime)
	if err != nil {
		logger.Error("reminder has no usable time and is left out", "err", err)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed || len(r.timers) >= maxReminders {
		logger.Error("reminder is left out: too many are scheduled, or the server is stopping")
		return
	}
	for id, s := range r.timers {
		if e.Name != "" && s.conversationID == conversationID && s.event.Name == e.Name {
			s.timer.Stop()
			delete(r.timers, id)
		}
	}
	id := r.next
	r.next++
	r.timers[id] = scheduled{conversationID, e, time.AfterFunc(until(when, r.processor.Now()), func() {
		r.mu.Lock()
		_, waiting := r.timers[id]
		delete(r.timers, id)
		if waiting {
			r.wait.Add(1)
		}
		r.mu.Unlock()
		if !waiting {
			return
		}
		defer r.wait.Done()
		if err := r.processor.fire(r.ctx, conversationID, e, out); err != nil {
			logger.Error("reminder failed", "err", err)
		}
	})}
}

// cancel drops the conversation's reminders that match; absent fields match all.
func (r *reminders) cancel(conversationID string, c *tracker.ReminderCancelled) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for id, s := range r.timers {
		if s.conversationID == conversationID && matches(s.event, c) {
			s.timer.Stop()
			delete(r.timers, id)
		}
	}
}

func matches(e *tracker.ReminderScheduled, c *tracker.ReminderCancelled) bool {
	return (c.Name == "" || c.Name == e.Name) &&
		(c.Intent == "" || c.Intent == e.Intent) &&
		(c.Entities == nil || reflect.DeepEqual(c.Entities, e.Entities))
}

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
		return t.trigger(ctx, e.Intent, entities)
	})
}

// stillCounts reports whether a reminder is among the applied events, and the
// user has not spoken since if that is to kill it.
func stillCounts(t *tracker.Tracker, e *tracker.ReminderScheduled) bool {
	spoken := false
	applied := t.AppliedEvents()
	for i := len(applied) - 1; i >= 0; i-- {
		switch have := applied[i].(type) {
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
