package plot

import (
	"fmt"
	"image/color"
	"strconv"
	"strings"
	"unicode/utf8"
)

// SVG writes the picture as a scalable drawing.
func (p *Picture) SVG() []byte {
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%s" height="%s" viewBox="0 0 %[1]s %[2]s" font-family="Go, 'DejaVu Sans', 'Noto Sans', Verdana, sans-serif">`+"\n",
		decimal(p.Width), decimal(p.Height))
	fmt.Fprintf(&b, `<rect width="100%%" height="100%%" fill="#ffffff"/>`+"\n")
	for i := range p.shapes {
		s := &p.shapes[i]
		switch {
		case s.text == nil:
			s.svgPolygon(&b)
		case s.text.s != "":
			s.svgText(&b)
		}
	}
	b.WriteString("</svg>\n")
	return []byte(b.String())
}

func (s *shape) svgPolygon(b *strings.Builder) {
	b.WriteString(`<path d="`)
	for i, p := range s.points {
		command := "L"
		if i == 0 {
			command = "M"
		}
		b.WriteString(command + decimal(p.x) + " " + decimal(p.y))
	}
	fmt.Fprintf(b, `Z" fill="%s"`, hexColour(s.fill))
	if s.fill.A != 0xff {
		fmt.Fprintf(b, ` fill-opacity="%s"`, decimal(float64(s.fill.A)/0xff))
	}
	s.svgEnd(b, "", "path")
}

func (s *shape) svgText(b *strings.Builder) {
	t := s.text
	fmt.Fprintf(b, `<text font-size="%s" fill="%s"`, decimal(t.size), hexColour(s.fill))
	if t.up {
		fmt.Fprintf(b, ` transform="translate(%s %s) rotate(-90)"`, decimal(t.at.x), decimal(t.at.y))
	} else {
		fmt.Fprintf(b, ` x="%s" y="%s"`, decimal(t.at.x), decimal(t.at.y))
	}
	if t.bold {
		b.WriteString(` font-weight="bold"`)
	}
	if t.anchor != start {
		fmt.Fprintf(b, ` text-anchor="%s"`, map[anchor]string{middle: "middle", end: "end"}[t.anchor])
	}
	s.svgEnd(b, escape(t.s), "text")
}

// svgEnd closes an element, with a title to be shown when pointed at.
func (s *shape) svgEnd(b *strings.Builder, contents, element string) {
	if s.title != "" {
		contents = "<title>" + escape(s.title) + "</title>" + contents
	}
	if contents == "" {
		b.WriteString("/>\n")
		return
	}
	fmt.Fprintf(b, ">%s</%s>\n", contents, element)
}

// decimal writes a coordinate, to a hundredth of a pixel.
func decimal(f float64) string {
	s := strconv.FormatFloat(f, 'f', 2, 64)
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
}

func hexColour(c color.RGBA) string {
	if c.A != 0xff && c.A != 0 { // stored with its opacity multiplied in
		scale := func(v uint8) uint8 { return uint8(min(0xff, int(v)*0xff/int(c.A))) }
		c.R, c.G, c.B = scale(c.R), scale(c.G), scale(c.B)
	}
	return fmt.Sprintf("#%02x%02x%02x", c.R, c.G, c.B)
}

// escape makes a text safe within XML; what XML can't hold is left out.
func escape(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r < ' ', r == utf8.RuneError, r == 0xfffe, r == 0xffff:
			return -1
		}
		return r
	}, s)
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;").Replace(s)
}
