package graph

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"sync"
)

// Plan is a prediction graph that is ready to run: all components are built, and
// what each target needs is known. It is safe for concurrent use as far as its
// components are.
//
// Nodes run one after the other: they take microseconds, and it is messages that
// run side by side. A run allocates nothing of its own.
type Plan struct {
	nodes []planNode
	index map[string]int
	hook  Hook
	runs  sync.Pool // of *planRun
}

// planRun is the memory of one run.
type planRun struct {
	values []any    // by node
	inputs []Inputs // by node, with all parameters
}

type planNode struct {
	name      string
	uses      string
	fn        string
	call      callable
	component any
	needs     []planNeed
	upTo      []int // the nodes that must run for this one, it last
}

type planNeed struct {
	parameter string
	node      int    // index of the provider, or -1
	input     string // name of the graph's input when node is -1
}

// Compile builds the components of a prediction graph. resources gives what each
// node learned in training.
func Compile(s *Schema, types Types, resources map[string]Resource, hook Hook, logger *slog.Logger) (*Plan, error) {
	order, err := s.Order()
	if err != nil {
		return nil, err
	}
	p := &Plan{nodes: make([]planNode, 0, len(order)), index: make(map[string]int, len(order)), hook: hook}
	var errs []error
	for _, i := range order {
		n := &s.Nodes[i]
		typ := types[n.Uses]
		switch {
		case typ == nil || typ.Build == nil:
			errs = append(errs, fmt.Errorf("node %q: the component %q is not built", n.Name, n.Uses))
			continue
		case typ.Fns[n.Fn].Call == nil:
			errs = append(errs, fmt.Errorf("node %q: %s has no function %q", n.Name, n.Uses, n.Fn))
			continue
		case len(errs) > 0:
			continue // what goes before is missing
		}
		fn := typ.Fns[n.Fn]
		var saved Resource
		if n.Constructor == Load {
			name := n.Resource
			if name == "" {
				name = n.Name
			}
			saved = resources[name]
		}
		env := Env{NodeName: n.Name, Logger: logger.With("node", n.Name), Threads: 1}
		component, err := typ.Build(env, Merged(typ.Defaults, n.Config), saved)
		if err != nil {
			return nil, nodeError(n.Name, err)
		}
		node := planNode{name: n.Name, uses: n.Uses, fn: n.Fn, call: fn.Call, component: component}
		at := len(p.nodes)
		for _, parameter := range sortedKeys(n.Needs) {
			need := planNeed{parameter: parameter, node: -1, input: n.Needs[parameter]}
			if !isInput(need.input) {
				need.node = p.index[need.input]
				node.upTo = append(node.upTo, p.nodes[need.node].upTo...)
			}
			node.needs = append(node.needs, need)
		}
		node.upTo = append(node.upTo, at)
		slices.Sort(node.upTo)
		node.upTo = slices.Compact(node.upTo)
		p.index[n.Name] = at
		p.nodes = append(p.nodes, node)
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	p.runs.New = func() any { return p.newRun() }
	return p, nil
}

// Unwatched is the plan without its hook.
func (p *Plan) Unwatched() *Plan {
	q := &Plan{nodes: p.nodes, index: p.index}
	q.runs.New = func() any { return q.newRun() }
	return q
}

func (p *Plan) newRun() *planRun {
	r := &planRun{values: make([]any, len(p.nodes)), inputs: make([]Inputs, len(p.nodes))}
	for i := range p.nodes {
		r.inputs[i] = make(Inputs, len(p.nodes[i].needs))
	}
	return r
}

func sortedKeys(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// Has reports whether the graph has a node.
func (p *Plan) Has(node string) bool { _, ok := p.index[node]; return ok }

// Component returns the component of a node, or nil.
func (p *Plan) Component(node string) any {
	if i, ok := p.index[node]; ok {
		return p.nodes[i].component
	}
	return nil
}

// Run computes the value of a target from the graph's inputs, such as
// InputMessage. Only what the target needs is run.
func (p *Plan) Run(ctx context.Context, target string, inputs Inputs) (any, error) {
	t, ok := p.index[target]
	if !ok {
		return nil, fmt.Errorf("the graph has no node %q", target)
	}
	r := p.runs.Get().(*planRun)
	defer p.runs.Put(r)
	defer clear(r.values) // hold on to no message
	for _, i := range p.nodes[t].upTo {
		n := &p.nodes[i]
		in := r.inputs[i]
		for _, need := range n.needs {
			if need.node >= 0 {
				in[need.parameter] = r.values[need.node]
			} else {
				in[need.parameter] = inputs[need.input]
			}
		}
		value, err := p.run(ctx, n, in)
		if err != nil {
			return nil, err
		}
		r.values[i] = value
	}
	return r.values[t], nil
}

func (p *Plan) run(ctx context.Context, n *planNode, in Inputs) (any, error) {
	if p.hook == nil {
		value, err := call(ctx, n.call, n.component, in)
		if err != nil {
			return nil, nodeError(n.name, err)
		}
		return value, nil
	}
	ctx, end := p.hook.Before(ctx, NodeRun{NodeName: n.name, Component: n.uses, Fn: n.fn})
	value, err := call(ctx, n.call, n.component, in)
	end(NodeResult{Output: value, Err: err})
	if err != nil {
		return nil, nodeError(n.name, err)
	}
	return value, nil
}

type callable func(ctx context.Context, component any, in Inputs) (any, error)

// call calls a component's function. A graph that somebody wired wrongly gives
// nodes what they can't work with; that is an error of the graph and no reason to
// stop the program.
func call(ctx context.Context, f callable, component any, in Inputs) (value any, err error) {
	defer func() {
		switch p := recover().(type) {
		case nil:
		case *runtime.TypeAssertionError:
			value, err = nil, fmt.Errorf("it is given what it can't work with: %s", p.Error())
		default:
			panic(p)
		}
	}()
	return f(ctx, component, in)
}
