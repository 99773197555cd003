package crf

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/loquat-dev/loquat/internal/ml/sparse"
	"github.com/loquat-dev/loquat/internal/ml/weights"
)

// bilou is the topology of the tags O, B, I, L, U of one label.
func bilou() Topology {
	return Topology{
		Opens:  []bool{true, true, false, false, true},
		Closes: []bool{true, false, false, true, true},
		Edges:  [][2]int32{{1, 2}, {1, 3}, {2, 2}, {2, 3}},
		Parts:  [][]int32{{0}, {1, 5}, {2, 5}, {3, 5}, {4, 5}},
	}
}

// sentences are random but consistent tag sequences whose features tell little.
func sentences(n int) []Sequence {
	r := rand.New(rand.NewPCG(5, 6))
	var out []Sequence
	for range n {
		var y []int32
		for len(y) < 5 {
			switch r.IntN(4) {
			case 0:
				y = append(y, 4)
			case 1:
				y = append(y, 1, 2, 3)
			default:
				y = append(y, 0)
			}
		}
		var b sparse.Builder
		for _, tag := range y {
			var index []int32
			var value []float32
			for j := range 12 {
				if r.IntN(4) == 0 || (j == int(tag) && r.IntN(2) == 0) {
					index, value = append(index, int32(j)), append(value, 0.5+r.Float32())
				}
			}
			b.Row(index, value)
		}
		out = append(out, Sequence{X: b.Matrix(12), Y: y})
	}
	return out
}

func options(threads int) Options {
	return Options{Passes: 20, Batch: 4, LearningRate: 0.2, Dropout: 0.1, Models: 2, Seed: 1, Threads: threads}
}

func trained(t *testing.T, o Options) *Model {
	t.Helper()
	m, err := Train(context.Background(), sentences(40), bilou(), 12, o)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// allowed reports whether the model can take this path at all, and its log weight.
func (m *Model) path(x *sparse.Matrix, y []int) (float64, bool) {
	var l Lattice
	l.prepare(m, x.Rows(), negligible)
	m.emissions(x, &l)
	if !m.Opens[y[0]] || !m.Closes[y[len(y)-1]] {
		return 0, false
	}
	sum := 0.0
	for t, tag := range y {
		sum += l.score[t*m.Tags()+tag]
		if t == 0 {
			continue
		}
		k := slices.Index(m.Edges, [2]int32{int32(y[t-1]), int32(tag)})
		switch {
		case k >= 0:
			sum += float64(m.edge[k])
		case m.Closes[y[t-1]] && m.Opens[tag]:
			sum += float64(m.shared)
		default:
			return 0, false
		}
	}
	return sum, true
}

// Marginals are compared with the sum over every path.
func TestMarginalsAreSumsOverPaths(t *testing.T) {
	m := trained(t, options(1))
	x := sentences(1)[0].X
	n := min(x.Rows(), 5)
	x = &sparse.Matrix{Cols: x.Cols, Start: x.Start[:n+1], Index: x.Index, Value: x.Value}
	want := make([]float64, n*m.Tags())
	z := 0.0
	y := make([]int, n)
	var walk func(t int)
	walk = func(t int) {
		if t == n {
			if w, ok := m.path(x, y); ok {
				z += math.Exp(w)
				for i, tag := range y {
					want[i*m.Tags()+tag] += math.Exp(w)
				}
			}
			return
		}
		for tag := range m.Tags() {
			y[t] = tag
			walk(t + 1)
		}
	}
	walk(0)
	var l Lattice
	for i, got := range m.Marginals(x, &l) {
		if math.Abs(got-want[i]/z) > 1e-9 {
			t.Errorf("token %d, tag %d: %v, sum over paths %v", i/m.Tags(), i%m.Tags(), got, want[i]/z)
		}
	}
	if n := testing.AllocsPerRun(10, func() { m.Marginals(x, &l) }); n > 0 {
		t.Errorf("%v allocations per message", n)
	}
}

// A path that leads over tags which were left out as negligible is found all the
// same.
func TestDeadEndsAreLeft(t *testing.T) {
	model, _ := newModel(sentences(5), bilou(), 12, nil)
	var l Lattice
	l.prepare(model, 2, negligibleInTraining)
	copy(l.score, []float64{
		0, 40, 0, 0, 0, // B above all
		40, 0, 0, 0, 0, // O above all, which can't follow B
	})
	if z := l.run(model); math.Abs(z-40) > 1e-9 || math.Abs(l.at(l.marginal, 1)[3]-1) > 1e-9 {
		t.Errorf("log Z is %v and the probability of L after B %v; there is this one way", z, l.at(l.marginal, 1)[3])
	}
}

func TestGradients(t *testing.T) {
	data := sentences(5)
	model, e := newModel(data, bilou(), 12, nil)
	tr := newTrainer(data, model, model.partSets(), e, Options{Batch: 1}, 0, 1)
	r := rand.New(rand.NewPCG(7, 8))
	for i := range tr.model.weight {
		tr.model.weight[i] = float32(r.NormFloat64())
	}
	for i := range tr.model.edge {
		tr.model.edge[i] = float32(r.NormFloat64())
	}
	tr.model.shared = 0.3
	s := &tr.sequences[0]
	for n, example := range data {
		loss := func() float64 {
			tr.model.refresh()
			tr.gradient(s, example)
			return s.loss
		}
		loss()
		residual, edges, shared := slices.Clone(s.residual), slices.Clone(s.edges), s.shared
		check := func(name string, weight *float32, got float64) {
			const h = 1.0 / 512
			at := *weight
			*weight = at + h
			up := loss()
			*weight = at - h
			down := loss()
			*weight = at
			if want := (up - down) / (2 * h); math.Abs(want-got) > 1e-4 {
				t.Errorf("sentence %d, %s: gradient %v, finite difference %v", n, name, got, want)
			}
		}
		check("shared transition", &tr.model.shared, shared)
		for k := range edges {
			check("edge", &tr.model.edge[k], edges[k])
		}
		m := tr.model
		for j := range m.Features() {
			for w := m.start[j]; w < m.start[j+1]; w++ {
				got := 0.0
				for i := range example.Y {
					index, value := example.X.Row(i)
					if k := slices.Index(index, int32(j)); k >= 0 {
						got += float64(value[k]) * residual[i*m.parts+int(m.part[w])]
					}
				}
				check("emission", &m.weight[w], got)
			}
		}
	}
}

// Which weights are worth an update is looked up in sets; going through all of them
// gives the same.
func TestUpdatesReachEveryWeightThatIsWorthOne(t *testing.T) {
	const labels, features = 40, 50 // more parts than a word has bits
	topology := Topology{}
	for y := range int32(labels) {
		topology.Opens, topology.Closes = append(topology.Opens, true), append(topology.Closes, true)
		topology.Parts = append(topology.Parts, []int32{y, labels + y*2})
	}
	r := rand.New(rand.NewPCG(9, 10))
	var data []Sequence
	for range 30 {
		var b sparse.Builder
		var y []int32
		for range 6 {
			y = append(y, r.Int32N(labels))
			b.Row([]int32{r.Int32N(features / 2), features/2 + r.Int32N(features/2)}, []float32{1, r.Float32()})
		}
		data = append(data, Sequence{X: b.Matrix(features), Y: y})
	}
	model, e := newModel(data, topology, features, nil)
	tr := newTrainer(data, model, model.partSets(), e, Options{Batch: 1, LearningRate: 0.2}, 0, 1)
	tr.rate = 0.2
	s := &tr.sequences[0]
	for n, example := range data {
		tr.gradient(s, example)
		want, sums := slices.Clone(tr.model.weight), slices.Clone(tr.sumWeight)
		for i := range s.x.Rows() {
			index, value := s.x.Row(i)
			for k, j := range index {
				for w := model.start[j]; w < model.start[j+1]; w++ {
					residual := s.residual[i*model.parts+int(model.part[w])]
					if math.Abs(residual) <= lost {
						continue
					}
					g := float64(value[k]) * residual
					sums[w] += float32(g * g)
					want[w] -= float32(tr.rate * g / (math.Sqrt(float64(sums[w])) + epsilon))
				}
			}
		}
		tr.update(s, 0, 1)
		if !slices.Equal(tr.model.weight, want) {
			t.Fatalf("after example %d the weights are others", n)
		}
	}
}

func TestLearnsWhatFeaturesSay(t *testing.T) {
	var data []Sequence
	for range 10 {
		var b sparse.Builder
		y := []int32{0, 1, 3, 4, 0}
		for _, tag := range y {
			b.Row([]int32{tag}, []float32{1})
		}
		data = append(data, Sequence{b.Matrix(5), y})
	}
	m, err := Train(context.Background(), data, bilou(), 5, options(2))
	if err != nil {
		t.Fatal(err)
	}
	var l Lattice
	p := m.Marginals(data[0].X, &l)
	for i, y := range data[0].Y {
		if p[i*5+int(y)] < 0.95 {
			t.Errorf("token %d: %v", i, p[i*5:(i+1)*5])
		}
	}
}

func TestThreadsDoNotChangeTheWeights(t *testing.T) {
	one, three := trained(t, options(1)), trained(t, options(3))
	if !slices.Equal(one.weight, three.weight) || !slices.Equal(one.edge, three.edge) || one.shared != three.shared {
		t.Error("the weights differ")
	}
}

func TestGoingOnStartsFromTheOldWeights(t *testing.T) {
	var last float64
	o := options(1)
	o.Passes, o.Dropout = 1, 0
	o.AfterPass = func(_ int, loss float64) { last = loss }
	trained(t, o)
	fresh := last
	o.Start = trained(t, options(1))
	more, err := Train(context.Background(), sentences(40), bilou(), 15, o)
	if err != nil {
		t.Fatal(err)
	}
	if last >= fresh || more.Features() != 15 {
		t.Errorf("loss %v going on, %v from scratch", last, fresh)
	}
}

func TestCancelledTrainingStops(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Train(ctx, sentences(4), bilou(), 12, options(1)); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
}

func TestStoredModelAnswersTheSame(t *testing.T) {
	m := trained(t, options(1))
	w := weights.NewWriter("crf", 1)
	m.Write(w)
	r := weights.NewReader(w.Bytes(), "crf", 1)
	back := Read(r, 12)
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	var a, b Lattice
	x := sentences(1)[0].X
	want := m.Marginals(x, &a)
	for i, p := range back.Marginals(x, &b) {
		if math.Abs(p-want[i]) > 1e-3 {
			t.Fatalf("marginal %d: %v, stored %v", i, want[i], p)
		}
	}
}
