// Package story reads stories and rules and keeps them as blocks of events that
// hang together by checkpoints.
//
// A block is one story or rule, or the part of one between two checkpoints; an
// or step splits a story into one block for each alternative, which meet again
// in a generated checkpoint. What the blocks mean for learning is the business
// of package dialogue/trainingtracker.
package story

import (
	"strings"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/tracker"
)

// Start is the checkpoint that every block without one begins at.
const Start = "STORY_START"

// orPrefix begins the names of checkpoints that or steps generate.
const orPrefix = "GENR_OR_"

// Marker is the action that stands for "anything before", or after, in rules.
const Marker = "..."

// Unset is the value of slots, and the name of loops, that a rule wants to be
// unset.
const Unset = "should_not_be_set"

// Graph is all blocks of a project, in path order.
type Graph struct {
	Blocks  []*Block
	Foreign bool // came over a network, from somebody who may mean harm
}

// Block is one story or rule, or the part of one between checkpoints.
type Block struct {
	Name   string
	Rule   bool
	Start  []Checkpoint
	End    []Checkpoint
	Events []Event
	Pos    diag.Position // of the story's name
}

// Checkpoint joins the end of one block to the start of another.
type Checkpoint struct {
	Name string
	// Conditions are slot values that must hold where a block starts.
	Conditions []map[string]any
	Pos        diag.Position
}

// Generated reports whether the checkpoint comes from an or step.
func (c Checkpoint) Generated() bool { return strings.HasPrefix(c.Name, orPrefix) }

// Event is one step of a block as an event.
type Event struct {
	tracker.Event
	Pos diag.Position
}

// EndToEnd reports whether a block has a user text without an intent, or a bot
// text, which only end-to-end training can learn from.
func (g *Graph) EndToEnd() bool { return g.FirstText() != nil }

// FirstText returns the first event that makes a graph end-to-end, or nil.
func (g *Graph) FirstText() *Event {
	for _, b := range g.Blocks {
		for i := range b.Events {
			switch e := b.Events[i].Event.(type) {
			case *tracker.UserUttered:
				if e.HasText && e.Intent == "" {
					return &b.Events[i]
				}
			case *tracker.ActionExecuted:
				if e.ActionText != "" {
					return &b.Events[i]
				}
			}
		}
	}
	return nil
}

// BotText is what the assistant says in a step that is written as a text; "" for
// any other event.
func BotText(e tracker.Event) string {
	if a, ok := e.(*tracker.ActionExecuted); ok && a.Name == "" {
		return a.ActionText
	}
	return ""
}

// Merge appends the blocks of another graph.
func (g *Graph) Merge(other *Graph) {
	if other != nil {
		g.Blocks = append(g.Blocks, other.Blocks...)
	}
}
