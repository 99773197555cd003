package yamlfile

import (
	"bytes"
	"os"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/loquat-dev/loquat/internal/diag"
)

// builder turns the library's nodes into ours: it resolves scalars, follows
// aliases and merge keys, and finds duplicate keys.
type builder struct {
	file     string
	source   [][]byte // lines
	problems *diag.List
	nodes    int // built so far
	aliased  int // what aliases stand for
	anchors  map[*yaml.Node]anchor
	building map[*yaml.Node]bool // anchors above the current node
	failed   bool
	names    map[string]string           // short keys, which repeat a lot
	lookup   func(string) (string, bool) // environment variables; nil leaves their names alone
	place    func(line int) int          // the line in the file, for a line of a piece; nil for a whole file
}

func newBuilder(file string, problems *diag.List) *builder {
	return &builder{
		lookup: os.LookupEnv,
		file:   file, problems: problems, building: map[*yaml.Node]bool{}, anchors: map[*yaml.Node]anchor{}, names: map[string]string{},
	}
}

func (b *builder) fail(n *yaml.Node, code diag.Code, hint, format string, args ...any) *Node {
	b.failed = true
	b.problems.Errorf(b.position(n), code, hint, format, args...)
	return &Node{Pos: b.position(n)}
}

func (b *builder) position(n *yaml.Node) diag.Position {
	line := n.Line
	if b.place != nil {
		line = b.place(line)
	}
	return diag.Position{File: b.file, Line: line, Column: n.Column}
}

func (b *builder) build(n *yaml.Node, depth int) *Node {
	before := b.nodes + b.aliased
	out := b.value(n, depth)
	if n.Anchor != "" {
		b.anchors[n] = anchor{out, b.nodes + b.aliased - before}
	}
	return out
}

func (b *builder) value(n *yaml.Node, depth int) *Node {
	b.nodes++
	switch {
	case b.nodes > MaxNodes:
		if b.failed {
			return &Node{}
		}
		return b.fail(n, "yaml-too-large", "split the file", "the file has more than %d values", MaxNodes)
	case depth > MaxDepth:
		return b.fail(n, "yaml-too-deep", "is a bracket missing?", "lists and maps are nested more than %d levels deep", MaxDepth)
	}
	switch n.Kind {
	case yaml.AliasNode:
		return b.alias(n, depth)
	case yaml.SequenceNode:
		return b.list(n, depth)
	case yaml.MappingNode:
		return b.mapping(n, depth)
	default:
		return b.scalar(n)
	}
}

// alias gives the value of an anchor, which all its aliases share. How much they
// stand for is limited, because whoever walks through it sees every copy.
func (b *builder) alias(n *yaml.Node, depth int) *Node {
	if b.building[n.Alias] {
		return b.fail(n, "yaml-alias-cycle", "write the value out", "the alias *%s refers to a value that contains it", n.Value)
	}
	anchor, ok := b.anchors[n.Alias]
	if !ok { // the anchor was on a key
		b.build(n.Alias, depth+1)
		anchor = b.anchors[n.Alias]
	}
	b.aliased += anchor.size
	if b.aliased > MaxAliased {
		if b.failed {
			return &Node{}
		}
		return b.fail(n, "yaml-too-large", "write out what is needed, or use fewer aliases", "the aliases of the file stand for more than %d values", MaxAliased)
	}
	node := *anchor.value
	node.Pos = b.position(n)
	return &node
}

// anchor is a value that aliases refer to, and how many values it stands for.
type anchor struct {
	value *Node
	size  int
}

func (b *builder) list(n *yaml.Node, depth int) *Node {
	b.building[n] = true
	defer delete(b.building, n)
	out := &Node{Kind: List, Pos: b.position(n), Items: make([]*Node, 0, len(n.Content))}
	for _, item := range n.Content {
		out.Items = append(out.Items, b.build(item, depth+1))
		if b.nodes > MaxNodes {
			break
		}
	}
	return out
}

func (b *builder) mapping(n *yaml.Node, depth int) *Node {
	b.building[n] = true
	defer delete(b.building, n)
	out := &Node{Kind: Map, Pos: b.position(n), Pairs: make([]Pair, 0, len(n.Content)/2)}
	seen := make(map[string]*Node, len(n.Content)/2)
	var merged []*Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if key.Kind == yaml.ScalarNode && key.Value == "<<" && key.Style == 0 {
			merged = append(merged, b.build(value, depth+1))
			continue
		}
		if key.Kind != yaml.ScalarNode {
			b.fail(key, "yaml-key", "keys of a map are plain words", "a list or map can't be a key")
			continue
		}
		k := b.scalar(key)
		k.Text = b.name(k.Text)
		if first := seen[k.Text]; first != nil {
			b.fail(key, "duplicate-key", "the first one is at "+first.Pos.String(), "the key %q stands twice in one map", k.Text)
			continue
		}
		seen[k.Text] = k
		out.Pairs = append(out.Pairs, Pair{k, b.build(value, depth+1)})
		if b.nodes > MaxNodes {
			break
		}
	}
	for _, m := range merged {
		b.merge(out, m, seen)
	}
	return out
}

// name gives one string for all equal keys.
func (b *builder) name(s string) string {
	if known, ok := b.names[s]; ok {
		return known
	}
	if len(s) <= 32 && len(b.names) < 1000 {
		b.names[s] = s
	}
	return s
}

// merge adds the pairs of a merge key's map, or maps, that are not there yet.
func (b *builder) merge(into, from *Node, seen map[string]*Node) {
	switch from.Kind {
	case List:
		for _, item := range from.Items {
			b.merge(into, item, seen)
		}
	case Map:
		for _, p := range from.Pairs {
			if seen[p.Key.Text] == nil {
				seen[p.Key.Text] = p.Key
				into.Pairs = append(into.Pairs, p)
			}
		}
	default:
		b.failed = true
		b.problems.Errorf(from.Pos, "yaml-merge", "", "a merge key needs a map, not %s", from.Kind)
	}
}

func (b *builder) scalar(n *yaml.Node) *Node {
	out := &Node{Kind: String, Pos: b.position(n), Text: n.Value, Quoted: n.Style != 0 && n.Style&yaml.TaggedStyle == 0}
	if n.Style&yaml.LiteralStyle != 0 && strings.TrimSpace(n.Value) != "" {
		out.Block = int32(b.indentation(n.Line))
	}
	if out.Quoted || n.Tag == "!!str" && n.Style&yaml.TaggedStyle != 0 {
		return out
	}
	if b.lookup == nil {
		resolve(out)
		return out
	}
	expanded, unset := expand(n.Value, b.lookup)
	for _, name := range unset {
		b.fail(n, "unset-variable", "set it, or quote the value to use it as it stands", "the environment variable %s is not set", name)
	}
	if expanded != n.Value {
		out.Text = expanded
		return out
	}
	resolve(out)
	return out
}

// indentation is the column that the lines of a literal block begin at; line is
// that of its header.
func (b *builder) indentation(line int) int {
	for ; line < len(b.source); line++ {
		if text := bytes.TrimLeft(b.source[line], " "); len(bytes.TrimSpace(text)) > 0 {
			return len(b.source[line]) - len(text) + 1
		}
	}
	return 1
}
