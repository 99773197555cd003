package crf

// partSets has the parts that each feature has a weight for, as bits: the parts of a
// token that are worth an update are few, and finding them in the lists of all its
// features would take longer than updating them.
type partSets struct {
	words int // for a set
	sets  []uint64
}

// of is the set of a feature.
func (s *partSets) of(feature int32) []uint64 {
	return s.sets[int(feature)*s.words : (int(feature)+1)*s.words]
}

func (m *Model) partSets() *partSets {
	s := &partSets{words: m.partWords()}
	s.sets = make([]uint64, m.Features()*s.words)
	for j := range m.Features() {
		set := s.of(int32(j))
		for _, p := range m.part[m.start[j]:m.start[j+1]] {
			set[p>>6] |= 1 << (p & 63)
		}
	}
	return s
}

// partWords is how many words a set of parts takes.
func (m *Model) partWords() int { return (m.parts + 63) / 64 }

// lost is a residual that is not worth an update.
const lost = 1e-5

// worth appends a set for each token: the parts with residuals that are worth an
// update.
func (m *Model) worth(residual []float64, to []uint64) []uint64 {
	for ; len(residual) > 0; residual = residual[m.parts:] {
		first := len(to)
		for range m.partWords() {
			to = append(to, 0)
		}
		for p, r := range residual[:m.parts] {
			if r > lost || r < -lost {
				to[first+p>>6] |= 1 << (p & 63)
			}
		}
	}
	return to
}
