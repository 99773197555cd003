package storygraph

import "context"

// Distances in pixels.
const (
	rowGap    = 14.0 // between boxes of a column
	lineGap   = 8.0  // that a line needs in a column
	columnGap = 64.0
	margin    = 24.0
)

// placings is how often the heights of all columns are adjusted to each other.
const placings = 12

// place gives each vertex its coordinates: columns one after the other, and in
// each the heights that keep its order and leave lines as straight as possible.
// It returns the size of the whole.
func (l *layered) place(ctx context.Context) (width, height float64, err error) {
	x := margin
	for _, column := range l.columns {
		widest := 0.0
		for _, v := range column {
			widest = max(widest, v.width)
		}
		for _, v := range column {
			if v.node < 0 {
				v.width = widest
			}
			v.x = x + v.width/2
			v.edge = x + widest
		}
		x += widest + columnGap
		spread(column, func(*vertex) []*neighbour { return nil })
	}
	left := func(v *vertex) []*neighbour { return v.left }
	right := func(v *vertex) []*neighbour { return v.right }
	both := func(v *vertex) []*neighbour { return append(v.left[:len(v.left):len(v.left)], v.right...) }
	for range placings {
		if err := ctx.Err(); err != nil {
			return 0, 0, err
		}
		for _, column := range l.columns[1:] {
			spread(column, left)
		}
		for i := len(l.columns) - 2; i >= 0; i-- {
			spread(l.columns[i], right)
		}
	}
	for _, column := range l.columns {
		spread(column, both)
	}
	top, bottom := l.columns[0][0].y, 0.0
	for _, column := range l.columns {
		for _, v := range column {
			top = min(top, v.y-v.height/2)
		}
	}
	for _, column := range l.columns {
		for _, v := range column {
			v.y += margin - top
			bottom = max(bottom, v.y+v.height/2)
		}
	}
	return x - columnGap + margin, bottom + margin, nil
}

// spread moves the vertices of a column as close as possible, in the sense of
// squares, to the weighted means of their neighbours, and keeps them apart: a
// regression that is isotonic in what is left of the heights once the distances
// are taken off, solved by pooling adjacent violators.
func spread(column []*vertex, neighbours func(*vertex) []*neighbour) {
	type pool struct {
		sum, weight float64
		size        int
	}
	var pools []pool
	offsets := make([]float64, len(column))
	for i, v := range column {
		if i > 0 {
			above := column[i-1]
			offsets[i] = offsets[i-1] + (above.height+v.height)/2 + gap(above, v)
		}
		wish, weight := v.y*0.01, 0.01 // what nothing pulls stays
		for _, n := range neighbours(v) {
			wish += n.y * n.weight
			weight += n.weight
		}
		p := pool{wish - offsets[i]*weight, weight, 1}
		for len(pools) > 0 && pools[len(pools)-1].sum*p.weight >= p.sum*pools[len(pools)-1].weight {
			last := pools[len(pools)-1]
			p = pool{last.sum + p.sum, last.weight + p.weight, last.size + p.size}
			pools = pools[:len(pools)-1]
		}
		pools = append(pools, p)
	}
	i := 0
	for _, p := range pools {
		for range p.size {
			column[i].y = p.sum/p.weight + offsets[i]
			i++
		}
	}
}

// gap is the distance between two vertices of a column: lines may be close to
// each other.
func gap(a, b *vertex) float64 {
	if a.node < 0 && b.node < 0 {
		return 0
	}
	return rowGap
}
