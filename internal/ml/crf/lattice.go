package crf

import "math"

// Lattice is the work space of the forward-backward algorithm (Rabiner 1989,
// with scaling) for one sequence after the other.
type Lattice struct {
	tokens, tags int
	score        []float64 // log emissions, [tokens, tags]
	emission     []float64 // exp(score − the token's largest), [tokens, tags]
	forward      []float64 // α, each token's sum scaled to 1
	ahead        []float64 // emission·β with the same scales
	marginal     []float64 // α·β
	scale        []float64 // what each token's α was divided by
	part         []float64 // emissions of one token's parts
}

func (l *Lattice) prepare(m *Model, tokens int) {
	l.tokens, l.tags = tokens, m.Tags()
	n := tokens * l.tags
	if cap(l.score) < n {
		l.score, l.emission, l.forward = make([]float64, n), make([]float64, n), make([]float64, n)
		l.ahead, l.marginal = make([]float64, n), make([]float64, n)
	}
	l.score, l.emission, l.forward = l.score[:n], l.emission[:n], l.forward[:n]
	l.ahead, l.marginal = l.ahead[:n], l.marginal[:n]
	if cap(l.scale) < tokens {
		l.scale = make([]float64, tokens)
	}
	l.scale = l.scale[:tokens]
	if len(l.part) != m.parts {
		l.part = make([]float64, m.parts)
	}
}

// What is as good as nothing: a log emission below the largest one of its token,
// and a forward probability.
const (
	negligible  = -40
	improbable  = 1e-18
	noWayAcross = 1e-300
)

// run computes everything from the scores and returns log Z.
func (l *Lattice) run(m *Model) float64 {
	logZ := 0.0
	for t := range l.tokens {
		largest := l.exponentiate(m, t)
		a := l.at(l.forward, t)
		if t == 0 {
			for y := range a {
				a[y] = 1
			}
		} else {
			m.follow(l.at(l.forward, t-1), a)
		}
		sum := 0.0
		for y, e := range l.at(l.emission, t) {
			a[y] = max(a[y], 0) * e // corrections may leave a rounding error below 0
			sum += a[y]
		}
		if sum < noWayAcross { // but by rounding: let every tag be as likely
			for y := range a {
				a[y] = 1
			}
			sum = float64(len(a))
		}
		l.scale[t] = sum
		for y := range a {
			if a[y] /= sum; a[y] < improbable {
				a[y] = 0
			}
		}
		logZ += math.Log(sum) + largest
	}
	for t := l.tokens - 1; t >= 0; t-- {
		l.lookBack(m, t)
	}
	return logZ
}

// exponentiate computes the emissions of a token and returns the largest score.
// A first token's tag must open, and a last one's must close.
func (l *Lattice) exponentiate(m *Model, t int) (largest float64) {
	score, e := l.at(l.score, t), l.at(l.emission, t)
	largest = math.Inf(-1)
	for _, s := range score {
		largest = max(largest, s)
	}
	for y, s := range score {
		e[y] = 0
		if s -= largest; s > negligible {
			e[y] = math.Exp(s)
		}
	}
	if t == 0 {
		only(m.Opens, e)
	}
	if t == l.tokens-1 {
		only(m.Closes, e)
	}
	return largest
}

// only takes the emissions of other tags away.
func only(tags []bool, e []float64) {
	for y, is := range tags {
		if !is {
			e[y] = 0
		}
	}
}

// lookBack computes emission·β and the marginals of token t from those after it.
func (l *Lattice) lookBack(m *Model, t int) {
	forward, ahead, marginal := l.at(l.forward, t), l.at(l.ahead, t), l.at(l.marginal, t)
	if t == l.tokens-1 {
		for y := range ahead {
			ahead[y] = 1
		}
	} else {
		m.precede(forward, l.at(l.ahead, t+1), l.scale[t+1], ahead)
	}
	sum := 0.0
	emission := l.at(l.emission, t)
	for y, a := range forward {
		marginal[y] = a * ahead[y]
		sum += marginal[y]
		ahead[y] *= emission[y]
	}
	if sum > 0 {
		for y := range marginal {
			marginal[y] /= sum
		}
	}
}

func (l *Lattice) at(v []float64, t int) []float64 { return v[t*l.tags : (t+1)*l.tags : (t+1)*l.tags] }

// addEdges adds p(yₜ₋₁, yₜ | x) of all edges to sums and returns their total, for
// t ≥ 1.
func (l *Lattice) addEdges(m *Model, t int, sums []float64) (total float64) {
	ahead, scale := l.at(l.ahead, t), l.scale[t]
	for x, a := range l.at(l.forward, t-1) {
		if a == 0 {
			continue
		}
		a /= scale
		for k := m.from[x]; k < m.from[x+1]; k++ {
			p := a * m.expEdge[k] * ahead[m.Edges[k][1]]
			sums[k] += p
			total += p
		}
	}
	return total
}
