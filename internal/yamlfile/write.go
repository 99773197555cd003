package yamlfile

import (
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/loquat-dev/loquat/internal/pystr"
)

// Of makes a node of plain Go values, those that Any gives. Keys of maps are in
// alphabetical order.
func Of(v any) *Node {
	switch v := v.(type) {
	case nil:
		return &Node{Kind: Null}
	case bool:
		return &Node{Kind: Bool, Flag: v}
	case int64:
		return NewInt(v)
	case float64:
		n := &Node{}
		n.setFloat(v)
		return n
	case string:
		return NewString(v)
	case []any:
		n := &Node{Kind: List}
		for _, item := range v {
			n.Items = append(n.Items, Of(item))
		}
		return n
	case map[string]any:
		n := &Node{Kind: Map}
		for _, key := range slices.Sorted(maps.Keys(v)) {
			n.Pairs = append(n.Pairs, Pair{Key: NewString(key), Value: Of(v[key])})
		}
		return n
	}
	return NewString(pystr.Str(v))
}

// YAML writes the node so that Parse reads it back: a map or a list as a block
// whose lines begin with so many spaces, anything else in one line without its end.
func (n *Node) YAML(indent int) string {
	var b strings.Builder
	n.write(&b, indent)
	return b.String()
}

func (n *Node) write(b *strings.Builder, indent int) {
	switch {
	case n.IsNull():
		b.WriteString("null")
	case n.Kind == List && len(n.Items) == 0:
		b.WriteString("[]")
	case n.Kind == Map && len(n.Pairs) == 0:
		b.WriteString("{}")
	case n.Kind == List:
		for _, item := range n.Items {
			b.WriteString(strings.Repeat(" ", indent) + "-")
			if item != nil && item.Kind == Map && len(item.Pairs) > 0 { // its first key behind the dash
				b.WriteString(" " + strings.TrimLeft(item.YAML(indent+2), " "))
				continue
			}
			item.writeAfter(b, indent)
		}
	case n.Kind == Map:
		for _, p := range n.Pairs {
			b.WriteString(strings.Repeat(" ", indent) + Scalar(p.Key.Text) + ":")
			p.Value.writeAfter(b, indent)
		}
	case n.Kind == Bool:
		b.WriteString(strconv.FormatBool(n.Flag))
	case n.Kind == Int:
		b.WriteString(strconv.FormatInt(n.Int(), 10))
	case n.Kind == Float:
		b.WriteString(floatText(n.Float()))
	case n.Kind == Date:
		b.WriteString(n.Text)
	default:
		b.WriteString(Scalar(n.Text))
	}
}

// writeAfter writes a value behind "-" or "key:".
func (n *Node) writeAfter(b *strings.Builder, indent int) {
	if n != nil && (n.Kind == List && len(n.Items) > 0 || n.Kind == Map && len(n.Pairs) > 0) {
		b.WriteString("\n")
		n.write(b, indent+2)
		return
	}
	b.WriteString(" ")
	n.write(b, indent)
	b.WriteString("\n")
}

func floatText(f float64) string {
	switch {
	case math.IsInf(f, 1):
		return ".inf"
	case math.IsInf(f, -1):
		return "-.inf"
	case math.IsNaN(f):
		return ".nan"
	}
	return pystr.Float(f)
}

// plain are strings that nobody takes for anything else: words of letters, with
// signs between them that mean nothing in YAML.
var plain = regexp.MustCompile(`^\p{L}[\p{L}\p{M}\p{N}_/.,;!?()+-]*( [\p{L}\p{N}_/.,;!?()+][\p{L}\p{M}\p{N}_/.,;!?()+-]*)*$`)

// words are plain strings that YAML, or an older YAML, takes for something else.
var words = map[string]bool{"null": true, "true": true, "false": true, "yes": true, "no": true, "on": true, "off": true, "y": true, "n": true}

// Scalar writes a string so that it is read back as that string: as it stands if
// nobody can take it for anything else, otherwise in double quotes.
func Scalar(s string) string {
	if plain.MatchString(s) && !words[strings.ToLower(s)] && Printable(s) {
		return s
	}
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case printable(r):
			b.WriteRune(r)
		default:
			b.WriteString(`\u` + strings.ToUpper(strconv.FormatInt(0x10000+int64(r), 16)[1:]))
		}
	}
	b.WriteByte('"')
	return b.String()
}

// Printable reports whether a file can hold all characters of a string outside of
// quotes.
func Printable(s string) bool {
	for _, r := range s {
		if !printable(r) {
			return false
		}
	}
	return utf8.ValidString(s)
}

// printable leaves out control characters, those that end lines in YAML 1.1, and
// those that are no characters.
func printable(r rune) bool {
	switch {
	case r < ' ', r >= 0x7f && r < 0xa0, r == 0x2028, r == 0x2029, r == 0xfeff, r == 0xfffe, r == 0xffff, r >= 0xd800 && r < 0xe000:
		return false
	}
	return true
}

// File completes a text to the contents of a file. In a file that is ASCII
// throughout, Rasa replaces \uXXXX before it reads anything else; a comment that is
// not ASCII keeps it from that where it would change a text.
func File(text string) []byte {
	if strings.Contains(text, `\u`) && strings.IndexFunc(text, func(r rune) bool { return r >= utf8.RuneSelf }) < 0 {
		text = "# “\\u” is kept as it stands\n" + text
	}
	return []byte(text)
}
