package svm

import (
	"maps"
	"slices"
)

// counts are how often each class was right, wanted and given.
type counts struct{ right, wanted, given []float64 }

func countUp(want, got []int, classes int) counts {
	c := counts{make([]float64, classes), make([]float64, classes), make([]float64, classes)}
	for i, k := range want {
		c.wanted[k]++
		c.given[got[i]]++
		if got[i] == k {
			c.right[k]++
		}
	}
	return c
}

// scoring are the functions that C can be chosen by, with scikit-learn's names
// and meanings.
var scoring = map[string]func(counts) float64{
	"accuracy":           func(c counts) float64 { return ratio(sum(c.right), sum(c.wanted)) },
	"balanced_accuracy":  func(c counts) float64 { return c.mean(c.recall, func(k int) bool { return c.wanted[k] > 0 }) },
	"f1_macro":           func(c counts) float64 { return c.mean(c.f1, c.occurs) },
	"f1_micro":           func(c counts) float64 { return ratio(sum(c.right), sum(c.wanted)) },
	"f1_weighted":        func(c counts) float64 { return c.weighted(c.f1) },
	"precision_macro":    func(c counts) float64 { return c.mean(c.precision, c.occurs) },
	"precision_micro":    func(c counts) float64 { return ratio(sum(c.right), sum(c.given)) },
	"precision_weighted": func(c counts) float64 { return c.weighted(c.precision) },
	"recall_macro":       func(c counts) float64 { return c.mean(c.recall, c.occurs) },
	"recall_micro":       func(c counts) float64 { return ratio(sum(c.right), sum(c.wanted)) },
	"recall_weighted":    func(c counts) float64 { return c.weighted(c.recall) },
}

func scoringNames() []string { return slices.Sorted(maps.Keys(scoring)) }

func (c counts) occurs(k int) bool       { return c.wanted[k]+c.given[k] > 0 }
func (c counts) precision(k int) float64 { return ratio(c.right[k], c.given[k]) }
func (c counts) recall(k int) float64    { return ratio(c.right[k], c.wanted[k]) }
func (c counts) f1(k int) float64        { return ratio(2*c.right[k], c.wanted[k]+c.given[k]) }

// mean averages over the classes that count.
func (c counts) mean(of func(int) float64, counting func(int) bool) float64 {
	total, n := 0.0, 0.0
	for k := range c.wanted {
		if counting(k) {
			total += of(k)
			n++
		}
	}
	return ratio(total, n)
}

// weighted averages over the classes by how often they are wanted.
func (c counts) weighted(of func(int) float64) float64 {
	total := 0.0
	for k, n := range c.wanted {
		total += of(k) * n
	}
	return ratio(total, sum(c.wanted))
}

func sum(v []float64) float64 {
	total := 0.0
	for _, x := range v {
		total += x
	}
	return total
}

// ratio is 0 where there is nothing to divide by, as in scikit-learn.
func ratio(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}
