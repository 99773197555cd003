package storygraph

import (
	"cmp"
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
func (d *draft) merge(maxHistory int) {
	depth := min(maxHistory, wholePath)
	if maxHistory <= 1 {
		depth = wholePath
	}
	same := map[string][]int{}
	for i, label := range d.labels {
		if i != startNode && i != endNode {
			same[label] = append(same[label], i)
		}
	}
	for changed := true; changed; {
		changed = false
		for i := range d.labels {
			if d.gone[i] || i == startNode || i == endNode {
				continue
			}
			for _, j := range same[d.labels[i]] {
				if j > i && !d.gone[j] && d.equivalent(i, j, depth) {
					d.join(i, j)
					changed = true
				}
			}
		}
		for label, nodes := range same {
			same[label] = slices.DeleteFunc(nodes, func(i int) bool { return d.gone[i] })
		}
	}
}

// wholePath is how many actions count as all: circles have no end.
const wholePath = 32

func (d *draft) equivalent(i, j, depth int) bool {
	return d.leadsOnlyTo(i, j) || d.leadsOnlyTo(j, i) ||
		sameLinks(d.in[i], d.in[j], func(l link) link { return link{from: l.from, message: l.message} }, nil) ||
		sameLinks(d.out[i], d.out[j], func(l link) link { return link{to: l.to, message: l.message} }, isLoop) ||
		d.sameFuture(i, j, depth)
}

func isLoop(l link) bool { return l.from == l.to }

func (d *draft) leadsOnlyTo(from, to int) bool {
	found := false
	for _, l := range d.out[from] {
		switch l.to {
		case to:
			found = true
		case from:
		default:
			return false
		}
	}
	return found
}

// sameLinks compares links as sets, by what key leaves of them and without those
// that are to be skipped.
func sameLinks(a, b []link, key func(link) link, skip func(link) bool) bool {
	set := func(links []link) []link {
		var out []link
		for _, l := range links {
			if skip == nil || !skip(l) {
				out = append(out, key(l))
			}
		}
		slices.SortFunc(out, func(x, y link) int {
			return cmp.Or(x.from-y.from, x.to-y.to, cmp.Compare(x.message.intent, y.message.intent), cmp.Compare(x.message.text, y.message.text))
		})
		return slices.Compact(out)
	}
	return slices.Equal(set(a), set(b))
}

// maxFutures bounds how many ways on are told apart. Nodes with more count as
// different.
const maxFutures = 1 << 9

func (d *draft) sameFuture(i, j, depth int) bool {
	a, b := d.future(i, depth), d.future(j, depth)
	return a != nil && slices.Equal(a, b)
}

// future gives the futures of a node, nil for too many, and keeps them until nodes
// are joined.
func (d *draft) future(node, depth int) []uint64 {
	known, ok := d.known[node]
	if !ok {
		known = d.futures(node, depth)
		d.known[node] = known
	}
	return known
}

var seed = maphash.MakeSeed() // tells sequences apart; nothing else depends on it

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
			if len(d.out[s.node]) == 0 {
				ended = append(ended, s.path)
			}
			for _, l := range d.out[s.node] {
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
func (d *draft) join(i, j int) {
	d.gone[j] = true
	clear(d.known)
	moved := func(node int) int {
		if node == j {
			return i
		}
		return node
	}
	links := slices.Concat(d.out[j], d.in[j])
	for _, l := range links {
		same := func(other link) bool { return other == l }
		d.out[l.from] = slices.DeleteFunc(d.out[l.from], same)
		d.in[l.to] = slices.DeleteFunc(d.in[l.to], same)
	}
	for _, l := range links {
		d.link(link{moved(l.from), moved(l.to), l.message})
	}
}
