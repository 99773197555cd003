// Package plot draws the pictures of an evaluation: confusion matrices,
// histograms of confidences, and curves that compare configurations.
//
// A picture is described once and written twice: as SVG, where text stays text and
// every script is shown, and as PNG, whose letters come from a font inside of the
// program. That font has Latin, Greek and Cyrillic letters; a label that it can't
// show appears as a number in the PNG, with a note that says so.
package plot

import (
	"image/color"
	"math"
)

// Picture is a drawing. Coordinates are pixels from the upper left corner.
type Picture struct {
	Width, Height float64
	shapes        []shape
	// numbered is set when the PNG shows a number instead of a label.
	numbered bool
}

// shape is a filled polygon or a text.
type shape struct {
	points []point // of the polygon; none for a text
	fill   color.RGBA
	text   *text
	title  string // what the SVG says about the shape when pointed at
}

type point struct{ x, y float64 }

// text is a line of letters.
type text struct {
	at     point // the anchor on the base line
	size   float64
	bold   bool
	anchor anchor
	up     bool // turned to be read from below to above
	s      string
	plain  string // what the PNG shows; s if its font has all letters
}

// anchor says which end of a text its position is.
type anchor int

const (
	start anchor = iota
	middle
	end
)

var (
	black = color.RGBA{0x22, 0x22, 0x22, 0xff}
	grey  = color.RGBA{0x77, 0x77, 0x77, 0xff}
	faint = color.RGBA{0xe4, 0xe4, 0xe4, 0xff}
	white = color.RGBA{0xff, 0xff, 0xff, 0xff}
)

func (p *Picture) rect(x, y, w, h float64, fill color.RGBA) *shape {
	p.shapes = append(p.shapes, shape{points: []point{{x, y}, {x + w, y}, {x + w, y + h}, {x, y + h}}, fill: fill})
	return &p.shapes[len(p.shapes)-1]
}

// line draws a straight line of a width.
func (p *Picture) line(a, b point, width float64, c color.RGBA) {
	dx, dy := b.x-a.x, b.y-a.y
	length := math.Hypot(dx, dy)
	if length == 0 {
		return
	}
	nx, ny := -dy/length*width/2, dx/length*width/2
	p.shapes = append(p.shapes, shape{fill: c, points: []point{{a.x + nx, a.y + ny}, {b.x + nx, b.y + ny}, {b.x - nx, b.y - ny}, {a.x - nx, a.y - ny}}})
}

func (p *Picture) polygon(points []point, c color.RGBA) {
	p.shapes = append(p.shapes, shape{points: points, fill: c})
}

// write puts words of the program's own on the picture.
func (p *Picture) write(s string, at point, size float64, a anchor, c color.RGBA) *text {
	t := &text{at: at, size: size, anchor: a, s: s, plain: s}
	p.shapes = append(p.shapes, shape{text: t, fill: c})
	return t
}

// label puts a user's label on the picture, no wider than a limit. number stands
// for it in the PNG if its font lacks the letters.
func (p *Picture) label(s, number string, limit float64, at point, size float64, a anchor) *text {
	short := shorten(s, size, limit)
	t := p.write(short, at, size, a, black)
	if short != s {
		p.shapes[len(p.shapes)-1].title = s
	}
	if !drawable(s) {
		t.plain, p.numbered = number, true
	}
	return t
}

// note explains numbered labels at the lower edge.
func (p *Picture) note() {
	if !p.numbered {
		return
	}
	p.Height += 24
	t := p.write("", point{12, p.Height - 10}, 11, start, grey)
	t.plain = "Labels in scripts that this picture has no letters for are numbered; the SVG file shows them."
}
