package svm

import (
	"math"
	"slices"
	"testing"
)

func TestFoldsAreEven(t *testing.T) {
	for _, c := range []struct {
		classes []int // examples of each
		most    int
		want    int
	}{{[]int{3, 9}, 5, 2}, {[]int{15, 40}, 5, 3}, {[]int{100, 60}, 5, 5}, {[]int{1, 1}, 5, 2}, {[]int{100, 100}, 20, 20}} {
		p := problem{classes: len(c.classes)}
		for k, n := range c.classes {
			for range n {
				p.label = append(p.label, k)
			}
		}
		folds := p.folds(c.most)
		if len(folds) != c.want {
			t.Errorf("%v: %d folds, want %d", c.classes, len(folds), c.want)
		}
		seen := make([]bool, len(p.label))
		for _, fold := range folds {
			count := make([]int, p.classes)
			for _, i := range fold {
				if seen[i] {
					t.Fatalf("%v: example %d is in two folds", c.classes, i)
				}
				seen[i] = true
				count[p.label[i]]++
			}
			for k, n := range count {
				if n < c.classes[k]/len(folds) || n > c.classes[k]/len(folds)+1 {
					t.Errorf("%v: a fold has %d examples of class %d", c.classes, n, k)
				}
			}
		}
		if slices.Contains(seen, false) {
			t.Errorf("%v: an example is in no fold", c.classes)
		}
	}
}

// The expected values were computed with scikit-learn 1.1.3, as it is called by
// make_scorer with zero_division at its default.
func TestScoringIsScikitLearns(t *testing.T) {
	c := countUp([]int{0, 0, 0, 1, 1, 2, 2, 2, 2, 4}, []int{0, 1, 0, 1, 2, 2, 2, 0, 2, 3}, 6)
	for name, want := range map[string]float64{
		"accuracy":           0.6,
		"balanced_accuracy":  0.4791666666666667,
		"f1_macro":           0.3833333333333333,
		"f1_micro":           0.6,
		"f1_weighted":        0.6,
		"precision_macro":    0.3833333333333333,
		"precision_micro":    0.6,
		"precision_weighted": 0.6,
		"recall_macro":       0.3833333333333333,
		"recall_micro":       0.6,
		"recall_weighted":    0.6,
	} {
		if got := scoring[name](c); math.Abs(got-want) > 1e-12 {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
}

// Whatever is near the sharpness fits the targets less well.
func TestSharpnessFitsPlattsTargets(t *testing.T) {
	scores := [][]float32{{0.4, -0.3, -1}, {-0.2, 0.1, -1}, {0.3, 0.2, -0.9}, {-1, -0.2, 0.8}, {0.1, 0.2, -1}, {0.9, -1, -1}}
	label := []int{0, 1, 1, 2, 0, 0}
	right := []float64{4. / 5, 3. / 4, 2. / 3}
	loss := func(a float64) float64 {
		sum := 0.0
		for i, s := range scores {
			total := 0.0
			for _, v := range s {
				total += math.Exp(a * float64(v))
			}
			for k, v := range s {
				target := right[label[i]]
				if k != label[i] {
					target = (1 - target) / 2
				}
				sum -= target * (a*float64(v) - math.Log(total))
			}
		}
		return sum
	}
	a := fitSharpness(scores, label)
	if loss(a) > loss(a-0.01) || loss(a) > loss(a+0.01) {
		t.Errorf("sharpness %v has the loss %v, beside it %v and %v", a, loss(a), loss(a-0.01), loss(a+0.01))
	}
	// one example of each class, both right: two thirds sure
	a = fitSharpness([][]float32{{1, -1}, {-1, 1}}, []int{0, 1})
	if p := 1 / (1 + math.Exp(-2*a)); math.Abs(p-2./3) > 1e-6 {
		t.Errorf("two examples make it %v sure", p)
	}
	if got := fitSharpness([][]float32{{1, -1}, {-1, 1}}, []int{1, 0}); got > 0.11 {
		t.Errorf("examples that are all wrong give %v", got)
	}
}
