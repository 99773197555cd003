package countvectors

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// The quick way through a word of ASCII gives what the general one gives.
func TestPackedNgramsAreTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.StringMatching(`[a-d]{1,9}`).Draw(t, "word")
		shortest := rapid.IntRange(1, 9).Draw(t, "min")
		a := analyzer{kind: "char_wb", min: shortest, max: rapid.IntRange(shortest, 9).Draw(t, "max")}
		c := newCounter()
		var g grams
		for _, w := range []string{word, "abcd", "d"} {
			a.each([]byte(w), &g, c.add)
			c.endOfText()
		}
		index, err := c.vocabulary("1", "1.0", nil)
		if err != nil {
			t.Fatal(err)
		}
		table := newTable(index)
		var want []int32
		a.each([]byte(word), &g, func(gram []byte) { want = append(want, index[string(gram)]) })
		got, done := table.padded(nil, []byte(word), a.min, a.max)
		if !done {
			if a.max <= 8 {
				t.Fatalf("%q was left to the general way", word)
			}
			return
		}
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%q %d-%d: got %v, want %v", word, a.min, a.max, got, want)
		}
	})
}

func TestSortColumns(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		width := rapid.SampledFrom([]int{1, 255, 256, 257, 70_000, 1 << 25}).Draw(t, "width")
		columns := rapid.SliceOfN(rapid.Int32Range(0, int32(width-1)), 0, 200).Draw(t, "columns")
		want := slices.Sorted(slices.Values(columns))
		var spare []int32
		sortColumns(columns, &spare, width)
		if !slices.Equal(columns, want) {
			t.Errorf("got %v, want %v", columns, want)
		}
	})
}
