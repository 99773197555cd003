package storygraph

import (
	"context"
	"hash/maphash"
	"slices"
)

// merge makes one of nodes that stand for the same point of a conversation, again
// and again until nothing changes. Two nodes do so if they run the same action
// and one of these holds, as seen at Rasa 3.6.21:
//
//   - one leads nowhere but to the other, itself aside;
//   - the same messages lead to both from the same nodes;
//   - the same messages lead from both to the same nodes, themselves aside;
//   - the next maxHistory actions, this one included, are the same on all ways that
//     lead on. With a maxHistory of one, all ways are followed to their end.
//
// Nodes are taken in the order in which stories made them, as there; candidates
// finds the few that are worth a look.
func (d *draft) merge(ctx context.Context, maxHistory int) error {
	depth := min(maxHistory, wholePath)
	if maxHistory <= 1 {
		depth = wholePath
	}
	c := newCandidates(d, depth)
	for changed := true; changed; {
		changed = false
		for i := range d.labels {
			if err := ctx.Err(); err != nil {
				return err
			}
			if d.gone[i] || i == startNode || i == endNode {
				continue
			}
			for j, ok := c.next(d, i, i); ok; j, ok = c.next(d, i, j) {
				if d.equivalent(i, j, c) {
					d.join(i, j, c)
					changed = true
				}
			}
		}
	}
	return nil
}

// wholePath is how many actions count as all: circles have no end.
const wholePath = 32

func (d *draft) equivalent(i, j int, c *candidates) bool {
	return d.leadsOnlyTo(i, j) || d.leadsOnlyTo(j, i) ||
		d.sameBefore(i, j) || d.sameAfter(i, j) ||
		c.futures[i] != nil && slices.Equal(c.futures[i], c.futures[j])
}

// sameBefore reports whether the same messages lead to both from the same nodes.
func (d *draft) sameBefore(i, j int) bool {
	for l := range d.in[i].all {
		if !d.in[j].has(link{l.from, j, l.message}) {
			return false
		}
	}
	return d.in[i].len() == d.in[j].len()
}

// sameAfter reports whether the same messages lead from both to the same nodes,
// loops aside.
func (d *draft) sameAfter(i, j int) bool {
	left := 0
	for l := range d.out[j].all {
		if !isLoop(l) {
			left++
		}
	}
	for l := range d.out[i].all {
		if isLoop(l) {
			continue
		}
		if same := (link{j, l.to, l.message}); isLoop(same) || !d.out[j].has(same) {
			return false
		}
		left--
	}
	return left == 0
}

func (d *draft) leadsOnlyTo(from, to int) bool {
	target, only := d.onlyTarget(from)
	return only && target == to
}

// onlyTarget is the one node that another leads to, itself aside.
func (d *draft) onlyTarget(node int) (target int, only bool) {
	target = node
	for l := range d.out[node].all {
		switch l.to {
		case node, target:
		default:
			if target != node {
				return 0, false
			}
			target = l.to
		}
	}
	return target, target != node
}

// maxFutures bounds how many ways on are told apart. Nodes with more count as
// different.
const maxFutures = 1 << 9

// futures gives a number for each sequence of so many labels that begins at a
// node, sorted, or nil if there are too many.
func (d *draft) futures(node, depth int) []uint64 {
	type state struct {
		node int
		path uint64 // number of the labels on the way
	}
	now := []state{{node, maphash.String(seed, d.labels[node])}}
	var ended []uint64
	for range depth - 1 {
		seen := map[state]bool{}
		var next []state
		for _, s := range now {
			if d.out[s.node].len() == 0 {
				ended = append(ended, s.path)
			}
			for l := range d.out[s.node].all {
				step := state{l.to, maphash.Comparable(seed, [2]any{s.path, d.labels[l.to]})}
				if !seen[step] {
					seen[step] = true
					next = append(next, step)
				}
			}
			if len(next)+len(ended) > maxFutures {
				return nil
			}
		}
		now = next
	}
	for _, s := range now {
		ended = append(ended, s.path)
	}
	slices.Sort(ended)
	return slices.Compact(ended)
}

// join moves all links of j to i.
func (d *draft) join(i, j int, c *candidates) {
	d.gone[j] = true
	moved := func(node int) int {
		if node == j {
			return i
		}
		return node
	}
	old := slices.Concat(slices.Collect(d.out[j].all), slices.Collect(d.in[j].all))
	for _, l := range old {
		d.unlink(l)
	}
	changed := []int{i, j}
	for _, l := range old {
		d.link(link{moved(l.from), moved(l.to), l.message})
		changed = append(changed, l.from, l.to)
	}
	for _, node := range changed {
		c.update(d, node)
	}
	if c.depth <= 2 {
		c.forget(d, i) // who leads to i sees its label, and j had the same
		return
	}
	for node := range c.futures {
		c.forget(d, node)
	}
}
