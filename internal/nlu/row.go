package nlu

import (
	"cmp"
	"slices"
)

// AppendRow appends one row of several features, put side by side in the given
// order, to a sparse vector, and returns the vector and how many columns the
// features have together. Dense features become columns like the sparse ones.
// Features with too few rows contribute their columns and nothing else.
func AppendRow(features []Features, row int, index []int32, value []float32) ([]int32, []float32, int) {
	width := 0
	for _, f := range features {
		switch {
		case f.Sparse != nil:
			if row < f.Sparse.Rows() {
				columns, values := f.Sparse.Row(row)
				for i, c := range columns {
					index, value = append(index, int32(width)+c), append(value, values[i])
				}
			}
			width += f.Sparse.Cols
		case len(f.Dense) > 0:
			if row < len(f.Dense) {
				for c, v := range f.Dense[row] {
					if v != 0 {
						index, value = append(index, int32(width+c)), append(value, v)
					}
				}
			}
			width += len(f.Dense[0])
		}
	}
	return index, value, width
}

// Rank sorts intents by falling confidence, equal ones by name, and cuts the
// list to length unless that is 0.
func Rank(intents []Intent, length int) []Intent {
	slices.SortFunc(intents, func(a, b Intent) int {
		return cmp.Or(cmp.Compare(b.Confidence, a.Confidence), cmp.Compare(a.Name, b.Name))
	})
	if length > 0 && len(intents) > length {
		intents = intents[:length]
	}
	return intents
}

// Renormalize makes the confidences of a ranking add up to 1.
func Renormalize(ranking []Intent) {
	sum := 0.0
	for _, r := range ranking {
		sum += r.Confidence
	}
	for i := range ranking {
		ranking[i].Confidence /= sum
	}
}
