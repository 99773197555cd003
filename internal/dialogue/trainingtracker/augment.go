package trainingtracker

import (
	"github.com/loquat-dev/loquat/internal/dialogue"
	"github.com/loquat-dev/loquat/internal/tracker"
)

// concatenable picks finished trackers at random and takes back their last
// action, the listening, which the next story begins with.
func (g *generator) concatenable() []*dialogue.TrainingTracker {
	var out []*dialogue.TrainingTracker
	for _, t := range g.sample(g.ended, g.AugmentationFactor) {
		c := *t
		c.Tracker = t.Copy()
		c.Augmented = true
		c.Update(&tracker.ActionReverted{})
		out = append(out, &c)
	}
	return out
}

// perBlock is how many trackers a block takes in one round of augmentation: as
// many as Rasa allows, but fewer where there are so many stories that nearly all
// of the result would be thrown away again.
func (g *generator) perBlock() int {
	return max(1, min(10*g.AugmentationFactor, 40*g.AugmentationFactor/len(g.blocks)))
}

// limited keeps at most 10·N augmented trackers, and at most tracker_limit in
// all.
func (g *generator) limited(all []*dialogue.TrainingTracker) []*dialogue.TrainingTracker {
	var plain, augmented []*dialogue.TrainingTracker
	for _, t := range all {
		if t.Augmented {
			augmented = append(augmented, t)
		} else {
			plain = append(plain, t)
		}
	}
	if limit := 10 * g.AugmentationFactor; len(augmented) > limit {
		augmented = g.sample(augmented, limit)
	}
	all = append(plain, augmented...)
	if g.TrackerLimit != nil && !g.rule && len(all) > *g.TrackerLimit {
		all = g.sample(all, max(0, *g.TrackerLimit))
	}
	return all
}

// sample returns up to n trackers in random order.
func (g *generator) sample(trackers []*dialogue.TrainingTracker, n int) []*dialogue.TrainingTracker {
	out := append([]*dialogue.TrainingTracker(nil), trackers...)
	for i := len(out) - 1; i > 0; i-- {
		j := g.random.Below(uint32(i + 1))
		out[i], out[j] = out[j], out[i]
	}
	return out[:min(n, len(out))]
}
