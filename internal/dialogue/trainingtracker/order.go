package trainingtracker

import "github.com/loquat-dev/loquat/internal/story"

// order sorts blocks so that those leading to a checkpoint come before those
// starting at it, and otherwise as they stand in the files. A cycle is entered at
// its first block; trackers that come round again wait for another pass.
func order(blocks []*story.Block) []*story.Block {
	type checkpoint struct {
		producers int   // blocks ending here that are not placed yet
		consumers []int // blocks starting here
	}
	checkpoints := map[string]*checkpoint{}
	at := func(name string) *checkpoint {
		c := checkpoints[name]
		if c == nil {
			c = &checkpoint{}
			checkpoints[name] = c
		}
		return c
	}
	waiting := make([]int, len(blocks)) // for how many checkpoints a block waits
	for i, b := range blocks {
		for _, c := range b.End {
			at(c.Name).producers++
		}
		for _, c := range b.Start {
			at(c.Name).consumers = append(at(c.Name).consumers, i)
		}
	}
	for _, c := range checkpoints {
		for _, i := range c.consumers {
			if c.producers > 0 {
				waiting[i]++
			}
		}
	}
	placed := make([]bool, len(blocks))
	out := make([]*story.Block, 0, len(blocks))
	reached := map[string]bool{story.Start: true}
	place := func(i int) (earliest int) {
		placed[i] = true
		out = append(out, blocks[i])
		earliest = len(blocks)
		for _, c := range blocks[i].End {
			reached[c.Name] = true
			if at(c.Name).producers--; at(c.Name).producers > 0 {
				continue
			}
			for _, consumer := range at(c.Name).consumers {
				waiting[consumer]--
				if waiting[consumer] == 0 && !placed[consumer] {
					earliest = min(earliest, consumer)
				}
			}
		}
		return earliest
	}
	for next := 0; len(out) < len(blocks); {
		for next < len(blocks) && (placed[next] || waiting[next] > 0) {
			next++
		}
		if next == len(blocks) {
			next = entry(blocks, placed, reached)
		}
		next = min(next+1, place(next))
	}
	return out
}

// entry picks the block where a cycle begins: the first that something leads to.
func entry(blocks []*story.Block, placed []bool, reached map[string]bool) int {
	first := -1
	for i, b := range blocks {
		if placed[i] {
			continue
		}
		if first < 0 {
			first = i
		}
		for _, c := range b.Start {
			if reached[c.Name] {
				return i
			}
		}
	}
	return first
}
