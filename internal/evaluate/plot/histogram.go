package plot

import (
	"fmt"
	"image/color"
	"math"
	"strconv"
)

// bins is how many classes of confidence a histogram has.
const bins = 25

var (
	teal = color.RGBA{0x00, 0x92, 0x92, 0xff}
	red  = color.RGBA{0x92, 0x00, 0x00, 0xff}
)

// Histogram draws how sure the model was of what it got right, on the left, and
// wrong, on the right. Each side has a scale of its own.
func Histogram(title string, right, wrong []float64) *Picture {
	const (
		side, gap, row   = 360.0, 64.0, 30.0
		left, top        = 40.0, 90.0
		height           = bins * row
		labelOver, below = 12, 48
	)
	p := &Picture{Width: 2*left + 2*side + gap + 20, Height: top + height + below + 30}
	centre := p.Width / 2
	p.write(title, point{centre, 34}, 18, middle, black).bold = true
	for _, s := range []struct {
		name      string
		values    []float64
		from, way float64
		fill      color.RGBA
	}{{"Correct", right, centre - gap/2, -1, teal}, {"Wrong", wrong, centre + gap/2, 1, red}} {
		counts := countBins(s.values)
		p.write(fmt.Sprintf("%s (%d)", s.name, len(s.values)), point{s.from + s.way*side/2, top - labelOver}, 14, middle, black)
		p.frame(min(s.from, s.from+s.way*side), top, side, height)
		axis := niceCeil(maxOf(counts))
		for i := 0; i <= 4; i++ {
			if axis*i%4 != 0 {
				continue // whole numbers alone
			}
			x := math.Round(s.from + s.way*side*float64(i)/4)
			p.rect(x, top+height, 1, 5, grey)
			p.write(strconv.Itoa(axis*i/4), point{x, top + height + 20}, 12, middle, black)
		}
		for i, count := range counts {
			if count == 0 {
				continue
			}
			w := math.Max(1, math.Round(side*float64(count)/float64(axis)))
			y := top + float64(bins-1-i)*row
			p.rect(min(s.from, s.from+s.way*w), y+2, w, row-4, s.fill).title = fmt.Sprintf("%.2f to %.2f: %d", float64(i)/bins, float64(i+1)/bins, count)
			p.barCount(count, s.from+s.way*w, s.way, y+row/2+4, w > side-40)
		}
	}
	for i := 0; i <= bins; i++ {
		if i%5 == 0 {
			p.write(fmt.Sprintf("%.2f", float64(i)/bins), point{centre, top + height - float64(i)*row + 4}, 12, middle, black)
		}
	}
	p.write("Number of samples", point{centre, top + height + below}, 13, middle, black)
	p.write("Confidence", point{20, top + height/2}, 13, middle, black).up = true
	return p
}

// barCount writes the length of a bar beside its end, or inside of a long one.
func (p *Picture) barCount(count int, x, way, y float64, inside bool) {
	c, a := black, start
	if inside {
		c, way = white, -way
	}
	if way < 0 {
		a = end
	}
	p.write(strconv.Itoa(count), point{x + way*5, y}, 11, a, c)
}

// countBins counts confidences from 0 to 1; others belong to the class at the end.
func countBins(values []float64) (counts [bins]int) {
	for _, v := range values {
		if !math.IsNaN(v) {
			counts[min(bins-1, max(0, int(v*bins)))]++
		}
	}
	return counts
}

func maxOf(counts [bins]int) int {
	most := 1
	for _, c := range counts {
		most = max(most, c)
	}
	return most
}

// niceCeil is the next number that makes a good end of an axis of four parts.
func niceCeil(n int) int {
	if n <= 2 {
		return n
	}
	for unit := 1; ; unit *= 10 {
		for _, part := range []int{1, 2, 3, 4, 5, 6, 8} {
			if 4*part*unit >= n {
				return 4 * part * unit
			}
		}
	}
}
