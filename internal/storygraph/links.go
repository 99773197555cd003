package storygraph

import "hash/maphash"

// link leads from one node of a draft to another. Several with different
// messages may lead the same way.
type link struct {
	from, to int
	message  message
}

// links are links in the order in which they came, each of them once. One is found
// and removed in the same time, however many there are.
type links struct {
	items []link
	gone  []bool
	place map[link]int // of what is not gone
	sum   uint64       // of the ends, see end
}

func (s *links) len() int { return len(s.place) }

// all yields what is there; nothing may be removed meanwhile.
func (s *links) all(yield func(link) bool) {
	for i, l := range s.items {
		if !s.gone[i] && !yield(l) {
			return
		}
	}
}

func (s *links) has(l link) bool { _, ok := s.place[l]; return ok }

// add appends a link that is not there; end is its part in the sum.
func (s *links) add(l link, end uint64) {
	if s.place == nil {
		s.place = map[link]int{}
	}
	s.place[l] = len(s.items)
	s.items, s.gone = append(s.items, l), append(s.gone, false)
	s.sum += end
}

// remove takes out a link that is there.
func (s *links) remove(l link, end uint64) {
	s.gone[s.place[l]] = true
	delete(s.place, l)
	s.sum -= end
	if len(s.items) > 2*len(s.place)+8 {
		s.compact()
	}
}

func (s *links) compact() {
	kept := s.items[:0]
	for i, l := range s.items {
		if !s.gone[i] {
			s.place[l] = len(kept)
			kept = append(kept, l)
		}
	}
	clear(s.items[len(kept):])
	s.items, s.gone = kept, s.gone[:len(kept)]
	clear(s.gone)
}

var seed = maphash.MakeSeed() // tells sets and sequences apart; nothing else depends on it

// end is a number for the node and the message at one end of a link. The sum of
// such numbers is that of a set: equal sets have equal sums.
func end(node int, m message) uint64 { return maphash.Comparable(seed, link{from: node, message: m}) }

// outEnd and inEnd are the parts of a link in the sums of what leads on from a
// node, where loops do not count, and of what leads to one.
func outEnd(l link) uint64 {
	if isLoop(l) {
		return 0
	}
	return end(l.to, l.message)
}

func inEnd(l link) uint64 { return end(l.from, l.message) }

func isLoop(l link) bool { return l.from == l.to }
