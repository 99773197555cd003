package graph

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/loquat-dev/loquat/internal/diag"
)

// Cache keeps what nodes learned, by the fingerprint of the node. It is safe for
// concurrent use, by several processes too.
type Cache interface {
	// Get returns what is stored under key.
	Get(key string) (Resource, bool)
	// Put stores r under key, or leaves it if there is no room.
	Put(key string, r Resource) error
}

// writeOnly is a cache that shows nothing of what it holds.
type writeOnly struct{ Cache }

func (writeOnly) Get(string) (Resource, bool) { return nil, false }

// Training runs a train graph.
type Training struct {
	Types    Types
	Cache    Cache // nil for none
	Hook     Hook  // nil for none
	Logger   *slog.Logger
	Threads  int            // 0 means all cores
	Progress func(Progress) // told about each node that has ended; nil for nobody

	Force      bool // run everything, whatever the cache holds
	Finetuning bool
	// Earlier holds what the model that is fine-tuned had learned, by node.
	Earlier map[string]Resource
}

// Progress tells that a node has ended.
type Progress struct {
	Node        string
	Cached      bool
	Done, Total int
	Took        time.Duration
	Err         error
}

// Trained is what came of a train graph.
type Trained struct {
	Resources map[string]Resource // by node, what it learned or restored
	Values    map[string]any      // what the input nodes gave
	Ran       []string            // nodes that ran, sorted
	Restored  []string            // nodes whose result came from the cache, sorted
}

// Train runs the graph on a project. Input nodes run first and decide, with the
// components' settings, each node's fingerprint; a learned result that is known
// by its fingerprint is restored, and nodes that only such results need do not
// run at all. Independent nodes run side by side. The first failure, or the end
// of ctx, stops the rest.
func (t *Training) Train(ctx context.Context, s *Schema, importer any) (*Trained, error) {
	r, err := t.prepare(ctx, s, importer)
	if err != nil {
		return nil, err
	}
	return r.execute(ctx)
}

// Stale returns the nodes that a training would run to learn something new,
// sorted.
func (t *Training) Stale(ctx context.Context, s *Schema, importer any) ([]string, error) {
	r, err := t.prepare(ctx, s, importer)
	if err != nil {
		return nil, err
	}
	var stale []string
	for i := range r.nodes {
		n := &r.nodes[i]
		if n.needed && n.trains && !n.restored {
			stale = append(stale, n.Name)
		}
	}
	slices.Sort(stale)
	return stale, nil
}

// training is one run of a train graph.
type training struct {
	*Training
	nodes []trainingNode
	index map[string]int
	order []int

	mu   sync.Mutex // guards done
	done int
}

// trainingNode is a node with what is known about it so far.
type trainingNode struct {
	*Node
	typ      *Type
	config   Config
	trains   bool // its result is a resource
	key      string
	needed   bool
	restored bool
	value    any
	kept     Resource      // what an input node wants to be part of the model
	ready    chan struct{} // closed when value is there
}

// prepare runs the input nodes, computes fingerprints, and prunes.
func (t *Training) prepare(ctx context.Context, s *Schema, importer any) (*training, error) {
	order, err := s.Order()
	if err != nil {
		return nil, err
	}
	r := &training{Training: t, nodes: make([]trainingNode, len(s.Nodes)), index: map[string]int{}, order: order}
	if r.Threads <= 0 {
		r.Threads = runtime.GOMAXPROCS(0)
	}
	for i := range s.Nodes {
		n := &s.Nodes[i]
		typ, ok := t.Types[n.Uses]
		if !ok || typ.Build == nil {
			return nil, fmt.Errorf("node %q: the component %q is not built", n.Name, n.Uses)
		}
		r.nodes[i] = trainingNode{
			Node: n, typ: typ, config: Merged(typ.Defaults, n.Config), trains: n.Fn == "train", ready: make(chan struct{}),
		}
		r.index[n.Name] = i
	}
	for _, i := range order {
		if err := r.fingerprint(ctx, &r.nodes[i], importer); err != nil {
			return nil, err
		}
	}
	for i := range r.nodes {
		if r.nodes[i].IsTarget {
			r.prune(i)
		}
	}
	return r, nil
}

// fingerprint computes a node's key; an input node is run for it.
func (r *training) fingerprint(ctx context.Context, n *trainingNode, importer any) error {
	if !n.IsInput {
		inputs := make(map[string]string, len(n.Needs))
		for parameter, need := range n.Needs {
			inputs[parameter] = r.nodes[r.index[need]].key
		}
		n.key = keyOf(n.Node, n.typ, n.config, inputs)
		if n.typ.Files != nil {
			files, err := n.typ.Files(n.config)
			if err != nil {
				return fmt.Errorf("node %q: %w", n.Name, err)
			}
			n.key = Fingerprint([]any{n.key, "files", files.fingerprint()})
		}
		if r.Finetuning && n.trains {
			n.key = Fingerprint([]any{n.key, "finetuned", r.Earlier[n.Name].fingerprint()})
		}
		return nil
	}
	in := Inputs{}
	for parameter, need := range n.Needs {
		if need == InputImporter {
			in[parameter] = importer
			continue
		}
		in[parameter] = r.nodes[r.index[need]].value
	}
	value, err := r.run(ctx, n, in)
	if err != nil {
		return err
	}
	f, ok := value.(Fingerprinted)
	if !ok {
		return fmt.Errorf("node %q: %T has no fingerprint", n.Name, value)
	}
	n.value, n.key = f.Value, f.Print
	close(n.ready)
	return nil
}

// prune marks what must run for node i, stopping at results in the cache.
func (r *training) prune(i int) {
	n := &r.nodes[i]
	if n.needed {
		return
	}
	n.needed = true
	if n.IsInput {
		return
	}
	if n.trains && !r.Force && r.Cache != nil {
		if saved, ok := r.Cache.Get(n.key); ok {
			n.value, n.restored = saved, true
			return
		}
	}
	for _, need := range n.Needs {
		if !isInput(need) {
			r.prune(r.index[need])
		}
	}
}

// execute runs what is needed.
func (r *training) execute(ctx context.Context) (*Trained, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	slots := make(chan struct{}, r.Threads)
	var wait sync.WaitGroup
	var once sync.Once
	var failure error
	total := 0
	for i := range r.nodes {
		if r.nodes[i].needed && !r.nodes[i].IsInput {
			total++
		}
	}
	for _, i := range r.order {
		n := &r.nodes[i]
		if !n.needed || n.IsInput {
			continue
		}
		wait.Add(1)
		go func() {
			defer wait.Done()
			if err := r.await(ctx, n, slots, total); err != nil {
				once.Do(func() { failure = err; cancel(err) })
			}
		}()
	}
	wait.Wait()
	if failure != nil {
		return nil, failure
	}
	return r.result(), nil
}

// await runs a node as soon as its inputs and a free slot are there.
func (r *training) await(ctx context.Context, n *trainingNode, slots chan struct{}, total int) error {
	if n.restored {
		_, end := before(ctx, r.Hook, NodeRun{NodeName: n.Name, Component: n.Uses, Fn: n.Fn, Training: true})
		end(NodeResult{CacheHit: true, Output: n.value})
		close(n.ready)
		r.report(n, total, 0, nil)
		return nil
	}
	in := make(Inputs, len(n.Needs))
	for parameter, need := range n.Needs {
		provider := &r.nodes[r.index[need]]
		select {
		case <-provider.ready:
			in[parameter] = provider.value
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	select {
	case slots <- struct{}{}:
		defer func() { <-slots }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	started := time.Now()
	value, err := r.run(ctx, n, in)
	if err == nil && n.trains && r.Cache != nil {
		if err := r.Cache.Put(n.key, value.(Resource)); err != nil {
			r.Logger.WarnContext(ctx, "a result was not cached", "node", n.Name, "err", err)
		}
	}
	r.report(n, total, time.Since(started), err)
	if err != nil {
		return err
	}
	n.value = value
	close(n.ready)
	return nil
}

func (r *training) report(n *trainingNode, total int, took time.Duration, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.done++
	if r.Progress != nil {
		r.Progress(Progress{Node: n.Name, Cached: n.restored, Done: r.done, Total: total, Took: took, Err: err})
	}
}

// run builds a node's component and calls its function. What a trained component
// keeps is the node's value.
func (r *training) run(ctx context.Context, n *trainingNode, in Inputs) (value any, err error) {
	ctx, end := before(ctx, r.Hook, NodeRun{NodeName: n.Name, Component: n.Uses, Fn: n.Fn, Training: true})
	defer func() { end(NodeResult{Output: value, Err: err}) }()
	if err := ctx.Err(); err != nil {
		return nil, context.Cause(ctx)
	}
	var saved Resource
	if given, ok := in[NeedsResource].(Resource); ok {
		saved = given
		delete(in, NeedsResource)
	}
	env := Env{NodeName: n.Name, Logger: r.Logger.With("node", n.Name), Threads: r.Threads, Cache: r.Cache}
	if r.Force && r.Cache != nil {
		env.Cache = writeOnly{r.Cache}
	}
	if r.Finetuning && n.Constructor == Load && n.Needs[NeedsResource] == "" {
		saved, env.Finetuning = r.Earlier[n.Name], true
	}
	component, err := n.typ.Build(env, n.config, saved)
	if err != nil {
		return nil, nodeError(n.Name, err)
	}
	fn, ok := n.typ.Fns[n.Fn]
	if !ok {
		return nil, fmt.Errorf("node %q: %s has no function %q", n.Name, n.Uses, n.Fn)
	}
	if value, err = call(ctx, fn.Call, component, in); err != nil {
		return nil, nodeError(n.Name, err)
	}
	p, ok := component.(Persister)
	switch {
	case !ok && n.trains:
		return Resource{}, nil // it learns nothing that must be kept
	case !ok:
		return value, nil
	}
	kept, err := p.Persist()
	if err != nil {
		return nil, nodeError(n.Name, fmt.Errorf("persist: %w", err))
	}
	if n.trains {
		return kept, nil
	}
	n.kept = kept
	return value, nil
}

// nodeError names the node, except where a project or the user is the cause.
func nodeError(name string, err error) error {
	if diag.Of(err) != nil || errors.Is(err, context.Canceled) {
		return err
	}
	return fmt.Errorf("node %q: %w", name, err)
}

func (r *training) result() *Trained {
	out := &Trained{Resources: map[string]Resource{}, Values: map[string]any{}}
	for i := range r.nodes {
		n := &r.nodes[i]
		if !n.needed && !n.IsInput {
			continue
		}
		switch learned, isResource := n.value.(Resource); {
		case n.IsInput:
			out.Values[n.Name] = n.value
			if len(n.kept) > 0 {
				out.Resources[n.Name] = n.kept
			}
		case isResource:
			out.Resources[n.Name] = learned
		}
		if n.restored {
			out.Restored = append(out.Restored, n.Name)
		} else {
			out.Ran = append(out.Ran, n.Name)
		}
	}
	slices.Sort(out.Ran)
	slices.Sort(out.Restored)
	return out
}

// fingerprint identifies the contents of a resource.
func (r Resource) fingerprint() string {
	parts := make([]any, 0, 2*len(r))
	for _, name := range slices.Sorted(maps.Keys(r)) {
		parts = append(parts, name, r[name])
	}
	return Fingerprint(parts)
}

// before calls a hook, if there is one.
func before(ctx context.Context, h Hook, run NodeRun) (context.Context, func(NodeResult)) {
	if h == nil {
		return ctx, func(NodeResult) {}
	}
	return h.Before(ctx, run)
}
