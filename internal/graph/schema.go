package graph

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
)

// The values that a graph is run on stand in needs where nodes would.
const (
	InputImporter = "__importer__" // training: the project
	InputMessage  = "__message__"  // prediction: user messages
	InputTracker  = "__tracker__"  // prediction: the conversation
)

// Constructors of a node's component.
const (
	Create = "create" // fresh
	Load   = "load"   // from what was persisted
)

// NeedsResource is the parameter of a node that takes what another node learned.
// It goes to the component's Builder, not to the function.
const NeedsResource = "resource"

// Node is one step of a graph.
type Node struct {
	Name        string            `json:"-"`
	Needs       map[string]string `json:"needs"` // parameter → node or input
	Uses        string            `json:"uses"`  // class name
	Constructor string            `json:"constructor_name"`
	Fn          string            `json:"fn"`
	Config      Config            `json:"config"`             // what the user set
	Eager       bool              `json:"eager"`              // built with the graph, not with the run
	IsTarget    bool              `json:"is_target"`          // wanted though nobody needs it
	IsInput     bool              `json:"is_input"`           // always run, also to find out what changed
	Resource    string            `json:"resource,omitempty"` // node that it loads from
}

// Schema is a graph as named nodes. Its JSON is that of Rasa:
// {"nodes": {name: node}}.
type Schema struct {
	Nodes []Node // names are unique; the order has no meaning but is kept
}

// Node returns the node of that name, or nil.
func (s *Schema) Node(name string) *Node {
	for i := range s.Nodes {
		if s.Nodes[i].Name == name {
			return &s.Nodes[i]
		}
	}
	return nil
}

// Names lists the nodes in order.
func (s *Schema) Names() []string {
	names := make([]string, len(s.Nodes))
	for i := range s.Nodes {
		names[i] = s.Nodes[i].Name
	}
	return names
}

// encodedNode is a node whose settings are JSON that keeps decimal points.
type encodedNode struct {
	Node
	Config json.RawMessage `json:"config"`
}

// MarshalJSON writes nodes by name.
func (s Schema) MarshalJSON() ([]byte, error) {
	nodes := make(map[string]encodedNode, len(s.Nodes))
	for _, n := range s.Nodes {
		data, err := json.Marshal(spelled(n.Config))
		if err != nil {
			return nil, fmt.Errorf("node %q: config: %w", n.Name, err)
		}
		nodes[n.Name] = encodedNode{n, data}
	}
	return json.Marshal(map[string]any{"nodes": nodes})
}

// UnmarshalJSON reads nodes by name, in alphabetical order.
func (s *Schema) UnmarshalJSON(data []byte) error {
	var raw struct {
		Nodes map[string]encodedNode `json:"nodes"`
	}
	if err := json.Unmarshal(data, &raw); err != nil {
		return err
	}
	s.Nodes = nil
	for _, name := range slices.Sorted(maps.Keys(raw.Nodes)) {
		n := raw.Nodes[name].Node
		n.Name = name
		if c := raw.Nodes[name].Config; len(c) > 0 && string(c) != "null" {
			var err error
			if n.Config, err = decodeConfig(c); err != nil {
				return fmt.Errorf("node %q: config: %w", name, err)
			}
		}
		s.Nodes = append(s.Nodes, n)
	}
	return nil
}

func isInput(name string) bool {
	return name == InputImporter || name == InputMessage || name == InputTracker
}

// NodeError says what keeps a node from running.
type NodeError struct {
	Node string
	Text string
}

// Error gives the text, which names the node.
func (e *NodeError) Error() string { return e.Text }

// Order returns the indices of the nodes such that each comes after those that it
// needs. A cycle, a need that nothing provides and a repeated name are
// NodeErrors, all of them joined.
func (s *Schema) Order() ([]int, error) {
	o := ordering{schema: s, index: make(map[string]int, len(s.Nodes)), state: make([]visit, len(s.Nodes))}
	for i := range s.Nodes {
		name := s.Nodes[i].Name
		if _, twice := o.index[name]; twice {
			o.fail(name, "the node %q stands twice in the graph", name)
		}
		o.index[name] = i
	}
	for i := range s.Nodes {
		o.visit(i)
	}
	return o.order, errors.Join(o.errs...)
}

// visit is how far the search for an order has come with a node.
type visit int

const (
	unseen visit = iota
	visiting
	visited
)

// ordering is a depth-first search along needs.
type ordering struct {
	schema *Schema
	index  map[string]int
	state  []visit
	order  []int
	errs   []error
}

func (o *ordering) fail(node, format string, args ...any) {
	o.errs = append(o.errs, &NodeError{node, fmt.Sprintf(format, args...)})
}

func (o *ordering) visit(i int) {
	n := &o.schema.Nodes[i]
	switch o.state[i] {
	case visited:
		return
	case visiting:
		o.fail(n.Name, "the graph has a cycle through the node %q", n.Name)
		return
	}
	o.state[i] = visiting
	for _, parameter := range sortedKeys(n.Needs) {
		need := n.Needs[parameter]
		if isInput(need) {
			continue
		}
		if j, ok := o.index[need]; ok {
			o.visit(j)
		} else {
			o.fail(n.Name, "the node %q needs %q, which is not in the graph", n.Name, need)
		}
	}
	o.state[i] = visited
	o.order = append(o.order, i)
}

// Types finds component types by class name.
type Types map[string]*Type

// NewTypes makes the table of a list of types.
func NewTypes(list []Type) Types {
	types := make(Types, len(list))
	for i := range list {
		types[list[i].Name] = &list[i]
	}
	return types
}

// Merged is a node's configuration with its type's defaults filled in. A default
// that is a map is merged one level deep, as in Rasa.
func Merged(defaults, given Config) Config {
	out := make(Config, len(defaults)+len(given))
	maps.Copy(out, defaults)
	for k, v := range given {
		base, isMap := defaults[k].(map[string]any)
		over, alsoMap := v.(map[string]any)
		if isMap && alsoMap {
			both := maps.Clone(base)
			maps.Copy(both, over)
			v = both
		}
		out[k] = v
	}
	return out
}
