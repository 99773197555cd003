package storygraph

import (
	"hash/maphash"
	"slices"
)

// aspect is a way in which nodes can be the same; see merge.
type aspect uint8

const (
	sameIn     aspect = iota // sum of the links that lead to it
	sameOut                  // sum of the links that lead on from it
	sameFuture               // hash of its futures
	leadsTo                  // number of the only node that it leads to
	aspects
)

// trait is a node's value in one aspect. Nodes of one label that share a trait may
// be the same point of a conversation, and others are not.
type trait struct {
	aspect aspect
	label  string
	value  uint64
}

// candidates finds the nodes that may be the same as another without looking at
// all of them.
type candidates struct {
	depth  int
	nodes  map[trait][]int // in rising order
	traits [][aspects]trait
	has    [][aspects]bool

	futures map[int][]uint64 // of nodes, until they are forgotten; nil: too many
	unknown map[string][]int // nodes of a label whose futures are not known, in rising order
}

func newCandidates(d *draft, depth int) *candidates {
	c := &candidates{
		depth: depth, nodes: map[trait][]int{}, traits: make([][aspects]trait, len(d.labels)), has: make([][aspects]bool, len(d.labels)),
		futures: map[int][]uint64{}, unknown: map[string][]int{},
	}
	for i := range d.labels {
		c.update(d, i)
		c.unknown[d.labels[i]] = append(c.unknown[d.labels[i]], i)
	}
	return c
}

// update brings the traits of a node's own links up to date.
func (c *candidates) update(d *draft, i int) {
	if i == startNode || i == endNode {
		return
	}
	target, only := d.onlyTarget(i)
	c.set(i, trait{sameIn, d.labels[i], d.in[i].sum}, !d.gone[i])
	c.set(i, trait{sameOut, d.labels[i], d.out[i].sum}, !d.gone[i])
	c.set(i, trait{leadsTo, d.labels[i], uint64(target)}, !d.gone[i] && only)
	if d.gone[i] {
		c.set(i, trait{aspect: sameFuture}, false)
	}
}

// forget makes the futures of a node unknown.
func (c *candidates) forget(d *draft, i int) {
	if _, known := c.futures[i]; !known {
		return
	}
	c.set(i, trait{aspect: sameFuture}, false)
	delete(c.futures, i)
	unknown := c.unknown[d.labels[i]]
	at, _ := slices.BinarySearch(unknown, i)
	c.unknown[d.labels[i]] = slices.Insert(unknown, at, i)
}

// learn makes the futures of a node known, and tells its trait.
func (c *candidates) learn(d *draft, i int) trait {
	label := d.labels[i]
	if _, known := c.futures[i]; !known {
		unknown := c.unknown[label]
		at, _ := slices.BinarySearch(unknown, i)
		c.unknown[label] = slices.Delete(unknown, at, at+1)
		futures := d.futures(i, c.depth)
		c.futures[i] = futures
		c.set(i, trait{sameFuture, label, hash(futures)}, futures != nil && !d.gone[i])
	}
	return c.traits[i][sameFuture]
}

// set gives a node its trait in one aspect, or none.
func (c *candidates) set(i int, t trait, has bool) {
	old := c.traits[i][t.aspect]
	had := c.has[i][t.aspect]
	if had == has && old == t {
		return
	}
	if had {
		nodes := c.nodes[old]
		at, _ := slices.BinarySearch(nodes, i)
		if c.nodes[old] = slices.Delete(nodes, at, at+1); len(nodes) == 1 {
			delete(c.nodes, old)
		}
	}
	if has {
		at, _ := slices.BinarySearch(c.nodes[t], i)
		c.nodes[t] = slices.Insert(c.nodes[t], at, i)
	}
	c.traits[i][t.aspect], c.has[i][t.aspect] = t, has
}

// next is the first node after another that may be the same as i.
func (c *candidates) next(d *draft, i, after int) (node int, ok bool) {
	label := d.labels[i]
	future := c.learn(d, i)
	offer := func(nodes []int) {
		at, _ := slices.BinarySearch(nodes, after+1)
		if at < len(nodes) && (!ok || nodes[at] < node) {
			node, ok = nodes[at], true
		}
	}
	for aspect := range leadsTo {
		if c.has[i][aspect] {
			offer(c.nodes[c.traits[i][aspect]])
		}
	}
	offer(c.nodes[trait{leadsTo, label, uint64(i)}])
	if target, only := d.onlyTarget(i); only && d.labels[target] == label {
		offer([]int{target})
	}
	if !c.has[i][sameFuture] {
		return node, ok
	}
	for { // futures are costly: only those of nodes that would come first
		unknown := c.unknown[label]
		at, _ := slices.BinarySearch(unknown, after+1)
		if at == len(unknown) || ok && unknown[at] >= node {
			return node, ok
		}
		j := unknown[at]
		if after = j; c.learn(d, j) == future && c.has[j][sameFuture] {
			return j, true
		}
	}
}

func hash(values []uint64) uint64 {
	var h maphash.Hash
	h.SetSeed(seed)
	for _, v := range values {
		maphash.WriteComparable(&h, v)
	}
	return h.Sum64()
}
