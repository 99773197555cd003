package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"runtime"
	"slices"
	"time"

	"github.com/loquat-dev/loquat/internal/nludata"
	"github.com/loquat-dev/loquat/internal/sharedtest"
)

var (
	nluHoldOut    = flag.Bool("hold-out", false, "nlu: only accuracy, on validation data or three random sevenths of the training data instead of the test data: for choosing learners")
	nluClassifier = flag.String("classifier", "DIETClassifier", "nlu: who finds the intents")
	nluAccuracy   = flag.Bool("accuracy", false, "nlu: leave out time and memory")
	nluMeaning    = flag.Bool("meaning", false, "nlu: only the pipeline with the sentence encoder")
	nluCosts      = flag.Bool("costs", false, "nlu: leave out accuracy")
)

// What DIETClassifier is held to, with what would be better still in brackets.
var (
	intentBounds = []bound{
		{"banking77", "≥ 92.0 (93.0) %"}, {"clinc150", "≥ 93.3 (94.3) %"}, {"hwu64", "≥ 89.0 (90.0) %"}, {"snips", "≥ 98.5 (99.5) %"},
	}
	shotBounds   = []bound{{"banking77", "≥ 73.0 (77.0) %"}, {"clinc150", "≥ 82.5 (86.5) %"}, {"hwu64", "≥ 71.0 (75.0) %"}}
	entityBounds = map[string]string{"hwu64": "≥ 78 (81)", "snips": "≥ 95 (96)"}
)

type bound struct{ set, must string }

const (
	shots = 10 // examples of each intent
	draws = 5  // means are over this many choices of them, with the seeds from 1 on
)

// nluBench prints one row for each thing that is measured.
type nluBench struct {
	out io.Writer
	dir string // of the data sets
}

func (b *nluBench) row(what, must, format string, args ...any) {
	fmt.Fprintf(b.out, "%-62s  %-18s  %s\n", what, must, fmt.Sprintf(format, args...))
}

// benchNLU trains Rasa's default pipeline on public data sets and measures what
// comes of it, and how long it takes.
func benchNLU(ctx context.Context, w io.Writer, root string) error {
	dir, ok := sharedtest.Find("data", "nlu")
	if !ok {
		fmt.Fprintf(w, "NLU: the data sets are not here (looked for %s)\n", dir)
		return nil
	}
	b := &nluBench{out: w, dir: dir}
	fmt.Fprintf(w, "Rasa's default pipeline with %s, %d threads\n", *nluClassifier, runtime.GOMAXPROCS(0))
	b.row("what", "must (better)", "measured")
	var steps []func(context.Context) error
	if !*nluCosts {
		if !*nluMeaning {
			steps = append(steps, b.fullSets, b.fewShots)
		}
		steps = append(steps, b.meaning, b.meaningEntities)
	}
	if !*nluHoldOut && !*nluAccuracy {
		p := &programBench{nluBench: b, program: root + "/bin/loquat"}
		if !*nluMeaning {
			steps = append(steps, p.clinc, p.smallBot, b.scaling)
		}
		steps = append(steps, p.smallBotWithMeaning)
	}
	for _, step := range steps {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// splits are what a set is trained and measured on: its training and test data,
// or for choosing learners parts of the training data.
func splits(set dataSet) []dataSet {
	switch {
	case !*nluHoldOut:
		return []dataSet{set}
	case set.valid != nil:
		set.test = set.valid
		return []dataSet{set}
	}
	var out []dataSet
	for seed := range uint64(3) {
		part := set
		part.train, part.test = holdOut(set.train, seed)
		out = append(out, part)
	}
	return out
}

// holdOut takes a random seventh of the examples away.
func holdOut(examples []nludata.Example, seed uint64) (train, test []nludata.Example) {
	r := rand.New(rand.NewPCG(42, seed))
	for _, e := range examples {
		if r.IntN(7) == 0 {
			test = append(test, e)
		} else {
			train = append(train, e)
		}
	}
	return train, test
}

func (b *nluBench) fullSets(ctx context.Context) error {
	for _, bound := range intentBounds {
		set, err := readSet(b.dir, bound.set)
		if err != nil {
			return err
		}
		var intents, entities []float64
		var last score
		for _, part := range splits(set) {
			if last, err = measure(ctx, part, false); err != nil {
				return fmt.Errorf("%s: %w", bound.set, err)
			}
			intents, entities = append(intents, last.accuracy()), append(entities, last.entityF1())
		}
		b.row("intents, "+bound.set+", all examples", bound.must, "%.2f %%", mean(intents))
		if must, ok := entityBounds[bound.set]; ok {
			b.row("entities, "+bound.set+" (F1 by token)", must, "%.2f", mean(entities))
		}
		if len(last.outOfScope) > 0 {
			b.confidence(last)
		}
	}
	return nil
}

// confidence says how well confidence tells texts in scope from others.
func (b *nluBench) confidence(s score) {
	b.row("AUROC of the confidence, clinc150 in and out of scope", "≥ 0.95 (0.965)", "%.4f", auroc(s.inScope, s.outOfScope))
	for _, threshold := range []float64{0.3, 0.5, 0.7} {
		b.row(fmt.Sprintf("FallbackClassifier at %.1f: in scope kept / out of scope caught", threshold), "", "%.1f / %.1f %%",
			percent(s.inScope, func(c float64) bool { return c >= threshold }),
			percent(s.outOfScope, func(c float64) bool { return c < threshold }))
	}
}

// fewShots trains on ten random examples of each intent.
func (b *nluBench) fewShots(ctx context.Context) error {
	for _, bound := range shotBounds {
		set, err := readSet(b.dir, bound.set)
		if err != nil {
			return err
		}
		var intents []float64
		for seed := uint64(1); seed <= draws; seed++ {
			part := dataSet{name: set.name, test: set.test}
			var rest []nludata.Example
			if part.train, rest = draw(set.train, shots, seed); *nluHoldOut {
				part.test = rest
			}
			s, err := measure(ctx, part, false)
			if err != nil {
				return fmt.Errorf("%s: %w", bound.set, err)
			}
			intents = append(intents, s.accuracy())
		}
		b.row(fmt.Sprintf("intents, %s, %d examples each, mean of %d draws", bound.set, shots, draws), bound.must, "%.2f %% (%.1f to %.1f)",
			mean(intents), slices.Min(intents), slices.Max(intents))
	}
	return nil
}

// draw takes n random examples of each intent, in their order, and returns the
// others too.
func draw(examples []nludata.Example, n int, seed uint64) (drawn, rest []nludata.Example) {
	r := rand.New(rand.NewPCG(seed, seed))
	taken := map[string]int{}
	picked := make([]bool, len(examples))
	for _, i := range r.Perm(len(examples)) {
		if taken[examples[i].Intent] < n {
			taken[examples[i].Intent]++
			picked[i] = true
		}
	}
	for i, e := range examples {
		if picked[i] {
			drawn = append(drawn, e)
		} else {
			rest = append(rest, e)
		}
	}
	return drawn, rest
}

// measure trains on a set, with or without the sentence encoder, and parses its test
// data.
func measure(ctx context.Context, set dataSet, meaning bool) (score, error) {
	runtime.GC()
	p, err := trainPipeline(ctx, set.train, *nluClassifier, meaning, slog.New(slog.DiscardHandler))
	if err != nil {
		return score{}, err
	}
	var s score
	for i := range set.test {
		m, err := p.parse(ctx, set.test[i].Text)
		if err != nil {
			return score{}, err
		}
		s.add(m, &set.test[i])
	}
	for _, e := range set.outOfScope {
		m, err := p.parse(ctx, e.Text)
		if err != nil {
			return score{}, err
		}
		s.outOfScope = append(s.outOfScope, m.Intent.Confidence)
	}
	return s, nil
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
