package nludata_test

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/loquat-dev/loquat/internal/nludata"
)

// numbered is data with so many examples of each intent.
func numbered(sizes []int) *nludata.TrainingData {
	d := nludata.New()
	for i, n := range sizes {
		for j := range n {
			d.Examples = append(d.Examples, nludata.Example{Text: fmt.Sprint(i, " ", j), Intent: fmt.Sprint(i)})
		}
	}
	return d
}

func countIntents(d *nludata.TrainingData) map[string]int {
	counts := map[string]int{}
	for _, e := range d.Examples {
		counts[e.Intent]++
	}
	return counts
}

// With these numbers of examples Rasa 3.6.21 makes parts of the same sizes: the
// whole part of each intent's fraction, and some intents one more. Which ones,
// Rasa decides by chance and we by what they lack.
func TestSplitsHaveRasasSizes(t *testing.T) {
	sizes := []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 15, 20}
	for _, c := range []struct {
		fraction float64
		total    int
		want     []int
	}{
		{0.8, 100, []int{0, 1, 2, 3, 4, 5, 6, 7, 7, 8, 9, 10, 10, 12, 16}},
		{0.5, 63, []int{0, 1, 2, 2, 3, 3, 4, 4, 5, 5, 5, 6, 6, 7, 10}},
		{0.3, 37, []int{0, 1, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 6}},
	} {
		first, second := numbered(sizes).Split(c.fraction, 1)
		if len(first.Examples) != c.total {
			t.Errorf("%v: %d examples, want %d", c.fraction, len(first.Examples), c.total)
		}
		a, b := countIntents(first), countIntents(second)
		for i, n := range sizes {
			name := fmt.Sprint(i)
			if a[name] != c.want[i] || a[name]+b[name] != n || b[name] == 0 {
				t.Errorf("%v of %d examples: %d and %d, want %d in the first", c.fraction, n, a[name], b[name], c.want[i])
			}
		}
	}
}

func TestASplitLosesNothingAndRepeats(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := numbered(rapid.SliceOfN(rapid.IntRange(0, 30), 0, 9).Draw(t, "sizes"))
		fraction := rapid.Float64Range(0, 1).Draw(t, "fraction")
		seed := rapid.Uint64().Draw(t, "seed")
		first, second := d.Split(fraction, seed)
		if want := texts(d); !slices.Equal(want, texts(first, second)) {
			t.Fatalf("parts have %v, want %v", texts(first, second), want)
		}
		again, _ := d.Split(fraction, seed)
		for i := range again.Examples {
			if again.Examples[i].Text != first.Examples[i].Text {
				t.Fatal("the same seed splits differently")
			}
		}
	})
}

func texts(parts ...*nludata.TrainingData) []string {
	var out []string
	for _, d := range parts {
		for _, e := range d.Examples {
			out = append(out, e.Text)
		}
	}
	slices.Sort(out)
	return out
}

func TestAnotherSeedIsAnotherSplit(t *testing.T) {
	a, _ := numbered([]int{50}).Split(0.5, 1)
	b, _ := numbered([]int{50}).Split(0.5, 2)
	if slices.Equal(texts(a), texts(b)) {
		t.Error("two seeds give the same parts")
	}
}

// Every example is in one fold, and folds differ by one example at most, in all
// and of each intent.
func TestFoldsAreEven(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := numbered(rapid.SliceOfN(rapid.IntRange(0, 30), 0, 9).Draw(t, "sizes"))
		n := rapid.IntRange(1, 12).Draw(t, "folds")
		folds := d.Folds(n, 7)
		var all []int
		least, most := len(d.Examples), 0
		byIntent := map[string][]int{}
		for i, fold := range folds {
			if !slices.IsSorted(fold) {
				t.Fatalf("fold %d is not in order: %v", i, fold)
			}
			all = append(all, fold...)
			least, most = min(least, len(fold)), max(most, len(fold))
			if kept := d.Without(fold); len(kept.Examples) != len(d.Examples)-len(fold) {
				t.Fatalf("%d examples without fold %d", len(kept.Examples), i)
			}
			for intent, count := range countIntents(d.With(fold)) {
				byIntent[intent] = append(byIntent[intent], count)
			}
		}
		slices.Sort(all)
		for i, index := range all {
			if i != index {
				t.Fatalf("folds hold %v", all)
			}
		}
		if len(all) != len(d.Examples) || most-least > 1 {
			t.Fatalf("%d of %d examples in folds of %d to %d", len(all), len(d.Examples), least, most)
		}
		for intent, counts := range byIntent {
			if low := slices.Min(append(counts, 99)); len(counts) == n && slices.Max(counts)-low > 1 || len(counts) < n && slices.Max(counts) > 1 {
				t.Fatalf("intent %s: %v in %d folds", intent, counts, n)
			}
		}
	})
}
