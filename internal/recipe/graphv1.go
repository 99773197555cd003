package recipe

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/graph"
	"github.com/loquat-dev/loquat/internal/project"
	"github.com/loquat-dev/loquat/internal/yamlfile"
)

// fromSchemas reads the graphs that a configuration of recipe graph.v1 spells out
// node by node.
func fromSchemas(c *project.Config, types graph.Types, t TrainingType, problems *diag.List) *Graphs {
	g := &Graphs{Recipe: GraphV1, Language: c.Language, Origin: map[string]diag.Position{}}
	r := schemaReader{config: c, graphs: g, types: types, problems: problems}
	g.Train = r.schema(c.Root, "train_schema")
	g.Predict = r.schema(c.Root, "predict_schema")
	g.NLUTarget = c.Root.Get("nlu_target").TextOrEmpty()
	if t.hasCore() {
		g.CoreTarget = c.Root.Get("core_target").TextOrEmpty()
	}
	if g.NLUTarget == "" {
		problems.Errorf(diag.Position{File: c.File}, "missing-key", `write "nlu_target: run_RegexMessageHandler"`, "the recipe graph.v1 needs nlu_target")
	}
	for _, target := range []string{g.NLUTarget, g.CoreTarget} {
		if target != "" && g.Predict.Node(target) == nil {
			problems.Errorf(diag.Position{File: c.File}, "unknown-node", diag.DidYouMean(target, g.Predict.Names()), "predict_schema has no node %q", target)
		}
	}
	for _, s := range []*graph.Schema{&g.Train, &g.Predict} {
		_, err := s.Order()
		if all, ok := err.(interface{ Unwrap() []error }); ok {
			for _, err := range all.Unwrap() {
				at := diag.Position{File: c.File}
				if node, ok := errors.AsType[*graph.NodeError](err); ok {
					at = g.Origin[node.Node]
				}
				problems.Errorf(at, "invalid-graph", "", "%v", err)
			}
		}
	}
	return g
}

type schemaReader struct {
	config   *project.Config
	graphs   *Graphs
	types    graph.Types
	problems *diag.List
}

func (r schemaReader) schema(root *yamlfile.Node, key string) graph.Schema {
	nodes := root.Get(key).Get("nodes")
	if nodes.IsNull() || nodes.Kind != yamlfile.Map {
		r.problems.Errorf(diag.Position{File: r.file(root)}, "missing-key", "", "the recipe graph.v1 needs %s with nodes", key)
		return graph.Schema{}
	}
	var s graph.Schema
	for _, p := range nodes.Pairs {
		r.graphs.Origin[p.Key.Text] = p.Key.Pos
		if n, ok := r.node(p.Key.Text, p.Value); ok {
			s.Nodes = append(s.Nodes, n)
		}
	}
	return s
}

func (r schemaReader) file(root *yamlfile.Node) string {
	if root == nil {
		return "config.yml"
	}
	return root.Pos.File
}

func (r schemaReader) node(name string, v *yamlfile.Node) (graph.Node, bool) {
	n := graph.Node{Name: name, Needs: map[string]string{}, Constructor: graph.Create}
	uses := v.Get("uses")
	if uses.TextOrEmpty() == "" {
		r.problems.Errorf(r.graphs.Origin[name], "missing-key", "", "the node %q needs uses with the name of a component", name)
		return n, false
	}
	class, ok := className(uses.Text, uses.Pos, r.types, r.problems)
	if !ok {
		return n, false
	}
	n.Uses = class
	n.Fn = v.Get("fn").TextOrEmpty()
	if constructor := v.Get("constructor_name").TextOrEmpty(); constructor != "" {
		n.Constructor = constructor
	}
	r.settings(&n, uses, v.Get("config"))
	if needs := v.Get("needs"); needs != nil {
		for _, p := range needs.Pairs {
			n.Needs[p.Key.Text] = p.Value.TextOrEmpty()
		}
	}
	flag := func(key string) bool { f := v.Get(key); return f != nil && f.Flag }
	n.Eager, n.IsTarget, n.IsInput = flag("eager"), flag("is_target"), flag("is_input")
	n.Resource = v.Get("resource").Get("name").TextOrEmpty()
	return n, true
}

// settings reads the configuration of a node, and checks it and the function.
func (r schemaReader) settings(n *graph.Node, uses, config *yamlfile.Node) {
	c := &component{Item: project.Item{Name: n.Uses, Pos: uses.Pos}, typ: r.types[n.Uses]}
	if config != nil {
		c.Params = config.Pairs
	}
	b := builder{config: r.config, problems: r.problems}
	c.config = b.settings(c.Item, c.typ)
	b.resolve(c)
	n.Config = c.config
	v := validator{config: r.config, problems: r.problems}
	v.language(c)
	v.settings(c)
	if _, ok := c.typ.Fns[n.Fn]; !ok && c.typ.Build != nil {
		names := slices.Sorted(maps.Keys(c.typ.Fns))
		r.problems.Errorf(uses.Pos, "unknown-function", "it has: "+strings.Join(names, ", "), "%s has no function %q", n.Uses, n.Fn)
	}
}
