// Package yamlfile reads one YAML file into nodes that know where they stand.
//
// Rasa reads its files by the rules of YAML 1.2 with a few additions, expands
// ${NAME} from the environment in plain scalars, and refuses duplicate keys.
// This package is the only place that knows those rules; every reader of a
// project works on its Nodes, so that every complaint has a file, a line and a
// column.
package yamlfile

import (
	"math"
	"strconv"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/pystr"
)

// Kind is the type of a node's value.
type Kind uint8

// The kinds of YAML 1.2's core schema, and dates.
const (
	Null Kind = iota
	Bool
	Int
	Float
	String
	Date // 2024-01-01 or a time stamp; Text has it as written
	List
	Map
)

var kindNames = [...]string{"null", "a boolean", "a whole number", "a number", "a string", "a date", "a list", "a map"}

// String gives the name for messages: "a list".
func (k Kind) String() string { return kindNames[k] }

// Node is one value of a document.
//
// There are millions of them in a large project; the order of fields keeps them
// small.
type Node struct {
	Kind   Kind
	Quoted bool  // scalars: written in quotes or as a block
	Flag   bool  // Kind Bool
	Block  int32 // literal blocks (|): the column that their lines begin at; otherwise 0
	Pos    diag.Position
	Text   string  // scalars: the text after quoting and expansion
	number uint64  // Kind Int: the value; Kind Float: its bits
	Items  []*Node // Kind List
	Pairs  []Pair  // Kind Map, in file order
}

// NewInt makes a node that stands nowhere.
func NewInt(i int64) *Node {
	return &Node{Kind: Int, Text: strconv.FormatInt(i, 10), number: uint64(i)}
}

// NewString makes a node that stands nowhere.
func NewString(s string) *Node { return &Node{Kind: String, Text: s, Quoted: true} }

// Int is the value of a whole number, otherwise 0.
func (n *Node) Int() int64 {
	if n == nil || n.Kind != Int {
		return 0
	}
	return int64(n.number)
}

// Float is the value of a number, otherwise 0.
func (n *Node) Float() float64 {
	switch {
	case n == nil:
		return 0
	case n.Kind == Int:
		return float64(int64(n.number))
	case n.Kind == Float:
		return math.Float64frombits(n.number)
	}
	return 0
}

// Pair is one entry of a map.
type Pair struct {
	Key   *Node
	Value *Node
}

// Get returns the value under key, or nil when n is nil, no map, or lacks it.
func (n *Node) Get(key string) *Node {
	if p := n.pair(key); p != nil {
		return p.Value
	}
	return nil
}

// Key returns the node of the key itself, for its position, or nil.
func (n *Node) Key(key string) *Node {
	if p := n.pair(key); p != nil {
		return p.Key
	}
	return nil
}

// Has reports whether n is a map with that key, whatever its value.
func (n *Node) Has(key string) bool { return n.pair(key) != nil }

func (n *Node) pair(key string) *Pair {
	if n == nil || n.Kind != Map {
		return nil
	}
	for i := range n.Pairs {
		if n.Pairs[i].Key.Text == key {
			return &n.Pairs[i]
		}
	}
	return nil
}

// IsNull reports whether n is absent or null.
func (n *Node) IsNull() bool { return n == nil || n.Kind == Null }

// IsScalar reports whether n holds a single non-null value.
func (n *Node) IsScalar() bool {
	return n != nil && n.Kind != Null && n.Kind != List && n.Kind != Map
}

// Str returns the text and true when n is a string.
func (n *Node) Str() (string, bool) {
	if n == nil || n.Kind != String {
		return "", false
	}
	return n.Text, true
}

// Keys returns the texts of a map's keys in file order.
func (n *Node) Keys() []string {
	if n == nil || n.Kind != Map {
		return nil
	}
	keys := make([]string, len(n.Pairs))
	for i, p := range n.Pairs {
		keys[i] = p.Key.Text
	}
	return keys
}

// Any converts the node to plain Go values: nil, bool, int64, float64, string,
// []any and map[string]any. Dates become their text.
func (n *Node) Any() any {
	if n == nil {
		return nil
	}
	switch n.Kind {
	case Bool:
		return n.Flag
	case Int:
		return n.Int()
	case Float:
		return n.Float()
	case String, Date:
		return n.Text
	case List:
		out := make([]any, len(n.Items))
		for i, item := range n.Items {
			out[i] = item.Any()
		}
		return out
	case Map:
		out := make(map[string]any, len(n.Pairs))
		for _, p := range n.Pairs {
			out[p.Key.Text] = p.Value.Any()
		}
		return out
	default:
		return nil
	}
}

// PythonString gives a scalar as Python's str() prints it (True, None, 1.0),
// which is how Rasa stringifies values.
func (n *Node) PythonString() string {
	if n.IsNull() {
		return "None"
	}
	switch n.Kind {
	case Bool:
		if n.Flag {
			return "True"
		}
		return "False"
	case Int:
		return strconv.FormatInt(n.Int(), 10)
	case Float:
		return pystr.Float(n.Float())
	default:
		return n.Text
	}
}

// TextOrEmpty returns the text of a scalar, or "" for anything else.
func (n *Node) TextOrEmpty() string {
	if n == nil {
		return ""
	}
	return n.Text
}
