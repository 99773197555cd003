package storygraph

import (
	"cmp"
	"context"
	"slices"
)

// sweeps is how often the columns are ordered anew.
const sweeps = 24

// order arranges the vertices of each column so that few lines cross: each goes
// to the mean of its neighbours in the column before, then in the column behind,
// and so on. The best arrangement is kept.
func (l *layered) order(ctx context.Context) error {
	best, fewest := l.rows(), l.crossings()
	for sweep := 0; sweep < sweeps && fewest > 0; sweep++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		if sweep%2 == 0 {
			for _, column := range l.columns[1:] {
				arrange(column, func(v *vertex) []*neighbour { return v.left })
			}
		} else {
			for _, column := range slices.Backward(l.columns[:len(l.columns)-1]) {
				arrange(column, func(v *vertex) []*neighbour { return v.right })
			}
		}
		if n := l.crossings(); n < fewest {
			best, fewest = l.rows(), n
		}
	}
	for i, column := range best {
		copy(l.columns[i], column)
		number(column)
	}
	return nil
}

func (l *layered) rows() [][]*vertex {
	out := make([][]*vertex, len(l.columns))
	for i, column := range l.columns {
		out[i] = slices.Clone(column)
	}
	return out
}

// arrange sorts a column by the mean rows of neighbours. What has none stays
// beside what it stood behind.
func arrange(column []*vertex, neighbours func(*vertex) []*neighbour) {
	last := -1.0
	for _, v := range column {
		if near := neighbours(v); len(near) > 0 {
			last = 0
			for _, n := range near {
				last += float64(n.row)
			}
			last /= float64(len(near))
		}
		v.mean = last
	}
	slices.SortStableFunc(column, func(a, b *vertex) int { return cmp.Compare(a.mean, b.mean) })
	number(column)
}

func number(column []*vertex) {
	for i, v := range column {
		v.row = i
	}
}

// crossings counts how many pairs of lines cross between columns.
func (l *layered) crossings() int {
	total := 0
	for i, column := range l.columns[:len(l.columns)-1] {
		tree := make([]int, len(l.columns[i+1])+1) // of counts (Fenwick 1994)
		lines := 0
		var rows []int
		for _, v := range column {
			rows = rows[:0]
			for _, n := range v.right {
				rows = append(rows, n.row)
			}
			for _, row := range rows { // lines of earlier vertices that end below
				total += lines
				for k := row + 1; k > 0; k -= k & -k {
					total -= tree[k]
				}
			}
			for _, row := range rows {
				lines++
				for k := row + 1; k < len(tree); k += k & -k {
					tree[k]++
				}
			}
		}
	}
	return total
}
