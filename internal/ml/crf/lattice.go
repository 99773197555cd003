package crf

import "math"

// Lattice is the work space of the forward-backward algorithm (Rabiner 1989,
// with scaling) for one sequence after the other.
type Lattice struct {
	tokens, tags int
	score        []float64 // log emissions, [tokens, tags]
	emission     []float64 // exp(score − the token's largest), [tokens, tags]
	forward      []float64 // α, each token's sum scaled to 1
	backward     []float64 // β with the same scales
	marginal     []float64 // α·β
	scale        []float64 // what each token's α was divided by
	largest      []float64 // the token's largest score
	part         []float64 // emissions of one token's parts

	// exp of the transition weights
	edge   []float64
	shared float64
	of     *Model // the model that edge and shared were computed from
}

func (l *Lattice) prepare(m *Model, tokens int) {
	l.tokens, l.tags = tokens, m.Tags()
	n := tokens * l.tags
	if cap(l.score) < n {
		l.score, l.emission = make([]float64, n), make([]float64, n)
		l.forward, l.backward, l.marginal = make([]float64, n), make([]float64, n), make([]float64, n)
	}
	l.score, l.emission = l.score[:n], l.emission[:n]
	l.forward, l.backward, l.marginal = l.forward[:n], l.backward[:n], l.marginal[:n]
	if cap(l.scale) < tokens {
		l.scale, l.largest = make([]float64, tokens), make([]float64, tokens)
	}
	l.scale, l.largest = l.scale[:tokens], l.largest[:tokens]
	if n := m.parts(); len(l.part) != n {
		l.part = make([]float64, n)
	}
	if l.of != m {
		l.transitions(m)
		l.of = m
	}
}

// transitions reads the weights of a model; they hold until the next call.
func (l *Lattice) transitions(m *Model) {
	if len(l.edge) != len(m.edge) {
		l.edge = make([]float64, len(m.edge))
	}
	for i, w := range m.edge {
		l.edge[i] = math.Exp(float64(w))
	}
	l.shared = math.Exp(float64(m.shared))
}

// negligible is the log of a probability that is as good as none.
const negligible = -40

// run computes everything from the scores and returns log Z.
func (l *Lattice) run(m *Model) float64 {
	logZ := 0.0
	for t := range l.tokens {
		score, e := l.at(l.score, t), l.at(l.emission, t)
		top := math.Inf(-1)
		for _, s := range score {
			top = max(top, s)
		}
		for y, s := range score {
			e[y] = 0
			if s-top > negligible {
				e[y] = math.Exp(s - top)
			}
		}
		l.largest[t] = top
	}
	for t := range l.tokens {
		a := l.at(l.forward, t)
		if t == 0 {
			for y, opens := range m.Opens {
				a[y] = 0
				if opens {
					a[y] = 1
				}
			}
		} else {
			l.follow(m, l.at(l.forward, t-1), a)
		}
		if t == l.tokens-1 {
			for y, closes := range m.Closes {
				if !closes {
					a[y] = 0
				}
			}
		}
		sum := 0.0
		for y, e := range l.at(l.emission, t) {
			a[y] *= e
			sum += a[y]
		}
		if sum < 1e-300 { // no way through but by rounding: let every tag be as likely
			for y := range a {
				a[y] = 1
			}
			sum = float64(len(a))
		}
		l.scale[t] = sum
		for y := range a {
			a[y] /= sum
		}
		logZ += math.Log(sum) + l.largest[t]
	}
	for t := l.tokens - 1; t >= 0; t-- {
		b := l.at(l.backward, t)
		if t == l.tokens-1 {
			for y := range b {
				b[y] = 1
			}
		} else {
			l.precede(m, t, b)
		}
		sum := 0.0
		marginal := l.at(l.marginal, t)
		for y, a := range l.at(l.forward, t) {
			marginal[y] = a * b[y]
			sum += marginal[y]
		}
		if sum > 0 {
			for y := range marginal {
				marginal[y] /= sum
			}
		}
	}
	return logZ
}

func (l *Lattice) at(v []float64, t int) []float64 { return v[t*l.tags : (t+1)*l.tags : (t+1)*l.tags] }

// follow computes a[y] = Σₓ before[x]·transition(x, y).
func (l *Lattice) follow(m *Model, before, a []float64) {
	all := 0.0
	for x, closes := range m.Closes {
		if closes {
			all += before[x]
		}
	}
	all *= l.shared
	for y, opens := range m.Opens {
		a[y] = 0
		if opens {
			a[y] = all
		}
	}
	for i, e := range m.Edges {
		a[e[1]] += before[e[0]] * l.correction(m, i)
	}
	for y := range a {
		a[y] = max(a[y], 0) // corrections may leave a rounding error below 0
	}
}

// precede computes b[x] = Σ_y transition(x, y)·emission[t+1][y]·β[t+1][y], scaled
// like the forward pass. The token t+1 must be the last one if it closes.
func (l *Lattice) precede(m *Model, t int, b []float64) {
	emission, after, scale := l.at(l.emission, t+1), l.at(l.backward, t+1), l.scale[t+1]
	last := t+1 == l.tokens-1
	weight := func(y int32) float64 {
		if last && !m.Closes[y] {
			return 0
		}
		return emission[y] * after[y]
	}
	all := 0.0
	for y, opens := range m.Opens {
		if opens {
			all += weight(int32(y))
		}
	}
	all *= l.shared
	for x, closes := range m.Closes {
		b[x] = 0
		if closes {
			b[x] = all
		}
	}
	for i, e := range m.Edges {
		b[e[0]] += weight(e[1]) * l.correction(m, i)
	}
	for x := range b {
		b[x] = max(b[x], 0) / scale
	}
}

// correction is what an edge adds to the shared transition, if it has that too.
func (l *Lattice) correction(m *Model, i int) float64 {
	e := m.Edges[i]
	if m.Closes[e[0]] && m.Opens[e[1]] {
		return l.edge[i] - l.shared
	}
	return l.edge[i]
}

// edgeMarginal returns p(yₜ₋₁ = from, yₜ = to | x) of edge i, for t ≥ 1.
func (l *Lattice) edgeMarginal(m *Model, i, t int) float64 {
	e := m.Edges[i]
	if t == l.tokens-1 && !m.Closes[e[1]] {
		return 0
	}
	return l.at(l.forward, t-1)[e[0]] * l.edge[i] * l.at(l.emission, t)[e[1]] * l.at(l.backward, t)[e[1]] / l.scale[t]
}
