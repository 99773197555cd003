package svm

import (
	"context"
	"math"

	"github.com/loquat-dev/loquat/internal/ml/linear"
	"github.com/loquat-dev/loquat/internal/ml/sparse"
)

// problem is what machines are learned from.
type problem struct {
	x       *sparse.Matrix
	label   []int
	classes int
	threads int
}

const (
	passes = 30
	seed   = 1
)

// fit learns machines with a cost, which weighs more for classes with few
// examples: scikit-learn's class_weight="balanced", as Rasa asks for.
func (p problem) fit(ctx context.Context, cost float64) (*linear.Margins, error) {
	count := make([]int, p.classes)
	for _, k := range p.label {
		count[k]++
	}
	weight := make([]float64, p.classes)
	for k := range weight {
		weight[k] = float64(len(p.label)) / float64(p.classes*max(count[k], 1))
	}
	return linear.FitMargins(ctx, p.x, p.label, p.classes, linear.MarginOptions{
		C: cost, Weight: weight, Passes: passes, Seed: seed, Threads: p.threads,
	})
}

// part is the problem of some of the examples.
func (p problem) part(rows []int) problem {
	var b sparse.Builder
	q := problem{classes: p.classes, threads: p.threads}
	for _, i := range rows {
		b.Row(p.x.Row(i))
		q.label = append(q.label, p.label[i])
	}
	q.x = b.Matrix(p.x.Cols)
	return q
}

// folds deals the examples out, those of each class evenly. As in Rasa there are
// as many folds as leave five examples of the smallest class in each, at least
// two and at most so many.
func (p problem) folds(most int) [][]int {
	byClass := make([][]int, p.classes)
	for i, k := range p.label {
		byClass[k] = append(byClass[k], i)
	}
	smallest := len(p.label)
	for _, examples := range byClass {
		smallest = min(smallest, len(examples))
	}
	folds := make([][]int, max(2, min(most, smallest/5)))
	next := 0
	for _, examples := range byClass {
		for _, i := range examples {
			folds[next] = append(folds[next], i)
			next = (next + 1) % len(folds)
		}
	}
	return folds
}

// found is what a search gives: the best cost, its quality, and the scores that
// each example had from machines that had not seen it.
type found struct {
	cost    float64
	quality float64
	scores  [][]float32
}

// search tries each cost by cross-validation. Of equally good ones the first
// wins.
func (p problem) search(ctx context.Context, c Config) (found, error) {
	best := found{quality: math.Inf(-1)}
	folds := p.folds(c.Folds)
	for _, cost := range c.Costs {
		scores := make([][]float32, len(p.label))
		sum := 0.0
		for held := range folds {
			var seen []int
			for other := range folds {
				if other != held {
					seen = append(seen, folds[other]...)
				}
			}
			machines, err := p.part(seen).fit(ctx, cost)
			if err != nil {
				return best, err
			}
			var want, got []int
			for _, i := range folds[held] {
				scores[i] = make([]float32, p.classes)
				index, value := p.x.Row(i)
				machines.Scores(index, value, scores[i])
				want, got = append(want, p.label[i]), append(got, largest(scores[i]))
			}
			sum += scoring[c.Scoring](countUp(want, got, p.classes))
		}
		if quality := sum / float64(len(folds)); quality > best.quality {
			best = found{cost, quality, scores}
		}
	}
	return best, nil
}

func largest(scores []float32) int {
	best := 0
	for k, s := range scores {
		if s > scores[best] {
			best = k
		}
	}
	return best
}

// fitSharpness finds the a for which softmax(a·scores) fits the labels best: one
// slope for all machines, learned as Platt learns it, from scores of examples that
// they had not seen and with his targets: of n examples of a class, one and a bit
// may be wrong, (n+1)/(n+2) is right. So few examples never make a model sure.
//
// The loss −Σ target·log p is convex in a; its derivative is E_p[score] −
// E_target[score]. Sources: Platt 1999, "Probabilistic Outputs for Support Vector
// Machines"; Guo et al. 2017, "On Calibration of Modern Neural Networks", for one
// slope ("temperature") in place of one for each class.
func fitSharpness(scores [][]float32, label []int) float64 {
	count := map[int]float64{}
	for _, k := range label {
		count[k]++
	}
	slope := func(a float64) float64 {
		sum := 0.0
		for i, s := range scores {
			right := (count[label[i]] + 1) / (count[label[i]] + 2)
			wrong := (1 - right) / float64(len(s)-1)
			top := float64(s[largest(s)])
			mean, total, target := 0.0, 0.0, (right-wrong)*float64(s[label[i]])
			for _, v := range s {
				e := math.Exp(a * (float64(v) - top))
				total += e
				mean += e * float64(v)
				target += wrong * float64(v)
			}
			sum += mean/total - target
		}
		return sum
	}
	low, high := flattest, sharpest
	for range 40 {
		if middle := (low + high) / 2; slope(middle) < 0 {
			low = middle
		} else {
			high = middle
		}
	}
	return (low + high) / 2
}

// The sharpness stays between these, should all examples be wrong.
const (
	flattest = 0.1
	sharpest = 50.0
)
