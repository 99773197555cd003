package graph_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/graph"
)

// step is a component whose functions join texts.
type step struct {
	name    string
	learned string
}

func (s *step) Persist() (graph.Resource, error) {
	if s.learned == "" {
		return nil, nil
	}
	return graph.Resource{"learned": []byte(s.learned)}, nil
}

// join gives the node's inputs in the order of their parameters.
func join(in graph.Inputs) string {
	var parts []string
	for parameter, v := range in {
		parts = append(parts, parameter+"="+v.(string))
	}
	slices.Sort(parts)
	return strings.Join(parts, ",")
}

var errNoLuck = errors.New("no luck")

func text() graph.Type {
	t := graph.Type{Name: "Text", Version: 1, Trainable: true, Fns: map[string]graph.Fn{
		"provide": {Call: func(_ context.Context, _ any, in graph.Inputs) (any, error) {
			return graph.Fingerprinted{Value: join(in), Print: graph.Fingerprint(join(in))}, nil
		}},
		"train": {Call: func(_ context.Context, c any, in graph.Inputs) (any, error) {
			c.(*step).learned = join(in)
			return nil, nil
		}},
		"process": {Call: func(_ context.Context, c any, in graph.Inputs) (any, error) {
			s := c.(*step)
			return s.name + s.learned + "(" + join(in) + ")", nil
		}},
		"fail": {Call: func(context.Context, any, graph.Inputs) (any, error) { return nil, errNoLuck }},
		"problem": {Call: func(context.Context, any, graph.Inputs) (any, error) {
			return nil, diag.Problem{Code: "x", Message: "wrong"}
		}},
		"wait": {Call: func(ctx context.Context, _ any, _ graph.Inputs) (any, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}},
	}}
	return graph.Define(t, struct{}{}, func(env graph.Env, _ struct{}, saved graph.Resource) (any, error) {
		return &step{name: env.NodeName, learned: string(saved["learned"])}, nil
	})
}

func types(extra ...graph.Type) graph.Types {
	return graph.NewTypes(append([]graph.Type{text()}, extra...))
}

func node(name, fn string, needs ...string) graph.Node {
	n := graph.Node{Name: name, Uses: "Text", Fn: fn, Constructor: graph.Create, Needs: map[string]string{}, Config: graph.Config{}}
	for i := 0; i < len(needs); i += 2 {
		n.Needs[needs[i]] = needs[i+1]
	}
	return n
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// memory is a cache in memory.
type memory struct {
	mu sync.Mutex
	m  map[string]graph.Resource
}

func (c *memory) Get(key string) (graph.Resource, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r, ok := c.m[key]
	return r, ok
}

func (c *memory) Put(key string, r graph.Resource) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.m[key] = r
	return nil
}

// recorder is a hook that notes what it sees.
type recorder struct {
	mu   sync.Mutex
	seen []string
}

func (r *recorder) Before(ctx context.Context, n graph.NodeRun) (context.Context, func(graph.NodeResult)) {
	return ctx, func(result graph.NodeResult) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.seen = append(r.seen, fmt.Sprintf("%s %s %s training=%v hit=%v err=%v", n.NodeName, n.Component, n.Fn, n.Training, result.CacheHit, result.Err))
	}
}

func trainGraph() *graph.Schema {
	in := node("in", "provide", "importer", graph.InputImporter)
	in.IsInput = true
	a, b := node("train_a", "train", "data", "in"), node("train_b", "train", "data", "run_a")
	a.IsTarget, b.IsTarget = true, true
	run := node("run_a", "process", "data", "in", "resource", "train_a")
	run.Constructor = graph.Load
	unused := node("unused", "fail", "data", "in")
	return &graph.Schema{Nodes: []graph.Node{b, run, a, in, unused}}
}

func TestATrainGraphRunsInOrderAndRemembers(t *testing.T) {
	var hook recorder
	tr := graph.Training{Types: types(), Cache: &memory{m: map[string]graph.Resource{}}, Hook: &hook, Logger: quiet(), Threads: 2}
	first, err := tr.Train(t.Context(), trainGraph(), "text")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]graph.Resource{
		"train_a": {"learned": []byte("data=importer=text")},
		"train_b": {"learned": []byte("data=run_adata=importer=text(data=importer=text)")},
	}
	if d := cmp.Diff(want, first.Resources); d != "" {
		t.Errorf("learned (-want +got):\n%s", d)
	}
	if d := cmp.Diff([]string{"in", "run_a", "train_a", "train_b"}, first.Ran); d != "" {
		t.Errorf("ran (-want +got):\n%s", d)
	}
	hook.seen = nil
	second, err := tr.Train(t.Context(), trainGraph(), "text")
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(first.Resources, second.Resources); d != "" {
		t.Errorf("restored (-want +got):\n%s", d)
	}
	slices.Sort(hook.seen)
	if d := cmp.Diff([]string{
		"in Text provide training=true hit=false err=<nil>",
		"train_a Text train training=true hit=true err=<nil>",
		"train_b Text train training=true hit=true err=<nil>",
	}, hook.seen); d != "" {
		t.Errorf("the hook saw (-want +got):\n%s", d)
	}
}

// What a component's settings refer to is part of its fingerprint, so an edited
// file is learned from again.
func TestAnEditedFileTrainsAgain(t *testing.T) {
	file := graph.Resource{"words": []byte("one")}
	reading := text()
	reading.Files = func(graph.Config) (graph.Resource, error) { return file, nil }
	tr := graph.Training{Types: graph.NewTypes([]graph.Type{reading}), Cache: &memory{m: map[string]graph.Resource{}}, Logger: quiet()}
	runs := func() int {
		t.Helper()
		got, err := tr.Train(t.Context(), trainGraph(), "text")
		if err != nil {
			t.Fatal(err)
		}
		return len(got.Ran)
	}
	if first, same := runs(), runs(); first != 4 || same != 1 {
		t.Errorf("%d nodes ran, then %d; want 4, then 1", first, same)
	}
	file = graph.Resource{"words": []byte("two")}
	if edited := runs(); edited != 4 {
		t.Errorf("%d nodes ran with the edited file; want 4", edited)
	}
	reading.Files = func(graph.Config) (graph.Resource, error) { return nil, errNoLuck }
	tr.Types = graph.NewTypes([]graph.Type{reading})
	if _, err := tr.Train(t.Context(), trainGraph(), "text"); !errors.Is(err, errNoLuck) {
		t.Errorf("with an unreadable file: %v", err)
	}
}

func TestErrorsNameTheNodeAndProblemsStayThemselves(t *testing.T) {
	for fn, want := range map[string]string{
		"fail": `node "bad": no luck`, "problem": "wrong [x]", "unheard": `node "bad": Text has no function "unheard"`,
	} {
		bad := node("bad", fn)
		bad.IsTarget = true
		tr := graph.Training{Types: types(), Logger: quiet()}
		if _, err := tr.Train(t.Context(), &graph.Schema{Nodes: []graph.Node{bad}}, nil); err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", fn, err, want)
		}
	}
}

func TestTheFirstFailureStopsTheRest(t *testing.T) {
	bad, waiting := node("bad", "fail"), node("waiting", "wait")
	bad.IsTarget, waiting.IsTarget = true, true
	tr := graph.Training{Types: types(), Logger: quiet(), Threads: 2}
	if _, err := tr.Train(t.Context(), &graph.Schema{Nodes: []graph.Node{bad, waiting}}, nil); !errors.Is(err, errNoLuck) {
		t.Errorf("got %v", err)
	}
}

func TestGraphsThatCannotRunAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		nodes []graph.Node
		want  string
	}{
		"cycle":   {[]graph.Node{node("a", "process", "x", "b"), node("b", "process", "x", "a")}, "cycle"},
		"missing": {[]graph.Node{node("a", "process", "x", "b")}, `needs "b"`},
		"twice":   {[]graph.Node{node("a", "process"), node("a", "process")}, "twice"},
	} {
		s := &graph.Schema{Nodes: c.nodes}
		if _, err := s.Order(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %s", name, err, c.want)
		}
	}
}

func TestAPredictionGraphRunsWhatItsTargetNeeds(t *testing.T) {
	loads := node("run_a", "process", "text", "first")
	loads.Constructor, loads.Resource = graph.Load, "train_a"
	s := &graph.Schema{Nodes: []graph.Node{loads, node("first", "process", "message", graph.InputMessage), node("bad", "fail")}}
	var hook recorder
	p, err := graph.Compile(s, types(), map[string]graph.Resource{"train_a": {"learned": []byte("!")}}, &hook, quiet())
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		got, err := p.Run(t.Context(), "run_a", graph.Inputs{graph.InputMessage: "hi"})
		if want := "run_a!(text=first(message=hi))"; err != nil || got != want {
			t.Errorf("got %v, %v, want %s", got, err, want)
		}
	}
	if len(hook.seen) != 4 || hook.seen[0] != "first Text process training=false hit=false err=<nil>" {
		t.Errorf("the hook saw %q", hook.seen)
	}
	if _, err := p.Run(t.Context(), "bad", nil); err == nil || err.Error() != `node "bad": no luck` {
		t.Errorf("got %v", err)
	}
	if _, err := p.Run(t.Context(), "first", graph.Inputs{graph.InputMessage: 7}); err == nil || !strings.Contains(err.Error(), "can't work with") {
		t.Errorf("a wrong input gave %v", err)
	}
	if _, err := p.Run(t.Context(), "nowhere", nil); err == nil {
		t.Error("a target that does not exist was run")
	}
}

func TestAllThatIsMissingIsNamed(t *testing.T) {
	a, b := node("a", "process"), node("b", "unheard")
	a.Uses = "Ghost"
	_, err := graph.Compile(&graph.Schema{Nodes: []graph.Node{a, b}}, types(), nil, nil, quiet())
	if err == nil || !strings.Contains(err.Error(), "Ghost") || !strings.Contains(err.Error(), "unheard") {
		t.Errorf("got %v", err)
	}
}

func TestSchemasSurviveTheirJSON(t *testing.T) {
	a := node("a", "process", "x", graph.InputMessage)
	a.Config = graph.Config{"share": 1.0, "count": int64(1), "list": []any{int64(2), 0.5}, "none": nil}
	a.Eager, a.Resource, a.Constructor = true, "train_a", graph.Load
	want := graph.Schema{Nodes: []graph.Node{a}}
	data, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var got graph.Schema
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// BenchmarkPlanNode is what the graph adds to each node of a message.
func BenchmarkPlanNode(b *testing.B) {
	const length = 20
	pass := graph.Type{Name: "Pass", Fns: map[string]graph.Fn{"process": {Call: func(_ context.Context, _ any, in graph.Inputs) (any, error) {
		return in["messages"], nil
	}}}, Build: func(graph.Env, graph.Config, graph.Resource) (any, error) { return nil, nil }}
	s := &graph.Schema{}
	last := graph.InputMessage
	for i := range length {
		n := node(fmt.Sprintf("n%d", i), "process", "messages", last)
		n.Uses = "Pass"
		s.Nodes = append(s.Nodes, n)
		last = n.Name
	}
	p, err := graph.Compile(s, types(pass), nil, nil, quiet())
	if err != nil {
		b.Fatal(err)
	}
	inputs := graph.Inputs{graph.InputMessage: []string{"hello"}}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.Run(b.Context(), last, inputs); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/length, "ns/node")
}
