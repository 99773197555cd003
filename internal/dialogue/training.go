package dialogue

import (
	"slices"
	"sync/atomic"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/domain"
	"github.com/loquat-dev/loquat/internal/tracker"
)

// Label is an action of a training tracker and what came before it.
type Label struct {
	Action string // name, or text of an end-to-end action
	Event  *tracker.ActionExecuted
	States []State // all states up to the one before the action
}

// Labels gives the actions that can be learned from a training tracker. The
// states of the labels share memory.
func (e *Encoder) Labels(t *TrainingTracker, view View) []Label {
	states := e.States(t.AppliedEvents(), view)
	var labels []Label
	i := 0
	for _, event := range t.AppliedEvents() {
		a, ok := event.(*tracker.ActionExecuted)
		if !ok {
			continue
		}
		if i++; t.Unpredictable[a] {
			continue
		}
		name := a.Name
		if name == "" {
			name = a.ActionText
		}
		labels = append(labels, Label{Action: name, Event: a, States: states[:i]})
	}
	return labels
}

// Position tells where an event of a training tracker is written, or where the
// story begins if nobody wrote it.
func (t *TrainingTracker) Position(event tracker.Event) diag.Position {
	for _, b := range slices.Backward(t.Blocks) {
		for _, e := range b.Events {
			if e.Event == event {
				return e.Pos
			}
		}
	}
	if len(t.Blocks) == 0 {
		return diag.Position{}
	}
	return t.Blocks[0].Pos
}

// EncoderCache keeps the encoder of the last domain. The zero value is ready; it
// is safe for concurrent use.
type EncoderCache struct {
	last atomic.Pointer[struct {
		domain  *domain.Domain
		encoder *Encoder
	}]
}

// For returns the encoder of a domain.
func (c *EncoderCache) For(d *domain.Domain) *Encoder {
	if last := c.last.Load(); last != nil && last.domain == d {
		return last.encoder
	}
	e := NewEncoder(d)
	c.last.Store(&struct {
		domain  *domain.Domain
		encoder *Encoder
	}{d, e})
	return e
}

// Confidence returns the confidence of the latest message's intent, or 1 if there
// is none.
func Confidence(t *tracker.Tracker) float64 {
	if m := t.LatestMessage(); m != nil && m.Intent != "" {
		return m.Confidence
	}
	return 1
}
