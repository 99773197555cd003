// Package trainingtracker turns the blocks of stories and rules into the
// conversations that policies learn from: every path through the checkpoints
// once, and for stories also random concatenations of paths (augmentation).
package trainingtracker

import (
	"context"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/dialogue"
	"github.com/loquat-dev/loquat/internal/domain"
	"github.com/loquat-dev/loquat/internal/story"
	"github.com/loquat-dev/loquat/internal/tracker"
)

// Config are the settings of Rasa's node TrainingTrackerProvider.
type Config struct {
	AugmentationFactor  int  `json:"augmentation_factor"`    // N; up to 10·N augmented trackers, 0 for none
	DebugPlots          bool `json:"debug_plots"`            // has no effect: there are no plots
	RemoveDuplicates    bool `json:"remove_duplicates"`      // keep one of paths that look the same to policies
	TrackerLimit        *int `json:"tracker_limit"`          // at most that many trackers of stories
	UniqueLastNumStates *int `json:"unique_last_num_states"` // paths are the same if that many of their last states are
	Concatenate         bool `json:"use_story_concatenation"`

	// MostEvents bounds the events of all paths that are walked, each counted where
	// the path enters a block: a row of or steps multiplies them. 0 means MostEvents,
	// or MostForeignEvents for stories that came over a network.
	MostEvents int `json:"-"`
}

// What is walked at most. A project with 20,000 stories has some 200,000 events; a
// million take about two seconds and half a gigabyte until a policy has learned
// them.
const (
	MostEvents        = 5_000_000
	MostForeignEvents = 1_000_000
)

// Defaults returns the settings that config.yml and the command line start from.
func Defaults() Config {
	return Config{AugmentationFactor: 50, RemoveDuplicates: true, Concatenate: true}
}

// Generate returns the trackers of all rules and then those of all stories. The
// same graph always gives the same trackers in the same order. Checkpoints that
// lead nowhere are warnings on the list of problems. Stories with more paths than
// can be walked are a diag.Problem.
func Generate(ctx context.Context, g *story.Graph, d *domain.Domain, c Config, problems *diag.List) ([]*dialogue.TrainingTracker, error) {
	var rules, stories []*story.Block
	for _, b := range g.Blocks {
		if b.Rule {
			rules = append(rules, b)
		} else {
			stories = append(stories, b)
		}
	}
	if c.MostEvents == 0 {
		c.MostEvents = MostEvents
		if g.Foreign {
			c.MostEvents = MostForeignEvents
		}
	}
	encoder := dialogue.NewEncoder(d)
	unpredictable := unpredictableActions(g.Blocks)
	var all []*dialogue.TrainingTracker
	for _, blocks := range [][]*story.Block{rules, stories} {
		gen := &generator{Config: c, domain: d, encoder: encoder, problems: problems, unpredictable: unpredictable}
		gen.rule = len(blocks) > 0 && blocks[0].Rule
		if gen.rule {
			gen.AugmentationFactor = 0
		}
		trackers, err := gen.run(ctx, order(blocks))
		if err != nil {
			return nil, err
		}
		all = append(all, trackers...)
	}
	return all, nil
}

// unpredictableActions finds the actions that begin a story: nothing leads to
// them, so they are no labels.
func unpredictableActions(blocks []*story.Block) map[tracker.Event]bool {
	found := map[tracker.Event]bool{}
	for _, b := range blocks {
		if !startsAt(b, story.Start) {
			continue
		}
	events:
		for _, e := range b.Events {
			switch e.Event.(type) {
			case *tracker.UserUttered:
				break events
			case *tracker.ActionExecuted:
				found[e.Event] = true
				break events
			}
		}
	}
	return found
}

func startsAt(b *story.Block, checkpoint string) bool {
	for _, c := range b.Start {
		if c.Name == checkpoint {
			return true
		}
	}
	return false
}
