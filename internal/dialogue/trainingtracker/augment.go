package trainingtracker

import (
	"math/bits"

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
		j := g.random.below(uint32(i + 1))
		out[i], out[j] = out[j], out[i]
	}
	return out[:min(n, len(out))]
}

// random is the Mersenne Twister MT19937 (Matsumoto, Nishimura 1998), seeded and
// read as Python's random module does, so that the same stories are concatenated
// as in Rasa.
type random struct {
	state [624]uint32
	at    int
}

func newRandom(seed uint32) *random {
	r := &random{at: 624}
	s := &r.state
	s[0] = 19650218
	for i := 1; i < 624; i++ {
		s[i] = 1812433253*(s[i-1]^s[i-1]>>30) + uint32(i)
	}
	i := 1
	for range 624 {
		s[i] = (s[i] ^ (s[i-1]^s[i-1]>>30)*1664525) + seed
		if i++; i == 624 {
			s[0], i = s[623], 1
		}
	}
	for range 623 {
		s[i] = (s[i] ^ (s[i-1]^s[i-1]>>30)*1566083941) - uint32(i)
		if i++; i == 624 {
			s[0], i = s[623], 1
		}
	}
	s[0] = 1 << 31
	return r
}

func (r *random) uint32() uint32 {
	if r.at == 624 {
		r.at = 0
		s := &r.state
		for i := range s {
			y := s[i]&(1<<31) | s[(i+1)%624]&(1<<31-1)
			s[i] = s[(i+397)%624] ^ y>>1 ^ (y&1)*0x9908b0df
		}
	}
	y := r.state[r.at]
	r.at++
	y ^= y >> 11
	y ^= y << 7 & 0x9d2c5680
	y ^= y << 15 & 0xefc60000
	return y ^ y>>18
}

// below returns a number from 0 to n-1.
func (r *random) below(n uint32) uint32 {
	shift := 32 - bits.Len32(n)
	for {
		if v := r.uint32() >> shift; v < n {
			return v
		}
	}
}
