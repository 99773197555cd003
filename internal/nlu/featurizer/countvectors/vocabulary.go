package countvectors

import (
	"errors"
	"slices"
	"strings"
)

// counter counts n-grams over the texts of an attribute.
type counter struct {
	index map[string]int
	seen  []gramCount
	texts int
}

type gramCount struct {
	gram     string
	total    int // how often it occurs
	texts    int // in how many texts
	lastText int // the number of the last of these
}

func newCounter() *counter { return &counter{index: map[string]int{}} }

func (c *counter) add(gram []byte) {
	i, ok := c.index[string(gram)]
	if !ok {
		i = len(c.seen)
		s := string(gram)
		c.index[s] = i
		c.seen = append(c.seen, gramCount{gram: s, lastText: -1})
	}
	g := &c.seen[i]
	g.total++
	if g.lastText != c.texts {
		g.lastText = c.texts
		g.texts++
	}
}

func (c *counter) endOfText() { c.texts++ }

var errNothingLeft = errors.New("no n-grams remain; use a lower min_df or a higher max_df")

// vocabulary numbers the n-grams that are frequent enough, in the order of their
// code points. Of equally frequent ones, max_features keeps the first.
func (c *counter) vocabulary(minDF, maxDF frequency, maxFeatures *int) (map[string]int32, error) {
	lowest, highest := minDF.of(c.texts), maxDF.of(c.texts)
	if highest < lowest {
		return nil, errors.New("max_df means fewer texts than min_df")
	}
	var kept []gramCount
	for _, g := range c.seen {
		if n := float64(g.texts); lowest <= n && n <= highest {
			kept = append(kept, g)
		}
	}
	byGram := func(a, b gramCount) int { return strings.Compare(a.gram, b.gram) }
	slices.SortFunc(kept, byGram)
	if maxFeatures != nil && len(kept) > *maxFeatures {
		slices.SortStableFunc(kept, func(a, b gramCount) int { return b.total - a.total })
		kept = kept[:*maxFeatures]
		slices.SortFunc(kept, byGram)
	}
	if len(kept) == 0 {
		return nil, errNothingLeft
	}
	v := make(map[string]int32, len(kept))
	for i, g := range kept {
		v[g.gram] = int32(i)
	}
	return v, nil
}

// extend returns a vocabulary with all entries of old at their places, followed
// by those that fresh has in addition.
func extend(old, fresh map[string]int32) map[string]int32 {
	v := make(map[string]int32, len(old))
	for gram, i := range old {
		v[gram] = i
	}
	var added []string
	for gram := range fresh {
		if _, ok := old[gram]; !ok {
			added = append(added, gram)
		}
	}
	slices.Sort(added)
	for _, gram := range added {
		v[gram] = int32(len(v))
	}
	return v
}
