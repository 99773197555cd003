package discriminant

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/loquat-dev/loquat/internal/ml/weights"
)

// problem has classes that differ in a few directions, among others in which all
// vectors differ more.
func problem(n, d, classes int, seed uint64) (vectors [][]float32, label []int) {
	r := rand.New(rand.NewPCG(seed, 1))
	mean := make([][]float32, classes)
	for k := range mean {
		mean[k] = make([]float32, d)
		for j := range d / 2 {
			mean[k][j] = float32(r.NormFloat64())
		}
	}
	for i := range n {
		v := slices.Clone(mean[i%classes])
		for j := range v {
			noise := 0.5
			if j >= d/2 {
				noise = 3
			}
			v[j] += float32(noise * r.NormFloat64())
		}
		vectors, label = append(vectors, v), append(label, i%classes)
	}
	return vectors, label
}

func options(threads int) Options { return Options{Prior: 20, Threads: threads} }

func (m *Model) best(v []float32) int {
	x, scores := make([]float32, m.Features), make([]float32, m.Classes)
	m.Normalize(v, x)
	m.Scores(x, scores)
	return slices.Index(scores, slices.Max(scores))
}

func TestClassesAreToldApartByWhatTellsThemApart(t *testing.T) {
	for _, n := range []int{40, 400} { // fewer and more vectors than numbers in one
		all, labels := problem(n+400, 60, 8, 3)
		m, err := Fit(context.Background(), all[:n], labels[:n], 8, options(2))
		if err != nil {
			t.Fatal(err)
		}
		right := 0
		for i := n; i < len(all); i++ {
			if m.best(all[i]) == labels[i] {
				right++
			}
		}
		nearest := 0
		for i := n; i < len(all); i++ {
			best, at := math.Inf(1), 0
			for j := range n {
				if d := distance(all[i], all[j]); d < best {
					best, at = d, j
				}
			}
			if labels[at] == labels[i] {
				nearest++
			}
		}
		if right < 280 || right < nearest+40 {
			t.Errorf("%d vectors: %d of 400 right, %d by the nearest of them", n, right, nearest)
		}
	}
}

func distance(a, b []float32) (sum float64) {
	for j := range a {
		sum += float64(a[j]-b[j]) * float64(a[j]-b[j])
	}
	return sum
}

// With one vector more or less than numbers, both ways of solving are at hand.
func TestBothWaysOfSolvingAgree(t *testing.T) {
	vectors, label := problem(30, 29, 4, 5)
	f := &fit{o: options(1), n: 30, d: 29, classes: 4, label: label}
	f.read(vectors)
	primal := f.newSolver(context.Background())
	dual := &solver{n: f.n, d: f.d, rest: f.rest, ridge: f.ridge, dual: true, size: f.n, factor: make([]float32, f.n*f.n)}
	dual.products(context.Background(), 1)
	for i := range dual.size {
		dual.factor[i*dual.size+i] += dual.ridge
	}
	dual.factorize(context.Background(), 1)
	a, b := make([]float32, f.d), make([]float32, f.d)
	primal.solve(f.row(f.mean, 1), a, primal.work())
	dual.solve(f.row(f.mean, 1), b, dual.work())
	for j := range a {
		if math.Abs(float64(a[j]-b[j])) > 1e-3*math.Abs(float64(a[j]))+1e-4 {
			t.Fatalf("number %d: %v and %v", j, a[j], b[j])
		}
	}
	// And the solution solves: (RᵀR + ridge·I)·a = mean.
	for j := range a {
		got := float64(f.ridge) * float64(a[j])
		for i := range f.n {
			product := 0.0
			for l, v := range f.row(f.rest, i) {
				product += float64(v) * float64(a[l])
			}
			got += float64(f.row(f.rest, i)[j]) * product
		}
		if want := float64(f.row(f.mean, 1)[j]); math.Abs(got-want) > 1e-4 {
			t.Fatalf("number %d: %v, want %v", j, got, want)
		}
	}
}

// What an example scores without itself is what it scores when all is computed
// anew without it, with the same centre and prior.
func TestScoresWithoutAnExample(t *testing.T) {
	for _, d := range []int{12, 50} {
		vectors, label := problem(30, d, 4, 7)
		f := &fit{o: options(1), n: 30, d: d, classes: 4, label: label}
		f.read(vectors)
		f.solver = f.newSolver(context.Background())
		f.solveMeans()
		got := f.scoresWithout(29, make([]float32, d), f.solver.work())

		g := &fit{o: f.o, n: 29, d: d, classes: 4, label: label[:29], center: f.center, ridge: f.ridge, scale: f.scale - 1}
		g.x, g.rest = f.x[:29*d], slices.Clone(f.x[:29*d])
		g.mean, g.count = make([]float32, 4*d), make([]int, 4)
		for i := range 29 {
			g.count[label[i]]++
		}
		for i := range 29 {
			for j, v := range g.row(g.x, i) {
				g.row(g.mean, label[i])[j] += v / float32(g.count[label[i]])
			}
		}
		for i := range 29 {
			for j := range d {
				g.row(g.rest, i)[j] -= g.row(g.mean, label[i])[j]
			}
		}
		g.solver = g.newSolver(context.Background())
		g.solveMeans()
		for c := range 4 {
			want := -g.half[c]
			for j, v := range f.row(f.x, 29) {
				want += v * g.row(g.w, c)[j]
			}
			if want *= float32(g.scale); math.Abs(float64(got[c]-want)) > 0.01*math.Abs(float64(want))+0.02 {
				t.Errorf("%d numbers, class %d: %v, want %v", d, c, got[c], want)
			}
		}
	}
}

// Confidence is as high as the share of right answers among new vectors.
func TestSharpnessFitsNewVectors(t *testing.T) {
	all, labels := problem(700, 60, 8, 9)
	m, err := Fit(context.Background(), all[:200], labels[:200], 8, options(2))
	if err != nil {
		t.Fatal(err)
	}
	right, sure := 0.0, 0.0
	x, scores := make([]float32, m.Features), make([]float32, m.Classes)
	for i := 200; i < 700; i++ {
		m.Normalize(all[i], x)
		m.Scores(x, scores)
		best := slices.Index(scores, slices.Max(scores))
		sure += math.Exp(-logLoss(scores, best, m.Sharpness))
		if best == labels[i] {
			right++
		}
	}
	if math.Abs(right-sure) > 40 {
		t.Errorf("%v of 500 right, confidence says %.1f", right, sure)
	}
}

func TestOneVectorForEachClass(t *testing.T) {
	vectors, label := problem(8, 60, 8, 11)
	m, err := Fit(context.Background(), vectors, label, 8, options(1))
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range vectors {
		if got := m.best(v); got != label[i] {
			t.Errorf("vector %d is of class %d, not %d", label[i], i, got)
		}
	}
	same := [][]float32{vectors[0], vectors[0], vectors[0]}
	if m, err = Fit(context.Background(), same, []int{0, 1, 1}, 2, options(1)); err != nil {
		t.Fatal(err)
	}
	x, scores := make([]float32, m.Features), make([]float32, 2)
	m.Normalize(vectors[0], x)
	m.Scores(x, scores)
	if scores[0]-scores[1] != 0 || m.Sharpness-m.Sharpness != 0 {
		t.Errorf("scores %v, sharpness %v of vectors that are all the same", scores, m.Sharpness)
	}
}

func TestThreadsChangeNothing(t *testing.T) {
	for _, n := range []int{50, 150} {
		vectors, label := problem(n, 100, 5, 13)
		bytes := func(threads int) []byte {
			m, err := Fit(context.Background(), vectors, label, 5, options(threads))
			if err != nil {
				t.Fatal(err)
			}
			w := weights.NewWriter("test", 1)
			m.Write(w)
			return w.Bytes()
		}
		if one, three := bytes(1), bytes(3); !slices.Equal(one, three) {
			t.Errorf("%d vectors: the models differ", n)
		}
	}
}

func TestWhatIsReadAnswersTheSame(t *testing.T) {
	vectors, label := problem(50, 20, 5, 15)
	m, err := Fit(context.Background(), vectors, label, 5, options(1))
	if err != nil {
		t.Fatal(err)
	}
	w := weights.NewWriter("test", 1)
	m.Write(w)
	r := weights.NewReader(w.Bytes(), "test", 1)
	read := Read(r)
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	for _, v := range vectors {
		if read.best(v) != m.best(v) || read.Sharpness != m.Sharpness {
			t.Fatal("the model that was read answers differently")
		}
	}
}

func TestCancelledFittingStops(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	vectors, label := problem(50, 20, 5, 17)
	if _, err := Fit(ctx, vectors, label, 5, options(1)); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
}
