package story

import (
	"fmt"
	"hash/fnv"
	"slices"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/tracker"
)

// blockBuilder collects the steps of one story and cuts them into blocks.
type blockBuilder struct {
	name string
	rule bool
	pos  diag.Position

	done  []*Block
	open  []*Block    // blocks that the next event belongs to; several after an or step
	ended []*Block    // blocks that the last step, a checkpoint, ended
	meet  *Checkpoint // where the alternatives of the last step, an or, meet
	ors   int
}

func newBlockBuilder(name string, rule bool, pos diag.Position) *blockBuilder {
	return &blockBuilder{name: name, rule: rule, pos: pos}
}

func (b *blockBuilder) block(start ...Checkpoint) *Block {
	return &Block{Name: b.name, Rule: b.rule, Pos: b.pos, Start: start}
}

// add appends an event to the open block. Behind an or step a new block begins.
func (b *blockBuilder) add(e Event) {
	b.begin()
	for _, open := range b.open {
		open.Events = append(open.Events, e)
	}
}

// begin makes sure that there is an open block: the first of the story, or the
// one that starts where the alternatives of an or step meet.
func (b *blockBuilder) begin() {
	switch {
	case b.meet != nil:
		b.open = []*Block{b.block(*b.meet)}
	case len(b.open) == 0:
		b.open = []*Block{b.block(Checkpoint{Name: Start, Pos: b.pos})}
	}
	b.meet, b.ended = nil, nil
}

// or gives each alternative its own copy of the open block.
func (b *blockBuilder) or(alternatives [][]Event, pos diag.Position) {
	b.begin()
	b.ors++
	end := Checkpoint{Name: b.generatedName(), Pos: pos}
	var open []*Block
	for _, events := range alternatives {
		for _, before := range b.open {
			copied := *before
			copied.Events = slices.Concat(before.Events, events)
			open = append(open, &copied)
		}
	}
	b.open = open
	for _, o := range open {
		closed := *o
		closed.End = []Checkpoint{end}
		b.done = append(b.done, &closed)
	}
	b.meet = &end
}

// generatedName makes a checkpoint's name from where the or step stands, so that
// the same project always gives the same names.
func (b *blockBuilder) generatedName() string {
	h := fnv.New32a()
	fmt.Fprintf(h, "%s\x00%s\x00%d", b.pos, b.name, b.ors)
	return fmt.Sprintf("%s%08x", orPrefix, h.Sum32())
}

// checkpoint ends the open block, or adds a start to a story that has no steps
// yet. It reports whether it ended a block.
func (b *blockBuilder) checkpoint(c Checkpoint) (ended bool) {
	end := Checkpoint{Name: c.Name, Pos: c.Pos}
	switch {
	case b.ended != nil: // the second of two checkpoints in a row
		for _, e := range b.ended {
			e.End = append(e.End, end)
		}
		b.open[0].Start = append(b.open[0].Start, end)
		return true
	case len(b.open) == 0:
		b.open = []*Block{b.block(c)}
		return false
	case len(b.open[0].Events) == 0:
		b.open[0].Start = append(b.open[0].Start, c)
		return false
	}
	for _, o := range b.open {
		o.End = []Checkpoint{end}
	}
	b.ended, b.meet = b.open, nil
	b.done = append(b.done, b.open...)
	b.open = []*Block{b.block(end)}
	return true
}

// finish returns all blocks. What was opened behind a checkpoint and stayed empty
// is dropped.
func (b *blockBuilder) finish() []*Block {
	for _, o := range b.open {
		if len(o.Events) > 0 {
			b.done = append(b.done, o)
		}
	}
	return b.done
}

// userEvent makes the event of a user turn.
func userEvent(text string, hasText bool, intent, fullIntent string, entities []tracker.Entity) *tracker.UserUttered {
	e := &tracker.UserUttered{Text: text, HasText: hasText, Intent: intent, Entities: entities}
	if intent != "" {
		e.Confidence = 1
	}
	if fullIntent != intent {
		e.ParseData = tracker.ParseData{"intent": map[string]any{
			"name": intent, "confidence": 1.0, "full_retrieval_intent_name": fullIntent,
		}}
	}
	return e
}
