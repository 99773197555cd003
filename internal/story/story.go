// Package story reads stories and rules and keeps them as blocks of steps that
// hang together by checkpoints.
package story

import (
	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/tracker"
)

// Start is the checkpoint that every block without one begins at.
const Start = "STORY_START"

// Graph is all blocks of a project, in path order.
type Graph struct {
	Blocks []*Block
}

// Block is one story or rule, or the part of one between checkpoints.
type Block struct {
	Name   string
	Rule   bool
	Start  []Checkpoint
	End    []Checkpoint
	Events []Event
	Pos    diag.Position
}

// Checkpoint joins the end of one block to the start of another.
type Checkpoint struct {
	Name string
	// Conditions are slot values that must hold where a block starts.
	Conditions []map[string]any
	Pos        diag.Position
}

// Event is one step of a block as an event, or several alternatives of which
// each gives a branch.
type Event struct {
	tracker.Event
	Or  []tracker.Event // alternatives of an or step; nil otherwise
	Pos diag.Position
}
