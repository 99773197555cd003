package storygraph

import (
	"context"
	"embed"
	"fmt"
	"html/template"
	"io"
	"strings"
	"unicode"

	"github.com/loquat-dev/loquat/internal/pystr"
)

//go:embed page.html
var files embed.FS

var page = template.Must(template.ParseFS(files, "page.html"))

// Metrics of the page's text, in pixels. The letters of a monospaced font are
// three fifths as wide as high.
const (
	letter     = 7.2
	lineHeight = 16.0
	padding    = 10.0
	longest    = 34 // letters of a label; the rest is shown on hovering
)

// WritePage writes a graph as an HTML page that needs nothing but itself: no
// script, no address, no font. Texts of the project can't become anything else
// than text. It ends with ctx.
func WritePage(ctx context.Context, w io.Writer, g *Graph, title string) error {
	l, err := newLayered(ctx, g, size)
	if err != nil {
		return err
	}
	if err := l.order(ctx); err != nil {
		return err
	}
	width, height, err := l.place(ctx)
	if err != nil {
		return err
	}
	p := pageData{Title: title, Width: number1(width), Height: number1(height)}
	drawn := map[*vertex]bool{}
	for i, e := range g.Edges {
		path, joins := l.path(i, drawn)
		p.Edges = append(p.Edges, edgeData{From: e.From, To: e.To, Path: path, Back: l.routes[i].back, Joins: joins})
	}
	for i, n := range g.Nodes {
		p.Nodes = append(p.Nodes, node(i, n, l.vertices[i]))
		switch n.Kind {
		case Action:
			p.Actions++
		case User:
			p.Messages++
		}
	}
	if err := page.Execute(w, p); err != nil {
		return fmt.Errorf("write graph: %w", err)
	}
	return nil
}

type pageData struct {
	Title             string
	Width, Height     string
	Nodes             []nodeData
	Edges             []edgeData
	Actions, Messages int
}

type nodeData struct {
	ID         int
	Kind       Kind
	Title      string // all of it
	X, Y, W, H string
	Round      string
	Lines      []lineData
}

type lineData struct {
	Class, X, Y, Text string
}

type edgeData struct {
	From, To int
	Path     string
	Back     bool
	Joins    bool // the line of another edge leads on
}

// size is how large the box of a node has to be.
func size(n Node) (w, h float64) {
	lines := linesOf(n)
	for _, line := range lines {
		w = max(w, float64(columns(line))*letter)
	}
	return w + 2*padding, float64(len(lines))*lineHeight + padding
}

func linesOf(n Node) []string {
	lines := []string{short(n.Label)}
	if n.Example != "" {
		lines = append(lines, short("“"+n.Example+"”"))
	}
	return lines
}

// short is a text in one line that fits into a box.
func short(s string) string {
	s = strings.Join(strings.Fields(visible(s)), " ")
	width := 0
	for i, r := range s {
		if width += columnsOf(r); width > longest {
			return s[:i] + "…"
		}
	}
	return s
}

// visible replaces characters that show nothing, or that turn the direction of
// what follows.
func visible(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return ' '
		}
		if unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, s)
}

// columns is the width of a text in letters.
func columns(s string) int {
	n := 0
	for _, r := range s {
		n += columnsOf(r)
	}
	return n
}

// columnsOf counts letters of East Asia, and pictures, twice.
func columnsOf(r rune) int {
	switch {
	case unicode.Is(unicode.Mn, r):
		return 0
	case r >= 0x1100 && r <= 0x115f, r >= 0x2e80 && r <= 0xa4cf, r >= 0xac00 && r <= 0xd7a3, r >= 0xf900 && r <= 0xfaff,
		r >= 0xfe30 && r <= 0xfe6f, r >= 0xff00 && r <= 0xff60, r >= 0xffe0 && r <= 0xffe6, r >= 0x1f000:
		return 2
	}
	return 1
}

func node(i int, n Node, v *vertex) nodeData {
	d := nodeData{
		ID: i, Kind: n.Kind, Title: visible(n.Label),
		X: number1(v.x - v.width/2), Y: number1(v.y - v.height/2), W: number1(v.width), H: number1(v.height), Round: "4",
	}
	if n.Example != "" {
		d.Title += ": “" + visible(n.Example) + "”"
	}
	if n.Kind != Action {
		d.Round = number1(v.height / 2)
	}
	lines := linesOf(n)
	for k, text := range lines {
		class := "label"
		if k > 0 {
			class = "example"
		}
		y := v.y + (float64(k)-float64(len(lines)-1)/2)*lineHeight
		d.Lines = append(d.Lines, lineData{class, number1(v.x), number1(y), text})
	}
	return d
}

// path draws an edge: curves between columns, straight through them. It ends where
// it joins a line that is drawn already and leads to the same node.
func (l *layered) path(edge int, drawn map[*vertex]bool) (path string, joins bool) {
	r := l.routes[edge]
	if r.via == nil {
		return loop(l.vertices[l.graph.Edges[edge].From]), false
	}
	var b strings.Builder
	for i, v := range r.via {
		first, last := i == 0, i == len(r.via)-1
		y := v.y
		begin, end := v.x-v.width/2, v.edge // of the way through the column
		if first {
			begin = v.x + v.width/2
		}
		if r.back {
			begin, end = v.edge, v.x-v.width/2
			if last {
				end = v.x + v.width/2
			}
			if first || last {
				y += lineGap // apart from the line that leads on
			}
			if first {
				begin = end
			}
		} else if last {
			end = begin
		}
		if first {
			fmt.Fprintf(&b, "M%s %s", number1(begin), number1(y))
		} else {
			before := r.via[i-1]
			fromX, fromY := before.edge, before.y
			if r.back {
				fromX = before.x - before.width/2
				if i == 1 {
					fromY += lineGap
				}
			}
			middle := number1((fromX + begin) / 2)
			fmt.Fprintf(&b, "C%s %s %s %s %s %s", middle, number1(fromY), middle, number1(y), number1(begin), number1(y))
		}
		if drawn[v] {
			return b.String(), true
		}
		drawn[v] = v.node < 0
		if end != begin {
			fmt.Fprintf(&b, "H%s", number1(end))
		}
	}
	return b.String(), false
}

// loop draws an edge from a box to itself: above it.
func loop(v *vertex) string {
	top := v.y - v.height/2
	return fmt.Sprintf("M%s %sC%s %s %s %s %s %s", number1(v.x+12), number1(top), number1(v.x+18), number1(top-16),
		number1(v.x-18), number1(top-16), number1(v.x-12), number1(top))
}

// number1 writes a number with at most one digit behind the point.
func number1(f float64) string {
	return strings.TrimSuffix(pystr.Float(float64(int64(f*10+0.5))/10), ".0")
}
