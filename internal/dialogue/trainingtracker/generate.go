package trainingtracker

import (
	"context"
	"crypto/sha256"
	"fmt"
	"math/big"
	"reflect"
	"slices"
	"strings"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/dialogue"
	"github.com/loquat-dev/loquat/internal/domain"
	"github.com/loquat-dev/loquat/internal/pyrandom"
	"github.com/loquat-dev/loquat/internal/story"
	"github.com/loquat-dev/loquat/internal/tracker"
)

// rounds is how often augmentation appends stories to finished ones.
const rounds = 3

// generator makes the trackers of all rules, or of all stories.
type generator struct {
	Config
	domain        *domain.Domain
	encoder       *dialogue.Encoder
	problems      *diag.List
	unpredictable map[tracker.Event]bool
	rule          bool

	blocks  []*block
	waiting map[string][]*dialogue.TrainingTracker // by checkpoint, in order of arrival

	copies []*dialogue.TrainingTracker // ended by a restart or the like in the middle of a block
	ended  []*dialogue.TrainingTracker // came to the end of a story
	seen   map[[sha256.Size]byte]bool  // state sequences of ended
	random *pyrandom.Source
	walked int // events, see MostEvents
}

// block is a story's block with all its events, and how far its queues are done.
type block struct {
	*story.Block
	events []tracker.Event
	done   map[string]int // by start checkpoint: how many of those waiting it has taken
	visits map[string]int // by start checkpoint: in how many passes it took any
}

func (g *generator) run(ctx context.Context, ordered []*story.Block) ([]*dialogue.TrainingTracker, error) {
	if len(ordered) == 0 {
		return nil, nil
	}
	g.seen = map[[sha256.Size]byte]bool{}
	g.random = pyrandom.New(big.NewInt(42))
	listen := &tracker.ActionExecuted{Name: tracker.ListenAction}
	for _, b := range ordered {
		g.blocks = append(g.blocks, &block{Block: b, events: g.explicit(b, listen)})
	}
	empty := &dialogue.TrainingTracker{Tracker: tracker.New("default", g.domain), Rule: g.rule, Unpredictable: g.unpredictable}
	g.start([]*dialogue.TrainingTracker{empty})
	for progress := true; progress; {
		var err error
		if progress, err = g.pass(ctx, 0); err != nil {
			return nil, err
		}
	}
	loose := g.looseEnds()
	if g.AugmentationFactor > 0 && g.Concatenate {
		for range rounds {
			g.start(g.concatenable())
			if _, err := g.pass(ctx, g.perBlock()); err != nil {
				return nil, err
			}
		}
	}
	return g.limited(slices.Concat(g.copies, loose, g.ended)), nil
}

// explicit adds the events that stories leave out: the listening before each user
// turn and at the end, and the slots that are filled from entities.
func (g *generator) explicit(b *story.Block, listen *tracker.ActionExecuted) []tracker.Event {
	var out []tracker.Event
	addListen := func() {
		if len(out) > 0 {
			if a, ok := out[len(out)-1].(*tracker.ActionExecuted); ok && a.Name == tracker.ListenAction {
				return
			}
		}
		out = append(out, listen)
	}
	for _, e := range b.Events {
		if u, ok := e.Event.(*tracker.UserUttered); ok {
			addListen()
			out = append(out, u)
			out = append(out, slotsFromEntities(g.domain, u.Entities)...)
			continue
		}
		out = append(out, e.Event)
	}
	if len(b.End) == 0 {
		addListen()
	}
	return out
}

// slotsFromEntities gives the slots that a user turn of a story fills.
func slotsFromEntities(d *domain.Domain, entities []tracker.Entity) []tracker.Event {
	if !d.StoreEntitiesAsSlots || len(entities) == 0 {
		return nil
	}
	var out []tracker.Event
	for _, s := range d.Slots {
		var values []any
		for _, m := range s.Mappings {
			if m.Type != domain.FromEntity || len(m.Conditions) > 0 && m.Conditions[0].ActiveLoop != "" {
				continue
			}
			for _, e := range entities {
				if e["entity"] == m.Entity && label(e, "role") == m.Role && label(e, "group") == m.Group {
					values = append(values, e["value"])
				}
			}
		}
		switch {
		case len(values) == 0:
		case s.Type == domain.List:
			out = append(out, &tracker.SlotSet{Name: s.Name, Value: values})
		default:
			out = append(out, &tracker.SlotSet{Name: s.Name, Value: values[len(values)-1]})
		}
	}
	return out
}

func label(e tracker.Entity, name string) string {
	s, _ := e[name].(string)
	return s
}

// start forgets who waits where and lets trackers begin.
func (g *generator) start(trackers []*dialogue.TrainingTracker) {
	g.waiting = map[string][]*dialogue.TrainingTracker{story.Start: trackers}
	for _, b := range g.blocks {
		b.done, b.visits = map[string]int{}, map[string]int{}
	}
}

// pass runs every block once, in order, on the trackers that wait at its start.
// It reports whether a block was reached by one of its starts for the first time,
// or for the first time by trackers that came round a cycle. With a limit, each
// block takes at most that many trackers at random.
func (g *generator) pass(ctx context.Context, limit int) (progress bool, err error) {
	for _, b := range g.blocks {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		var incoming []*dialogue.TrainingTracker
		for _, c := range b.Start {
			from := b.done[c.Name]
			queue := g.waiting[c.Name]
			if len(queue) == from {
				continue
			}
			for _, t := range queue[from:] {
				if meets(t, c.Conditions) {
					incoming = append(incoming, t)
				}
			}
			b.done[c.Name] = len(queue)
			b.visits[c.Name]++
			progress = progress || b.visits[c.Name] <= 2
		}
		if limit > 0 {
			incoming = g.sample(incoming, limit)
		}
		for _, t := range incoming {
			g.walked += t.Len() + len(b.events)
		}
		if g.walked > g.MostEvents {
			return false, g.tooMuch(b, limit > 0)
		}
		incoming = g.unique(incoming)
		for _, t := range incoming {
			g.process(b, t)
		}
	}
	return progress, nil
}

// tooMuch is the problem of paths that have more events than can be walked.
func (g *generator) tooMuch(b *block, augmenting bool) diag.Problem {
	if augmenting {
		return diag.Problem{
			Pos: b.Pos, Code: "too-many-paths", Hint: "choose a lower --augmentation",
			Message: fmt.Sprintf("an augmentation of %d makes paths of more than %d events", g.AugmentationFactor, g.MostEvents),
		}
	}
	return diag.Problem{
		Pos: b.Pos, Code: "too-many-paths", Hint: "put fewer or: steps and checkpoints behind each other: each multiplies the paths",
		Message: fmt.Sprintf("the paths that lead to here have more than %d events", g.MostEvents),
	}
}

// meets reports whether a tracker fulfils a checkpoint's conditions.
func meets(t *dialogue.TrainingTracker, conditions []map[string]any) bool {
	for _, c := range conditions {
		for slot, value := range c {
			if !reflect.DeepEqual(t.Slot(slot), value) {
				return false
			}
		}
	}
	return true
}

// process continues a tracker with the events of a block.
func (g *generator) process(b *block, from *dialogue.TrainingTracker) {
	t := *from
	t.Tracker = from.Copy()
	t.Blocks = append(slices.Clip(from.Blocks), b.Block)
	if from.Name == "" {
		t.Name = b.Name
	} else if !slices.Contains(strings.Split(from.Name, " > "), b.Name) {
		t.Name = from.Name + " > " + b.Name
	}
	for _, e := range b.events {
		switch e.(type) {
		case *tracker.Restarted, *tracker.UserUtteranceReverted, *tracker.ActionReverted:
			before := t
			before.Tracker = t.Copy()
			g.copies = append(g.copies, &before)
		}
		t.Update(e)
	}
	for _, c := range b.End {
		g.waiting[c.Name] = append(g.waiting[c.Name], &t)
	}
	if len(b.End) == 0 && g.isNew(&t) {
		g.ended = append(g.ended, &t)
	}
}

// isNew reports whether no other tracker ended with the same states.
func (g *generator) isNew(t *dialogue.TrainingTracker) bool {
	if !g.RemoveDuplicates {
		return true
	}
	key := g.key(t)
	if g.seen[key] {
		return false
	}
	g.seen[key] = true
	return true
}

// unique keeps one of those trackers that look the same.
func (g *generator) unique(trackers []*dialogue.TrainingTracker) []*dialogue.TrainingTracker {
	if !g.RemoveDuplicates || len(trackers) < 2 {
		return trackers
	}
	seen := make(map[[sha256.Size]byte]bool, len(trackers))
	return slices.DeleteFunc(trackers, func(t *dialogue.TrainingTracker) bool {
		key := g.key(t)
		duplicate := seen[key]
		seen[key] = true
		return duplicate
	})
}

func (g *generator) key(t *dialogue.TrainingTracker) [sha256.Size]byte {
	view := dialogue.View{WithTexts: true}
	if g.UniqueLastNumStates != nil {
		view.Last = *g.UniqueLastNumStates
	}
	return sha256.Sum256(dialogue.AppendStates(nil, g.encoder.States(effective(t.Events()), view)))
}

// effective leaves out what was undone, and keeps the repeated runs of loops that
// AppliedEvents collapses: two ways through a form are two paths.
func effective(events []tracker.Event) []tracker.Event {
	out := make([]tracker.Event, 0, len(events))
	undo := func(match func(tracker.Event) bool) {
		for len(out) > 0 {
			last := out[len(out)-1]
			out = out[:len(out)-1]
			if match(last) {
				return
			}
		}
	}
	isAction := func(e tracker.Event) bool { _, ok := e.(*tracker.ActionExecuted); return ok }
	isUser := func(e tracker.Event) bool { _, ok := e.(*tracker.UserUttered); return ok }
	for _, e := range events {
		switch e.(type) {
		case *tracker.Restarted, *tracker.SessionStarted:
			out = out[:0]
		case *tracker.ActionReverted:
			undo(isAction)
		case *tracker.UserUtteranceReverted:
			undo(isUser)
			undo(isAction)
		default:
			out = append(out, e)
		}
	}
	return out
}

// looseEnds returns the trackers at checkpoints that nothing starts at, and warns
// about them and about blocks that nothing leads to.
func (g *generator) looseEnds() []*dialogue.TrainingTracker {
	starts := map[string]bool{}
	for _, b := range g.blocks {
		for _, c := range b.Start {
			starts[c.Name] = true
		}
	}
	ends := map[string]bool{story.Start: true}
	var loose []*dialogue.TrainingTracker
	for _, b := range g.blocks {
		for _, c := range b.End {
			if !starts[c.Name] && !c.Generated() {
				if !ends[c.Name] {
					loose = append(loose, g.waiting[c.Name]...)
				}
				g.problems.Warnf(c.Pos, "unused-checkpoint", "start another story with - checkpoint: "+c.Name+", or remove it",
					"no story starts at checkpoint %q, at which %q ends", c.Name, b.Name)
			}
			ends[c.Name] = true
		}
	}
	for _, b := range g.blocks {
		for _, c := range b.Start {
			if !ends[c.Name] {
				g.problems.Warnf(c.Pos, "unused-checkpoint", "end another story with - checkpoint: "+c.Name+", or remove it",
					"no story ends at checkpoint %q, at which %q starts", c.Name, b.Name)
			}
		}
	}
	return loose
}
