package storygraph

import (
	"cmp"
	"context"
	"slices"
)

// vertex is a node of the graph, or a place that a long line passes on its way
// through a column.
type vertex struct {
	node   int // index of the graph's node; -1 for a place on a line
	column int
	row    int     // within its column
	mean   float64 // of the rows of neighbours, see order.go
	width  float64
	height float64
	x, y   float64 // of its centre
	edge   float64 // the x at which its column ends
	left   []*neighbour
	right  []*neighbour
}

// neighbour is a vertex of the next column that a line leads to, and how much the
// line wants to be straight.
type neighbour struct {
	*vertex
	weight float64
}

// layered is a graph in columns from left to right (Sugiyama et al. 1981).
type layered struct {
	graph    *Graph
	vertices []*vertex // of the graph's nodes
	columns  [][]*vertex
	routes   []route // of the graph's edges
}

// route is the way of one edge: the vertices that it passes, from its source to
// its target. A route back leads from right to left; one of a node to itself is
// nil.
type route struct {
	via  []*vertex
	back bool
}

func newLayered(ctx context.Context, g *Graph, size func(Node) (w, h float64)) (*layered, error) {
	l := &layered{graph: g, routes: make([]route, len(g.Edges))}
	back, order := backEdges(g)
	columns := longestPaths(g, back)
	if places(g, columns) > mostPlaces {
		columns, back, order = byDistance(g)
	}
	for i, n := range g.Nodes {
		w, h := size(n)
		l.vertices = append(l.vertices, &vertex{node: i, column: columns[i], width: w, height: h})
	}
	l.columns = make([][]*vertex, slices.Max(columns)+1)
	for _, i := range order { // neighbours in a story begin as neighbours in a column
		l.put(l.vertices[i])
	}
	return l, l.route(ctx, back)
}

func (l *layered) put(v *vertex) {
	v.row = len(l.columns[v.column])
	l.columns[v.column] = append(l.columns[v.column], v)
}

// backEdges finds the edges that close a circle, walking from the start, and
// tells in which order it met the nodes.
func backEdges(g *Graph) (back []bool, order []int) {
	out := make([][]int, len(g.Nodes))
	for i, e := range g.Edges {
		out[e.From] = append(out[e.From], i)
	}
	back = make([]bool, len(g.Edges))
	const open, done = 1, 2
	state := make([]int, len(g.Nodes))
	type step struct{ node, next int }
	for root := range g.Nodes {
		if state[root] != 0 {
			continue
		}
		state[root] = open
		order = append(order, root)
		for stack := []step{{root, 0}}; len(stack) > 0; {
			top := &stack[len(stack)-1]
			if top.next == len(out[top.node]) {
				state[top.node] = done
				stack = stack[:len(stack)-1]
				continue
			}
			edge := out[top.node][top.next]
			top.next++
			switch to := g.Edges[edge].To; state[to] {
			case open:
				back[edge] = true
			case 0:
				state[to] = open
				order = append(order, to)
				stack = append(stack, step{to, 0})
			}
		}
	}
	return back, order
}

// mostPlaces bounds the places that lines pass in columns. Where thousands of
// stories cross, their longest way leads through all of them: there would be a
// column for each step of it, and millions of places.
const mostPlaces = 20_000

// places is how many places lines pass between their ends. Lines to the same node
// share theirs.
func places(g *Graph, columns []int) int {
	forth, back := make([]int, len(g.Nodes)), make([]int, len(g.Nodes))
	for _, e := range g.Edges {
		span := columns[e.To] - columns[e.From]
		forth[e.To] = max(forth[e.To], span-1)
		back[e.To] = max(back[e.To], -span-1)
	}
	total := 0
	for i := range g.Nodes {
		total += forth[i] + back[i]
	}
	return total
}

// byDistance gives nodes columns by their distance from the start, so that there
// are few columns, and more edges lead back. Nodes of one distance that an edge
// connects stand in columns of their own.
func byDistance(g *Graph) (columns []int, back []bool, order []int) {
	near := make([][]int, len(g.Nodes)) // neighbours, whichever way the edge leads
	out := make([][]int, len(g.Nodes))
	for _, e := range g.Edges {
		out[e.From] = append(out[e.From], e.To)
		near[e.From], near[e.To] = append(near[e.From], e.To), append(near[e.To], e.From)
	}
	const unmet = -1
	distance := slices.Repeat([]int{unmet}, len(g.Nodes))
	for root := range g.Nodes {
		if distance[root] != unmet {
			continue
		}
		distance[root] = 0
		order = append(order, root)
		for at := len(order) - 1; at < len(order); at++ {
			for _, to := range out[order[at]] {
				if distance[to] == unmet {
					distance[to] = distance[order[at]] + 1
					order = append(order, to)
				}
			}
		}
	}
	nearest := slices.Clone(order)
	slices.SortStableFunc(nearest, func(a, b int) int { return cmp.Compare(distance[a], distance[b]) })
	columns = slices.Repeat([]int{unmet}, len(g.Nodes))
	first, last, at := 0, unmet, 0 // columns of the distance
	for _, i := range nearest {
		if i == endNode {
			continue
		}
		if distance[i] != at {
			first, at = last+1, distance[i]
		}
		columns[i] = first
		for _, n := range near[i] {
			if n != i && distance[n] == at {
				columns[i] = max(columns[i], columns[n]+1)
			}
		}
		last = max(last, columns[i])
	}
	columns[endNode] = last + 1
	back = make([]bool, len(g.Edges))
	for i, e := range g.Edges {
		back[i] = columns[e.From] >= columns[e.To]
	}
	return columns, back, order
}

// longestPaths gives each node its column: as many edges as the longest way to it
// has. The end of conversations stands in the last column.
func longestPaths(g *Graph, back []bool) []int {
	waiting := make([]int, len(g.Nodes)) // for that many edges
	out := make([][]int, len(g.Nodes))
	for i, e := range g.Edges {
		if !back[i] {
			waiting[e.To]++
			out[e.From] = append(out[e.From], e.To)
		}
	}
	var ready []int
	for i, n := range waiting {
		if n == 0 {
			ready = append(ready, i)
		}
	}
	columns := make([]int, len(g.Nodes))
	for len(ready) > 0 {
		i := ready[0]
		ready = ready[1:]
		for _, to := range out[i] {
			columns[to] = max(columns[to], columns[i]+1)
			if waiting[to]--; waiting[to] == 0 {
				ready = append(ready, to)
			}
		}
	}
	columns[endNode] = max(1, slices.Max(columns))
	return columns
}

// Straight lines matter more the longer they are (Gansner et al. 1993).
const (
	weightShort  = 1
	weightBorder = 2
	weightLong   = 8
)

// route finds the way of each edge. Lines that lead to the same node meet as soon
// as they can, so that many of them become one.
func (l *layered) route(ctx context.Context, back []bool) error {
	type place struct {
		target, column int
		back           bool
	}
	places := map[place]*vertex{}
	joined := map[[2]*vertex]bool{}
	join := func(a, b *vertex) {
		if joined[[2]*vertex{a, b}] {
			return
		}
		joined[[2]*vertex{a, b}] = true
		weight := float64(weightShort)
		switch {
		case a.node < 0 && b.node < 0:
			weight = weightLong
		case a.node < 0 || b.node < 0:
			weight = weightBorder
		}
		a.right = append(a.right, &neighbour{b, weight})
		b.left = append(b.left, &neighbour{a, weight})
	}
	for i, e := range l.graph.Edges {
		if err := ctx.Err(); err != nil {
			return err
		}
		from, to := l.vertices[e.From], l.vertices[e.To]
		if from == to {
			continue
		}
		step := cmp.Compare(to.column, from.column)
		via := []*vertex{from}
		for column := from.column + step; column != to.column; column += step {
			key := place{e.To, column, back[i]}
			if places[key] == nil {
				places[key] = &vertex{node: -1, column: column, height: lineGap}
				l.put(places[key])
			}
			via = append(via, places[key])
		}
		via = append(via, to)
		for k := 1; k < len(via); k++ {
			if step > 0 {
				join(via[k-1], via[k])
			} else {
				join(via[k], via[k-1])
			}
		}
		l.routes[i] = route{via, step < 0}
	}
	return nil
}
