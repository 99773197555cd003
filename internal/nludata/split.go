package nludata

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
)

// strata groups the indices of examples by intent, or response key of a retrieval
// intent, in the order of their first example. Each group is shuffled by the seed.
func (d *TrainingData) strata(seed uint64) [][]int {
	index := map[string]int{}
	var out [][]int
	for i := range d.Examples {
		name := d.Examples[i].Label()
		at, ok := index[name]
		if !ok {
			at = len(out)
			index[name] = at
			out = append(out, nil)
		}
		out[at] = append(out[at], i)
	}
	random := rand.New(rand.NewPCG(seed, 0x6e6c75))
	for _, group := range out {
		random.Shuffle(len(group), func(a, b int) { group[a], group[b] = group[b], group[a] })
	}
	return out
}

// Label is the intent as NLU files name it: with its response key.
func (e *Example) Label() string { return cmp.Or(e.IntentResponseKey, e.Intent) }

// Folds deals the examples out into n folds of nearly the same size, each with
// nearly the same share of every intent. It returns the indices of each fold's
// examples, in ascending order. Some folds stay empty if there are less than n
// examples.
func (d *TrainingData) Folds(n int, seed uint64) [][]int {
	folds := make([][]int, n)
	next := 0 // goes on from intent to intent, so that small ones don't fill the first folds
	for _, group := range d.strata(seed) {
		for _, i := range group {
			folds[next] = append(folds[next], i)
			next = (next + 1) % n
		}
	}
	for _, fold := range folds {
		slices.Sort(fold)
	}
	return folds
}

// Split divides the examples into two parts, the first with a fraction of all
// examples and of each intent, the second with the rest. A part of an intent that
// is no whole example goes to the second, but for as many as the fraction of all
// examples wants, from the intents that lack most; the last example of an intent
// stays in the second part (measured with Rasa 3.6.21). Examples are grouped by
// intent and shuffled by the seed. Synonyms, regular expressions, lookup tables
// and responses are in both parts.
func (d *TrainingData) Split(fraction float64, seed uint64) (first, second *TrainingData) {
	groups := d.strata(seed)
	counts := make([]int, len(groups))
	order := make([]int, len(groups))
	lacking := wholeOf(fraction, len(d.Examples))
	for g, group := range groups {
		counts[g] = wholeOf(fraction, len(group))
		lacking -= counts[g]
		order[g] = g
	}
	lack := func(g int) float64 { // rounded, so that equals are equal
		return math.Round((fraction*float64(len(groups[g]))-float64(counts[g]))*1e9) / 1e9
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(lack(b), lack(a)) })
	for _, g := range order {
		if lacking > 0 && counts[g] < len(groups[g])-1 {
			counts[g]++
			lacking--
		}
	}
	var a, b []int
	for g, group := range groups {
		a = append(a, group[:counts[g]]...)
		b = append(b, group[counts[g]:]...)
	}
	return d.With(a), d.With(b)
}

// wholeOf is the whole part of a fraction of n, and n for what is nearly n: 0.29
// of 100 are 29 examples.
func wholeOf(fraction float64, n int) int { return int(fraction*float64(n) + 1e-9) }

// With returns the data with the examples of these indices alone, in this order.
// Everything else is shared.
func (d *TrainingData) With(indices []int) *TrainingData {
	out := *d
	out.Examples = make([]Example, len(indices))
	for i, index := range indices {
		out.Examples[i] = d.Examples[index]
	}
	return &out
}

// Without returns the data without the examples of these indices, which are in
// ascending order.
func (d *TrainingData) Without(indices []int) *TrainingData {
	kept := make([]int, 0, len(d.Examples)-len(indices))
	for i := range d.Examples {
		if _, found := slices.BinarySearch(indices, i); !found {
			kept = append(kept, i)
		}
	}
	return d.With(kept)
}
