package yamlfile

import (
	"bytes"
	"runtime/debug"

	"go.yaml.in/yaml/v4"

	"github.com/loquat-dev/loquat/internal/diag"
)

// pieceSize is the size in bytes from which on a file is read in pieces of about
// that size. The library's nodes take some fifteen times the size of the text;
// of a large domain they would not fit beside ours.
const pieceSize = 2 << 20

// piece is a part of a file that is a document of its own.
type piece struct {
	text   []byte
	header int // the number of the line that is repeated at the top; 0 if none is
	line   int // the number of the first other line
}

// parsePieces reads a file whose top level is a map, a piece at a time. It
// reports false when the file is not of that kind, or when anything is wrong with
// it; then the file is to be read as a whole, which finds the right words.
//
// A cut in the wrong place leaves a piece that can't be read, or one with an
// alias of nothing, and so comes to light.
func parsePieces(data []byte, display string, size int) (root *Node, ok bool) {
	pieces, ok := cut(data, size)
	if !ok || len(pieces) < 2 {
		return nil, false
	}
	defer debug.SetGCPercent(debug.SetGCPercent(25)) // most of what is made is garbage soon

	var problems diag.List
	b := newBuilder(display, &problems)
	root = &Node{Kind: Map}
	sections := map[string]*section{}
	for _, p := range pieces {
		read := b.piece(p)
		if read == nil || read.Kind != Map || b.failed {
			return nil, false
		}
		if len(root.Pairs) == 0 && len(read.Pairs) > 0 {
			root.Pos = read.Pos
		}
		for _, pair := range read.Pairs {
			if !join(root, pair, p.header, sections) {
				return nil, false
			}
		}
	}
	return root, true
}

// section is what stands below one key of the top level.
type section struct {
	value  *Node
	header int             // the line of the key, if the section is cut; otherwise 0
	keys   map[string]bool // of a map that is cut
}

// join adds a pair of a piece to the whole. It reports false for what must not be
// joined: keys that stand twice, and texts that were cut.
func join(root *Node, pair Pair, header int, sections map[string]*section) bool {
	s := sections[pair.Key.Text]
	if s == nil {
		s = &section{value: pair.Value, header: header, keys: map[string]bool{}}
		sections[pair.Key.Text] = s
		root.Pairs = append(root.Pairs, pair)
		return header == 0 || (pair.Value.Kind == List || pair.Value.Kind == Map) && s.add(pair.Value.Pairs)
	}
	if header == 0 || s.header != header || s.value.Kind != pair.Value.Kind || !s.add(pair.Value.Pairs) {
		return false
	}
	s.value.Items = append(s.value.Items, pair.Value.Items...)
	s.value.Pairs = append(s.value.Pairs, pair.Value.Pairs...)
	return true
}

// add reports whether the keys are new.
func (s *section) add(pairs []Pair) bool {
	for _, p := range pairs {
		if s.keys[p.Key.Text] {
			return false
		}
		s.keys[p.Key.Text] = true
	}
	return true
}

// piece reads one piece; nil if it can't be read.
func (b *builder) piece(p piece) *Node {
	var document yaml.Node
	if yaml.Unmarshal(p.text, &document) != nil {
		return nil
	}
	if len(document.Content) == 0 { // comments
		return &Node{Kind: Map}
	}
	b.source = bytes.Split(p.text, []byte("\n"))
	b.place = func(line int) int {
		switch {
		case p.header == 0:
			return p.line + line - 1
		case line == 1:
			return p.header
		default:
			return p.line + line - 2
		}
	}
	clear(b.anchors)
	return b.build(document.Content[0], 0)
}

// cut divides a file before top-level keys, and large sections before what they
// list.
func cut(data []byte, size int) ([]piece, bool) {
	var out []piece
	begin, beginLine := 0, 1 // of the piece that is open
	section, sectionLine := 0, 1
	flush := func(end, line int) {
		if end > begin {
			out = append(out, piece{text: data[begin:end], line: beginLine})
		}
		begin, beginLine = end, line
	}
	endSection := func(end, line int) {
		if end-section > size {
			if parts := cutSection(data[section:end], sectionLine, size); len(parts) > 1 {
				flush(section, sectionLine)
				out = append(out, parts...)
				begin, beginLine = end, line
			}
		}
		if end-begin > size {
			flush(end, line)
		}
		section, sectionLine = end, line
	}
	at, number := 0, 0
	open := false // a key of the top level was there
	for line := range bytes.Lines(data) {
		number++
		switch c := line[0]; {
		case bytes.HasPrefix(line, []byte("---")), bytes.HasPrefix(line, []byte("...")), c == '%', c == '[', c == '{':
			return nil, false
		case c == '#' || len(bytes.TrimSpace(line)) == 0:
		case c == ' ' || c == '\t' || c == '-':
			if !open {
				return nil, false // the top level is indented, or a list
			}
		default:
			open = true
			if at > 0 {
				endSection(at, number)
			}
		}
		at += len(line)
	}
	endSection(len(data), number+1)
	flush(len(data), number+1)
	return out, true
}

// cutSection divides what stands below one key; the line with the key is repeated
// in each piece.
func cutSection(data []byte, firstLine, size int) []piece {
	headerEnd := bytes.IndexByte(data, '\n') + 1
	header := bytes.TrimRight(data[:headerEnd], " \r\n")
	if headerEnd == 0 || !bytes.HasSuffix(header, []byte(":")) {
		return nil
	}
	header = append(bytes.Clone(header), '\n')
	var out []piece
	indent, list := -1, false
	begin, beginLine := headerEnd, firstLine+1
	at, number := headerEnd, firstLine
	flush := func(end, line int) {
		text := make([]byte, 0, len(header)+end-begin)
		out = append(out, piece{text: append(append(text, header...), data[begin:end]...), header: firstLine, line: beginLine})
		begin, beginLine = end, line
	}
	for line := range bytes.Lines(data[headerEnd:]) {
		number++
		spaces := leadingSpaces(line)
		rest := bytes.TrimSpace(line)
		if len(rest) > 0 && rest[0] != '#' {
			dash := rest[0] == '-'
			if indent < 0 {
				indent, list = spaces, dash
			}
			if spaces == indent && dash == list && at-begin > size { // a list may stand right below its key
				flush(at, number)
			}
		}
		at += len(line)
	}
	if at > begin {
		flush(at, number+1)
	}
	return out
}

func leadingSpaces(s []byte) int { return len(s) - len(bytes.TrimLeft(s, " ")) }
