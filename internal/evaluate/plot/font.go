package plot

import (
	"strings"
	"sync"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/text/unicode/norm"
	"golang.org/x/text/width"
)

// fonts are the letters inside of the program, parsed once.
var fonts = sync.OnceValue(func() (f struct{ regular, bold *opentype.Font }) {
	var err error
	if f.regular, err = opentype.Parse(goregular.TTF); err == nil {
		f.bold, err = opentype.Parse(gobold.TTF)
	}
	if err != nil {
		panic("plot: " + err.Error()) // the fonts are part of the program
	}
	return f
})

// faces are fonts at sizes, made when needed. Their Drawer keeps buffers, so that
// a faces serves one goroutine.
type faces map[faceKey]font.Face

type faceKey struct {
	size float64
	bold bool
}

func (f faces) of(size float64, bold bool) font.Face {
	key := faceKey{size, bold}
	if face, ok := f[key]; ok {
		return face
	}
	source := fonts().regular
	if bold {
		source = fonts().bold
	}
	face, err := opentype.NewFace(source, &opentype.FaceOptions{Size: size, DPI: 72, Hinting: font.HintingFull})
	if err != nil {
		panic("plot: " + err.Error()) // not reached: it never fails
	}
	f[key] = face
	return face
}

// drawable reports whether the font has all letters of a text.
func drawable(s string) bool {
	var b sfnt.Buffer
	for _, r := range norm.NFC.String(s) {
		if i, err := fonts().regular.GlyphIndex(&b, r); err != nil || i == 0 {
			return false
		}
	}
	return true
}

// measure is about how wide a text is, in pixels: exact for letters that the font
// has, and an estimate for others, which only the SVG shows.
func measure(s string, size float64) float64 {
	var b sfnt.Buffer
	f := fonts().regular
	sum := 0.0
	for _, r := range norm.NFC.String(s) {
		i, err := f.GlyphIndex(&b, r)
		switch {
		case err == nil && i != 0:
			if a, err := f.GlyphAdvance(&b, i, 1000<<6, font.HintingNone); err == nil {
				sum += float64(a) / 64 / 1000
			}
		case width.LookupRune(r).Kind() == width.EastAsianWide || width.LookupRune(r).Kind() == width.EastAsianFullwidth:
			sum++
		default:
			sum += 0.65
		}
	}
	return sum * size
}

// shorten cuts a text to a width.
func shorten(s string, size, limit float64) string {
	if measure(s, size) <= limit {
		return s
	}
	runes := []rune(s)
	low, high := 0, len(runes) // the longest beginning that fits with an ellipsis
	for low < high {
		mid := (low + high + 1) / 2
		if measure(string(runes[:mid])+"…", size) <= limit {
			low = mid
		} else {
			high = mid - 1
		}
	}
	return strings.TrimRight(string(runes[:low]), " ") + "…"
}
