package storygraph

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loquat-dev/loquat/internal/dialogue"
)

// mergeAllPairs is merge as it is defined: every two nodes are compared.
func mergeAllPairs(d *draft, depth int) {
	c := newCandidates(d, depth)
	for changed := true; changed; {
		changed = false
		for i := endNode + 1; i < len(d.labels); i++ {
			for j := i + 1; j < len(d.labels) && !d.gone[i]; j++ {
				if d.gone[j] || d.labels[i] != d.labels[j] {
					continue
				}
				c.futures[i], c.futures[j] = d.futures(i, depth), d.futures(j, depth)
				if d.equivalent(i, j, c) {
					d.join(i, j, c)
					changed = true
				}
			}
		}
	}
}

// atRandom are stories of so many intents and actions.
func atRandom(seed uint64, n, turns, intents, actions int) []*dialogue.TrainingTracker {
	r := rand.New(rand.NewPCG(seed, 1))
	var texts []string
	for range n {
		var words []string
		for range 1 + r.IntN(turns) {
			words = append(words, fmt.Sprintf("i%d", r.IntN(intents)))
			for range 1 + r.IntN(2) {
				words = append(words, fmt.Sprintf("a%d", r.IntN(actions)))
			}
		}
		texts = append(texts, strings.Join(words, " "))
	}
	return stories(texts...)
}

func drafted(trackers []*dialogue.TrainingTracker) *draft {
	d := newDraft()
	for _, t := range trackers {
		d.add(t.Events())
	}
	return d
}

func TestNoNodeThatShouldBeMergedIsOverlooked(t *testing.T) {
	for seed := range uint64(30) {
		trackers := atRandom(seed, 4+int(seed)%9, 3, 1+int(seed)%5, 1+int(seed)%4)
		for _, history := range []int{2, 3, wholePath} {
			want, got := drafted(trackers), drafted(trackers)
			mergeAllPairs(want, history)
			if err := got.merge(t.Context(), history); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want.lines(), got.lines()); diff != "" {
				t.Fatalf("seed %d, history %d (-want +got):\n%s", seed, history, diff)
			}
		}
	}
}

func TestDrawingEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Build(ctx, stories("i0 a0"), 2, nil); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if err := WritePage(ctx, io.Discard, big(t), "bot"); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func BenchmarkBuild(b *testing.B) {
	for _, n := range []int{250, 1000, 4000} {
		trackers := atRandom(1, n, 6, 200, 60)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				build(b, trackers, 2, nil)
			}
		})
	}
}
