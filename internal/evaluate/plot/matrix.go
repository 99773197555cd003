package plot

import (
	"fmt"
	"image/color"
	"math"
	"strconv"

	"github.com/loquat-dev/loquat/internal/evaluate"
)

// Sizes of a confusion matrix, in pixels.
const (
	widestMatrix = 4800 // of the square, whatever the number of labels
	widestLabel  = 330
	margin       = 24
	titleSpace   = 56
	legendSpace  = 150
)

// cellSize is the width of a cell for a number of labels: wide enough for the
// numbers of few labels and for the names of many.
func cellSize(n int) float64 {
	switch {
	case n <= 8:
		return 72
	case n <= 16:
		return 48
	case n <= 40:
		return 32
	case n <= 80:
		return 22
	default:
		return max(1, min(17, math.Floor(widestMatrix/float64(n))))
	}
}

func labelSize(cell float64) float64 { return max(10, min(14, cell-6)) }

// ConfusionMatrix draws what is taken for what: a row for each label that is, a
// column for each that it is taken for. What is right is blue, what is wrong is
// orange, both the darker the more there is of it, by the logarithm.
func ConfusionMatrix(title string, m *evaluate.Matrix) *Picture {
	n := len(m.Labels)
	cell := cellSize(n)
	size := labelSize(cell)
	names := make([]string, n)
	longest := 0.0
	for i, l := range m.Labels {
		if names[i] = l; l == "" {
			names[i] = "(nothing)"
		}
		longest = max(longest, measure(names[i], size))
	}
	longest = min(math.Ceil(longest), widestLabel) + 8
	side := cell * float64(n)
	left, top := margin+size+10+longest, float64(titleSpace)
	p := &Picture{Width: left + side + legendSpace, Height: top + side + longest + size + 10 + margin}

	p.write(title, point{left + side/2, 34}, 18, middle, black).bold = true
	p.write("True label", point{margin + size/2, top + side/2}, 13, middle, black).up = true
	p.write("Predicted label", point{left + side/2, top + side + longest + size + 10}, 13, middle, black)

	p.cells(m, names, left, top, cell)
	p.frame(left, top, side, side)
	every := int(math.Ceil((size + 1) / cell)) // all labels, unless they would overlap
	for i := 0; i < n; i += every {
		number := fmt.Sprintf("no. %d", i+1)
		middleOf := (float64(i)+0.5)*cell + size*0.36
		p.label(names[i], number, widestLabel, point{left - 6, math.Round(top + middleOf)}, size, end)
		p.label(names[i], number, widestLabel, point{math.Round(left + middleOf), top + side + 6}, size, end).up = true
	}
	p.legend(m, left+side+30, top)
	p.note()
	return p
}

// cells draws a grid, and colours and counts in it.
func (p *Picture) cells(m *evaluate.Matrix, names []string, left, top, cell float64) {
	n := float64(len(m.Labels))
	if cell >= 8 {
		for i := range len(m.Labels) {
			p.rect(left, top+float64(i)*cell, n*cell, 1, faint)
			p.rect(left+float64(i)*cell, top, 1, n*cell, faint)
		}
	}
	most := mostOf(m)
	for i, row := range m.Counts {
		for j, count := range row {
			if count == 0 {
				continue
			}
			x, y := left+float64(j)*cell, top+float64(i)*cell
			share := shade(count, most)
			p.rect(x, y, cell, cell, colourOf(i == j, share)).title = fmt.Sprintf("%s taken for %s: %d", names[i], names[j], count)
			p.count(count, x, y, cell, share)
		}
	}
}

// count writes the number of a cell if it is readable there.
func (p *Picture) count(count int, x, y, cell, share float64) {
	s := strconv.Itoa(count)
	size := math.Floor(min(14, cell*0.62))
	for size >= 8 && measure(s, size) > cell-3 {
		size--
	}
	if size < 8 {
		return
	}
	c := black
	if share > 0.55 {
		c = white
	}
	p.write(s, point{math.Round(x + cell/2), math.Round(y + cell/2 + size*0.36)}, size, middle, c)
}

func mostOf(m *evaluate.Matrix) int {
	most := 1
	for _, row := range m.Counts {
		for _, count := range row {
			most = max(most, count)
		}
	}
	return most
}

// shade is how dark a count is, between 0 and 1, by its logarithm.
func shade(count, most int) float64 {
	if most == 1 {
		return 1
	}
	return math.Log(float64(count)) / math.Log(float64(most))
}

// The ends of the colour scales; even a single example is clearly not white.
var (
	lightRight, darkRight = color.RGBA{0xc9, 0xdd, 0xf0, 0xff}, color.RGBA{0x08, 0x30, 0x6b, 0xff}
	lightWrong, darkWrong = color.RGBA{0xfd, 0xd0, 0xa2, 0xff}, color.RGBA{0x8c, 0x2d, 0x04, 0xff}
)

func colourOf(right bool, share float64) color.RGBA {
	if right {
		return between(lightRight, darkRight, share)
	}
	return between(lightWrong, darkWrong, share)
}

func between(a, b color.RGBA, share float64) color.RGBA {
	mix := func(x, y uint8) uint8 { return uint8(math.Round(float64(x) + (float64(y)-float64(x))*share)) }
	return color.RGBA{mix(a.R, b.R), mix(a.G, b.G), mix(a.B, b.B), 0xff}
}

// legend explains the colours.
func (p *Picture) legend(m *evaluate.Matrix, x, y float64) {
	const steps, height, width = 24, 9, 22
	most := mostOf(m)
	p.write("right", point{x + width/2, y + 10}, 12, middle, black)
	p.write("wrong", point{x + width*1.5 + 16, y + 10}, 12, middle, black)
	y += 20
	for i := range steps {
		share := 1 - float64(i)/(steps-1)
		p.rect(x, y+float64(i)*height, width, height, colourOf(true, share))
		p.rect(x+width+16, y+float64(i)*height, width, height, colourOf(false, share))
	}
	for _, count := range decades(most) {
		at := y + (1-shade(count, most))*(steps-1)*height + height/2
		p.write(strconv.Itoa(count), point{x + 2*width + 24, math.Round(at + 4)}, 11, start, black)
	}
}

// decades are 1, 10, 100 … and the largest count.
func decades(most int) []int {
	var out []int
	for d := 1; d*3 <= most; d *= 10 {
		out = append(out, d)
	}
	return append(out, most)
}

// frame draws the border of a plot.
func (p *Picture) frame(x, y, w, h float64) {
	p.rect(x, y, w, 1, grey)
	p.rect(x, y+h, w+1, 1, grey)
	p.rect(x, y, 1, h, grey)
	p.rect(x+w, y, 1, h, grey)
}
