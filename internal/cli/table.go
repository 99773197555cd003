package cli

import (
	"io"
	"os"
	"strings"
	"unicode"

	"golang.org/x/term"
	"golang.org/x/text/width"
)

// table is a table of text for a terminal. Its first column is aligned to the
// left, and so is the last one if it holds text; numbers are aligned to the right.
type table struct {
	head []string
	rows [][]string
	note bool // the last column holds text
}

const (
	columnGap    = "  "
	narrowest    = 12 // columns that a label keeps on the narrowest terminal
	defaultWidth = 100
)

func (t *table) add(cells ...string) { t.rows = append(t.rows, cells) }

// write prints the table no wider than limit; texts that don't fit end in an
// ellipsis.
func (t *table) write(w io.Writer, limit int) {
	all := append([][]string{t.head}, t.rows...)
	widths := make([]int, len(t.head))
	for _, row := range all {
		for i, cell := range row {
			widths[i] = max(widths[i], displayWidth(cell))
		}
	}
	t.shrink(widths, limit)
	for _, row := range all {
		var line strings.Builder
		for i, cell := range row {
			cell = shortenTo(cell, widths[i])
			padding := strings.Repeat(" ", max(0, widths[i]-displayWidth(cell)))
			line.WriteString(columnGap)
			if t.isText(i) {
				line.WriteString(cell + padding)
			} else {
				line.WriteString(padding + cell)
			}
		}
		_, _ = io.WriteString(w, strings.TrimRight(line.String(), " ")+"\n")
	}
}

func (t *table) isText(column int) bool {
	return column == 0 || t.note && column == len(t.head)-1
}

// shrink takes what exceeds the limit from the note, then from the labels.
func (t *table) shrink(widths []int, limit int) {
	over := -limit
	for _, n := range widths {
		over += n + len(columnGap)
	}
	last := len(widths) - 1
	for _, c := range []struct{ column, least int }{{last, displayWidth(t.head[last])}, {0, narrowest}} {
		if over > 0 && t.isText(c.column) {
			take := max(0, min(over, widths[c.column]-c.least))
			widths[c.column] -= take
			over -= take
		}
	}
}

// terminalWidth is how many columns a stream shows, or a usual number if it is no
// terminal.
func terminalWidth(stream any) int {
	if f, ok := stream.(*os.File); ok {
		if n, _, err := term.GetSize(int(f.Fd())); err == nil && n > 0 {
			return n
		}
	}
	return defaultWidth
}

// displayWidth is how many columns a text takes: two for a wide character of East
// Asia or an emoji, none for a mark that combines.
func displayWidth(s string) int {
	n := 0
	for _, r := range s {
		n += runeWidth(r)
	}
	return n
}

func runeWidth(r rune) int {
	switch {
	case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		return 0
	case r >= 0x1F300 && r <= 0x1FAFF:
		return 2
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	}
	return 1
}

// shortenTo cuts a text to a number of columns.
func shortenTo(s string, columns int) string {
	if displayWidth(s) <= columns {
		return s
	}
	var b strings.Builder
	used := 1 // the ellipsis
	for _, r := range s {
		if used += runeWidth(r); used > columns {
			break
		}
		b.WriteRune(r)
	}
	return b.String() + "…"
}
