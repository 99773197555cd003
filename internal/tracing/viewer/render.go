package viewer

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
	"golang.org/x/term"
)

// Sizes of the columns.
const (
	wide          = 160 // columns of a terminal that has room for everything
	wideBar       = 24
	narrowBar     = 12
	durationWidth = 9
	maxName       = 64 // columns of the tree and the name
	maxValue      = 64 // characters of an attribute's value
)

// Escape sequences of the terminal.
const (
	reset   = "\x1b[0m"
	bold    = "\x1b[1m"
	dim     = "\x1b[2m"
	red     = "\x1b[31m"
	green   = "\x1b[32m"
	yellow  = "\x1b[33m"
	blue    = "\x1b[34m"
	magenta = "\x1b[35m"
	cyan    = "\x1b[36m"
)

// Detect chooses options for an output: colours and width of a terminal, plain
// text elsewhere. NO_COLOR and TERM=dumb mean plain text too; CLICOLOR_FORCE
// means colours, and COLUMNS the width, for a program that passes the text on to
// a terminal.
func Detect(out io.Writer) Options {
	f, ok := out.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		width, _ := strconv.Atoi(os.Getenv("COLUMNS"))
		force := os.Getenv("CLICOLOR_FORCE")
		return Options{Color: force != "" && force != "0", Width: width}
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		width = 0
	}
	return Options{Color: os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb", Width: width}
}

// Render prints a turn's tree.
func Render(out io.Writer, t Turn, o Options) {
	if len(t.Spans) == 0 {
		return
	}
	r := renderer{options: o, turn: t, said: map[string]string{}, barWidth: wideBar, narrow: o.Width > 0 && o.Width < wide}
	if r.narrow {
		r.barWidth = narrowBar
	}
	for _, s := range t.Spans {
		r.nameWidth = max(r.nameWidth, min(maxName, 2*s.Depth+utf8.RuneCountInString(s.Name)))
	}
	r.header()
	for _, s := range t.Spans {
		r.line(s)
	}
	if t.Lost > 0 {
		fmt.Fprintf(&r.text, "  … and %d spans more\n", t.Lost)
	}
	r.text.WriteByte('\n')
	_, _ = io.WriteString(out, r.text.String())
}

type renderer struct {
	options   Options
	turn      Turn
	narrow    bool
	barWidth  int
	nameWidth int
	said      map[string]string // the values that were printed last
	text      strings.Builder
}

func (r *renderer) paint(color, s string) string {
	if !r.options.Color || s == "" {
		return s
	}
	return color + s + reset
}

// header says whose turn it was, and how long it took.
func (r *renderer) header() {
	root := r.turn.Spans[0]
	what := fmt.Sprintf("trace %d", r.turn.Number)
	if sender := r.turn.attribute("sender_id"); sender != "" {
		what = fmt.Sprintf("turn %d", r.turn.Number) + " · " + clean(sender)
	}
	count := fmt.Sprintf("%d spans", len(r.turn.Spans))
	if len(r.turn.Spans) == 1 {
		count = "1 span"
	}
	fmt.Fprintf(&r.text, "%s  %s  %s  %s\n",
		r.paint(bold, "● "+what),
		r.paint(bold+green, duration(root.Duration)),
		count,
		r.paint(dim, "trace "+root.Context.TraceID().String()))
}

func (r *renderer) line(s Span) {
	rails := tree(s)
	name := clip(escape(s.Name), maxName-utf8.RuneCountInString(rails))
	pad := strings.Repeat(" ", max(0, r.nameWidth-utf8.RuneCountInString(rails)-utf8.RuneCountInString(name)))
	failed := s.Status == codes.Error
	fmt.Fprintf(&r.text, "  %s%s%s  %s %s",
		r.paint(dim, rails), r.paint(nameColor(s, failed), name), pad,
		r.paint(barColor(s, failed), r.bar(s)),
		r.paint(bold, fmt.Sprintf("%*s", durationWidth, duration(s.Duration))))
	r.attributes(s, failed)
	r.text.WriteByte('\n')
}

// tree draws the lines that lead to a span.
func tree(s Span) string {
	if s.Depth == 0 {
		return ""
	}
	var b strings.Builder
	for _, goesOn := range s.rails {
		if goesOn {
			b.WriteString("│ ")
		} else {
			b.WriteString("  ")
		}
	}
	if s.Last {
		b.WriteString("└ ")
	} else {
		b.WriteString("├ ")
	}
	return b.String()
}

// below draws the lines that pass a span's further lines.
func (r *renderer) below(s Span) string {
	var b strings.Builder
	for _, goesOn := range s.rails {
		b.WriteString(map[bool]string{true: "│ ", false: "  "}[goesOn])
	}
	switch {
	case s.Depth == 0:
	case s.Last:
		b.WriteString("  ")
	default:
		b.WriteString("│ ")
	}
	if s.parent {
		b.WriteString("│")
	}
	return b.String()
}

// eighths are the left parts of a cell, from one to eight eighths.
var eighths = []rune("▏▎▍▌▋▊▉█")

// bar shows when the span ran, as a part of the turn.
func (r *renderer) bar(s Span) string {
	root := r.turn.Spans[0]
	whole := root.Duration
	if whole <= 0 {
		whole = 1
	}
	cells := func(d time.Duration) int { // in eighths of a cell
		return int(min(max(float64(d)/float64(whole), 0), 1) * float64(r.barWidth) * 8)
	}
	from, to := cells(s.Start.Sub(root.Start)), cells(s.EndTime().Sub(root.Start))
	first := min(from/8, r.barWidth-1)
	length := max(to-first*8, 1)
	out := strings.Repeat(" ", first) + strings.Repeat("█", length/8)
	if rest := length % 8; rest > 0 {
		out += string(eighths[rest-1])
	}
	return out + strings.Repeat(" ", max(0, r.barWidth-utf8.RuneCountInString(out)))
}

// attributes prints "key=value" after the duration, and goes on below when the
// line is full: under itself in a wide terminal, under the name in a narrow one.
func (r *renderer) attributes(s Span, failed bool) {
	rails := r.below(s)
	indent := 2 + r.nameWidth + 2 + r.barWidth + 1 + durationWidth // columns taken already
	used := indent
	write := func(plain, painted string) {
		width := 2 + utf8.RuneCountInString(plain)
		if r.options.Width > 0 && used > indent && used+width > r.options.Width || r.narrow && used+width > r.options.Width {
			if r.narrow {
				indent = 4 + utf8.RuneCountInString(rails)
			}
			r.text.WriteString("\n  " + r.paint(dim, rails) + strings.Repeat(" ", indent-2-utf8.RuneCountInString(rails)))
			used = indent
		}
		r.text.WriteString("  " + painted)
		used += width
	}
	if failed {
		text := "✗ " + clip(clean(s.Description), maxValue)
		write(text, r.paint(red, text))
	}
	if r.narrow {
		if node := s.attribute("node_name"); node != "" {
			node = clean(node) + " · " + clean(s.attribute("fn_name"))
			write(node, node)
		}
	}
	for _, a := range s.Attributes {
		key := string(a.Key)
		value := a.Value.String()
		if hidden(key, value) || r.narrow && r.repeated(s, key, value) {
			continue
		}
		value = clip(clean(shorten(value)), maxValue)
		write(key+"="+value, r.paint(dim, key+"=")+r.paint(valueColor(key), value))
	}
}

// repeated reports whether a reader can see what an attribute says elsewhere: in
// the name, in a line above, or because it is what one expects.
func (r *renderer) repeated(s Span, key, value string) bool {
	switch key {
	case "node_name", "fn_name":
		return true // printed without their keys
	case "component_class", "lock_store_class", "class_name":
		return strings.Contains(s.Name, value)
	case "is_end_to_end_prediction", "is_no_user_prediction":
		return value == "false"
	case "sender_id", "message_id", "model_id":
	default:
		return false
	}
	said := r.said[key] == value
	r.said[key] = value
	return said
}

// hidden are attributes that say little to a reader who has the tree before
// them. Backends get them all.
func hidden(key, value string) bool {
	for _, prefix := range []string{"url.", "server.", "client.", "user_agent.", "network.", "gen_ai.", "exception."} {
		if strings.HasPrefix(key, prefix) {
			return true
		}
	}
	switch key {
	case "http.request.method", "http.route":
		return true
	case "events", "optional_events", "flows", "utters", "diagnostic_data", "action_metadata":
		return value == "None" || value == "set()" || value == "{}" || value == "null"
	}
	return false
}

// shorten leaves the beginning of an identifier of 32 hexadecimal digits, which
// is enough to see which ones are the same.
func shorten(value string) string {
	if len(value) != 32 || strings.Trim(value, "0123456789abcdef") != "" {
		return value
	}
	return value[:8] + "…"
}

func nameColor(s Span, failed bool) string {
	switch {
	case failed:
		return bold + red
	case s.Kind == trace.SpanKindServer:
		return bold + magenta
	case s.Kind == trace.SpanKindClient, s.Kind == trace.SpanKindProducer:
		return bold + cyan
	case strings.HasPrefix(s.Name, "GraphNode."):
		return blue
	default:
		return ""
	}
}

func barColor(s Span, failed bool) string {
	switch {
	case failed:
		return red
	case s.Kind == trace.SpanKindServer:
		return magenta
	case s.Kind == trace.SpanKindClient:
		return cyan
	case strings.HasPrefix(s.Name, "GraphNode."):
		return blue
	default:
		return green
	}
}

// valueColor lets the values that a reader looks for stand out.
func valueColor(key string) string {
	switch key {
	case "action_name", "intent_name", "component_class", "policy":
		return yellow
	default:
		return ""
	}
}

// duration prints with three digits and a unit.
func duration(d time.Duration) string {
	switch {
	case d < time.Microsecond:
		return fmt.Sprintf("%d ns", d.Nanoseconds())
	case d < time.Millisecond:
		return fmt.Sprintf("%s µs", digits(float64(d)/float64(time.Microsecond)))
	case d < time.Second:
		return fmt.Sprintf("%s ms", digits(float64(d)/float64(time.Millisecond)))
	default:
		return fmt.Sprintf("%s s", digits(d.Seconds()))
	}
}

func digits(v float64) string {
	switch {
	case v < 10:
		return strconv.FormatFloat(v, 'f', 2, 64)
	case v < 100:
		return strconv.FormatFloat(v, 'f', 1, 64)
	default:
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
}

// clean makes a value safe to print: quoted if it is empty or has spaces, and
// with escapes for all that is not a visible character. Names of users and
// actions come from outside and must not be able to steer the terminal.
func clean(s string) string {
	if escape(s) == s && s != "" && !strings.Contains(s, " ") {
		return s
	}
	return strconv.QuoteToGraphic(s)
}

// escape is clean without the quotes.
func escape(s string) string {
	q := strconv.QuoteToGraphic(s)
	return q[1 : len(q)-1]
}

// clip shortens s to n characters.
func clip(s string, n int) string {
	if n = max(n, 1); utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n-1]) + "…"
}
