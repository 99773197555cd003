package plot

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"math"

	"golang.org/x/image/font"
	"golang.org/x/image/math/fixed"
	"golang.org/x/image/vector"
	"golang.org/x/text/unicode/norm"
)

// PNG writes the picture as pixels.
func (p *Picture) PNG() ([]byte, error) {
	bounds := image.Rect(0, 0, int(math.Ceil(p.Width)), int(math.Ceil(p.Height)))
	r := &raster{image: image.NewRGBA(bounds), faces: faces{}}
	draw.Draw(r.image, bounds, image.White, image.Point{}, draw.Src)
	for i := range p.shapes {
		if s := &p.shapes[i]; s.text != nil {
			r.text(s.text, s.fill)
		} else {
			r.polygon(s)
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, r.image); err != nil {
		return nil, fmt.Errorf("encode picture: %w", err)
	}
	return b.Bytes(), nil
}

// raster draws shapes into an image.
type raster struct {
	image *image.RGBA
	faces faces
}

func (r *raster) polygon(s *shape) {
	low, high := s.points[0], s.points[0]
	whole := len(s.points) == 4 // a rectangle on whole pixels
	for i, p := range s.points {
		low = point{min(low.x, p.x), min(low.y, p.y)}
		high = point{max(high.x, p.x), max(high.y, p.y)}
		next := s.points[(i+1)%len(s.points)]
		whole = whole && p.x == math.Trunc(p.x) && p.y == math.Trunc(p.y) && (p.x == next.x || p.y == next.y)
	}
	box := image.Rect(int(math.Floor(low.x)), int(math.Floor(low.y)), int(math.Ceil(high.x)), int(math.Ceil(high.y))).Intersect(r.image.Bounds())
	if box.Empty() {
		return
	}
	if whole {
		draw.Draw(r.image, box, image.NewUniform(s.fill), image.Point{}, draw.Over)
		return
	}
	z := vector.NewRasterizer(box.Dx(), box.Dy())
	at := func(p point) (float32, float32) {
		return float32(p.x - float64(box.Min.X)), float32(p.y - float64(box.Min.Y))
	}
	z.MoveTo(at(s.points[0]))
	for _, p := range s.points[1:] {
		z.LineTo(at(p))
	}
	z.ClosePath()
	z.Draw(r.image, box, image.NewUniform(s.fill), image.Point{})
}

func (r *raster) text(t *text, c color.RGBA) {
	if t.plain == "" {
		return
	}
	s := norm.NFC.String(t.plain)
	face := r.faces.of(t.size, t.bold)
	length := font.MeasureString(face, s)
	shift := map[anchor]fixed.Int26_6{start: 0, middle: length / 2, end: length}[t.anchor]
	if !t.up {
		d := font.Drawer{Dst: r.image, Src: image.NewUniform(c), Face: face, Dot: fixed.Point26_6{X: toFixed(t.at.x) - shift, Y: toFixed(t.at.y)}}
		d.DrawString(s)
		return
	}
	// Written into a mask of its own, which is turned by a quarter.
	m := face.Metrics()
	ascent, descent := m.Ascent.Ceil(), m.Descent.Ceil()
	mask := image.NewAlpha(image.Rect(0, 0, length.Ceil()+2, ascent+descent))
	d := font.Drawer{Dst: mask, Src: image.Opaque, Face: face, Dot: fixed.P(0, ascent)}
	d.DrawString(s)
	turned := image.NewAlpha(image.Rect(0, 0, mask.Rect.Dy(), mask.Rect.Dx()))
	for y := range mask.Rect.Dy() {
		for x := range mask.Rect.Dx() {
			turned.SetAlpha(y, mask.Rect.Dx()-1-x, mask.AlphaAt(x, y))
		}
	}
	corner := image.Pt(int(math.Round(t.at.x))-ascent, int(math.Round(t.at.y))+shift.Round()-mask.Rect.Dx())
	draw.DrawMask(r.image, turned.Rect.Add(corner), image.NewUniform(c), image.Point{}, turned, image.Point{}, draw.Over)
}

func toFixed(f float64) fixed.Int26_6 { return fixed.Int26_6(math.Round(f) * 64) }
