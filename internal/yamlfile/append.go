package yamlfile

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/loquat-dev/loquat/internal/diag"
)

// ErrCantAppend says that a file can't take something more without losing what a
// person wrote: it is no YAML, or is written in a way that has no room.
var ErrCantAppend = errors.New("can't add to the file")

// Append adds items to a list, or pairs to a map, that stands below a key of the
// top level, and makes the section if there is none. Every other byte of the file
// stays: comments, order, quotes. The addition is YAML that is not indented; the
// comment of File comes before the file where the addition needs it. The
// result is read back and compared, so that it says what the file said and the
// addition, or else it is ErrCantAppend.
func Append(data []byte, key, addition string) ([]byte, error) {
	var problems diag.List
	before := Parse(data, "", &problems)
	if problems.HasErrors() || before != nil && before.Kind != Map {
		return nil, fmt.Errorf("%w: it can't be read", ErrCantAppend)
	}
	added := Parse(File(addition), "", &problems)
	if problems.HasErrors() || added == nil {
		return nil, fmt.Errorf("%w: the addition can't be read", ErrCantAppend)
	}
	want, err := extended(before.Get(key), added)
	if err != nil {
		return nil, err
	}
	for _, candidate := range appendings(data, before, key, addition, added) {
		for _, file := range [][]byte{candidate, File(string(candidate))} {
			if saysTheSame(file, before, key, want) {
				return file, nil
			}
		}
	}
	return nil, fmt.Errorf("%w: there is no room below the key %s", ErrCantAppend, key)
}

// extended is what a section says with an addition.
func extended(section, addition *Node) (*Node, error) {
	switch {
	case section.IsNull():
		return addition, nil
	case section.Kind != addition.Kind:
		return nil, fmt.Errorf("%w: what is there is %s", ErrCantAppend, section.Kind)
	}
	out := *section
	out.Items = append(out.Items[:len(out.Items):len(out.Items)], addition.Items...)
	out.Pairs = append(out.Pairs[:len(out.Pairs):len(out.Pairs)], addition.Pairs...)
	return &out, nil
}

var (
	emptySection = regexp.MustCompile(`^([^:#]+:)\s*(\[\s*\]|\{\s*\}|null|~)?\s*(#.*)?$`)
	flowList     = regexp.MustCompile(`^([^:#]+:\s*\[.*\S)(\s*\]\s*(?:#.*)?)$`) // key: [a, b]
)

// appendings are the ways to write an addition into a file, best first.
func appendings(data []byte, root *Node, key, addition string, added *Node) [][]byte {
	text := strings.TrimRight(string(data), " \t\n")
	if text != "" {
		text += "\n"
	}
	keyNode := root.Key(key)
	fresh := addition // below a key that has nothing yet
	if added.Kind == Map {
		fresh = indented(addition, 2)
	}
	if keyNode == nil {
		return [][]byte{[]byte(text + Scalar(key) + ":\n" + fresh)}
	}
	lines := strings.SplitAfter(text, "\n")
	first := keyNode.Pos.Line - 1 // the key's line
	end := len(lines) - 1         // the first line behind the section; the last line is empty
	for _, p := range root.Pairs {
		if line := p.Key.Pos.Line - 1; line > first && line < end {
			end = line
		}
	}
	if first >= end {
		return nil
	}
	section := root.Get(key)
	if section.IsNull() || len(section.Items)+len(section.Pairs) == 0 {
		m := emptySection.FindStringSubmatch(strings.TrimRight(lines[first], "\r\n"))
		if m == nil {
			return nil
		}
		header := m[1]
		if m[3] != "" {
			header += " " + m[3]
		}
		return [][]byte{[]byte(strings.Join(lines[:first], "") + header + "\n" + fresh + strings.Join(lines[first+1:], ""))}
	}
	if m := flowList.FindStringSubmatch(strings.TrimRight(lines[first], "\r\n")); m != nil {
		line := m[1]
		for _, item := range added.Items {
			line += ", " + item.YAML(0)
		}
		return [][]byte{[]byte(strings.Join(lines[:first], "") + line + m[2] + "\n" + strings.Join(lines[first+1:], ""))}
	}
	written := indented(addition, indentOf(section, lines))
	insert := func(at int) []byte {
		return []byte(strings.Join(lines[:at], "") + written + strings.Join(lines[at:], ""))
	}
	last := end
	for last > first+1 && isRemark(lines[last-1]) {
		last--
	}
	return [][]byte{insert(last), insert(end)}
}

// indentOf is how far the entries of a section are indented.
func indentOf(section *Node, lines []string) int {
	entry := section.Pos
	switch {
	case len(section.Pairs) > 0:
		entry = section.Pairs[0].Key.Pos
	case len(section.Items) > 0 && section.Items[0] != nil:
		entry = section.Items[0].Pos
	}
	if entry.Line < 1 || entry.Line > len(lines) {
		return 0
	}
	return leadingSpaces([]byte(lines[entry.Line-1]))
}

// indented moves all lines that are not empty to the right.
func indented(text string, spaces int) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if strings.TrimSpace(line) != "" {
			b.WriteString(strings.Repeat(" ", spaces))
		}
		b.WriteString(line)
	}
	return b.String()
}

// isRemark reports whether a line is empty or a comment.
func isRemark(line string) bool {
	line = strings.TrimSpace(line)
	return line == "" || strings.HasPrefix(line, "#")
}

// saysTheSame reports whether a text says what a file said, but for one section.
func saysTheSame(text []byte, before *Node, key string, want *Node) bool {
	var problems diag.List
	after := Parse(text, "", &problems)
	if problems.HasErrors() || after == nil || after.Kind != Map {
		return false
	}
	keys := before.Keys()
	if !before.Has(key) {
		keys = append(keys, key)
	}
	if !slices.Equal(keys, after.Keys()) {
		return false
	}
	for _, p := range after.Pairs {
		expected := want
		if p.Key.Text != key {
			expected = before.Get(p.Key.Text)
		}
		if !equalJSON(p.Value, expected) {
			return false
		}
	}
	return true
}

func equalJSON(a, b *Node) bool {
	x, err1 := a.MarshalJSON()
	y, err2 := b.MarshalJSON()
	return err1 == nil && err2 == nil && bytes.Equal(x, y)
}
