package plot

import (
	"fmt"
	"image/color"
	"math"
	"slices"
	"strconv"

	"github.com/loquat-dev/loquat/internal/evaluate"
)

// Curve is how one configuration does with more and more examples.
type Curve struct {
	Name string
	X    []float64   // numbers of examples
	Y    [][]float64 // scores between 0 and 1: for each X those of all runs
}

// curveColours tell curves apart, also without seeing all colours (Okabe and Ito,
// 2008).
var curveColours = []color.RGBA{
	{0x00, 0x72, 0xb2, 0xff}, {0xd5, 0x5e, 0x00, 0xff}, {0x00, 0x9e, 0x73, 0xff}, {0xcc, 0x79, 0xa7, 0xff},
	{0xe6, 0x9f, 0x00, 0xff}, {0x56, 0xb4, 0xe9, 0xff}, {0x55, 0x55, 0x55, 0xff},
}

// Curves draws the mean of each curve's runs, and a band of one standard deviation
// on both sides.
func Curves(title, xTitle, yTitle string, curves []Curve) *Picture {
	const width, height, left, top = 720.0, 440.0, 96.0, 60.0
	p := &Picture{Width: left + width + 40, Height: top + height + 80 + 22*float64(len(curves))}
	p.write(title, point{left + width/2, 34}, 18, middle, black).bold = true
	p.write(xTitle, point{left + width/2, top + height + 46}, 13, middle, black)
	p.write(yTitle, point{34, top + height/2}, 13, middle, black).up = true
	most := 1.0
	for _, c := range curves {
		most = max(most, slices.Max(append([]float64{0}, c.X...)))
	}
	axis := float64(niceCeil(int(math.Ceil(most))))
	at := func(x, y float64) point { return point{left + x/axis*width, top + (1-min(1, max(0, y)))*height} }
	for i := 0; i <= 10; i += 2 {
		y := math.Round(at(0, float64(i)/10).y)
		p.rect(left, y, width, 1, faint)
		p.write(fmt.Sprintf("%.1f", float64(i)/10), point{left - 8, y + 4}, 12, end, black)
	}
	for i := 0; i <= 4; i++ {
		x := math.Round(left + width*float64(i)/4)
		p.rect(x, top, 1, height, faint)
		p.write(strconv.FormatFloat(axis*float64(i)/4, 'f', -1, 64), point{x, top + height + 20}, 12, middle, black)
	}
	p.frame(left, top, width, height)
	for i, c := range curves {
		colour := curveColours[i%len(curveColours)]
		p.curve(c, colour, at)
		y := top + height + 76 + 22*float64(i)
		p.line(point{left, y - 4}, point{left + 30, y - 4}, 3, colour)
		p.label(c.Name, fmt.Sprintf("no. %d", i+1), width-40, point{left + 40, y}, 13, start)
	}
	p.note()
	return p
}

// curve draws one curve, whose points are sorted by the number of examples first.
func (p *Picture) curve(c Curve, colour color.RGBA, at func(x, y float64) point) {
	order := make([]int, len(c.X))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return int(c.X[a] - c.X[b]) })
	var middle, band, below []point
	for _, i := range order {
		mean, deviation := evaluate.Mean(c.Y[i])
		middle = append(middle, at(c.X[i], mean))
		band = append(band, at(c.X[i], mean+deviation))
		below = append(below, at(c.X[i], mean-deviation))
	}
	slices.Reverse(below)
	if len(middle) > 1 {
		p.polygon(append(band, below...), translucent(colour))
	}
	for i, m := range middle {
		if i > 0 {
			p.line(middle[i-1], m, 2, colour)
		}
		p.rect(math.Round(m.x)-3, math.Round(m.y)-3, 7, 7, colour)
	}
}

// translucent is a colour that lets what lies below through.
func translucent(c color.RGBA) color.RGBA {
	const a = 0x30
	scale := func(v uint8) uint8 { return uint8(int(v) * a / 0xff) }
	return color.RGBA{scale(c.R), scale(c.G), scale(c.B), a}
}
