package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/loquat-dev/loquat/internal/nlu"
	"github.com/loquat-dev/loquat/internal/nludata"
	"github.com/loquat-dev/loquat/internal/sharedtest"
)

var (
	nluSets     = flag.String("sets", "banking77,clinc150,hwu64,snips", "nlu: data sets")
	nluHoldOut  = flag.Bool("hold-out", false, "nlu: measure on the validation data, or a seventh of the training data, instead of the test data: for choosing learners")
	nluShots    = flag.Int("shots", 0, "nlu: train on this many random examples of each intent instead of all")
	nluLogistic = flag.Bool("logistic", false, "nlu: measure LogisticRegressionClassifier too (a minute for each set)")
)

const columns = "%-10s %-19s %8s %8s %6s %9s %6s %7s %16s %16s %16s %9s %8s %10s %9s\n"

// bounds are what DIETClassifier is held to: intents, entities.
var bounds = map[string][2]string{
	"banking77": {"≥ 91", "-"},
	"clinc150":  {"-", "-"},
	"hwu64":     {"-", "≥ 74"},
	"snips":     {"-", "≥ 92"},
}

// benchNLU trains Rasa's default pipeline on public data sets and measures it on
// their test sets.
func benchNLU(ctx context.Context, w io.Writer, _ string) error {
	dir, ok := sharedtest.Find("data", "nlu")
	if !ok {
		fmt.Fprintf(w, "NLU: the data sets are not here (looked for %s)\n", dir)
		return nil
	}
	fmt.Fprintf(w, "Rasa's default pipeline, %d threads; F1 by token, AUROC of the confidence in and out of scope\n", runtime.GOMAXPROCS(0))
	fmt.Fprintf(w, columns, "set", "classifier", "examples", "intents", "bound", "entity F1", "bound", "AUROC", "kept/caught 0.3", "at 0.5", "at 0.7", "training", "model", "parse p50", "p99")
	classifiers := []string{"DIETClassifier"}
	if *nluLogistic {
		classifiers = append(classifiers, "LogisticRegressionClassifier")
	}
	for _, name := range strings.Split(*nluSets, ",") {
		set, err := readSet(dir, name)
		if err != nil {
			return err
		}
		if *nluHoldOut {
			if set.test = set.valid; set.test == nil {
				set.train, set.test = holdOut(set.train)
			}
		}
		if *nluShots > 0 {
			set.train = draw(set.train, *nluShots)
		}
		for _, classifier := range classifiers {
			if err := measureSet(ctx, w, set, classifier); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	return nil
}

// holdOut splits examples at random, always in the same way.
func holdOut(examples []nludata.Example) (train, test []nludata.Example) {
	r := rand.New(rand.NewPCG(42, 42))
	for _, e := range examples {
		if r.IntN(7) == 0 {
			test = append(test, e)
		} else {
			train = append(train, e)
		}
	}
	return train, test
}

// draw takes n random examples of each intent, in their order.
func draw(examples []nludata.Example, n int) []nludata.Example {
	r := rand.New(rand.NewPCG(1, 1))
	taken := map[string]int{}
	var picked []int
	for _, i := range r.Perm(len(examples)) {
		if taken[examples[i].Intent] < n {
			taken[examples[i].Intent]++
			picked = append(picked, i)
		}
	}
	slices.Sort(picked)
	var out []nludata.Example
	for _, i := range picked {
		out = append(out, examples[i])
	}
	return out
}

func measureSet(ctx context.Context, w io.Writer, set dataSet, classifier string) error {
	runtime.GC()
	started := time.Now()
	p, err := trainPipeline(ctx, set.train, classifier, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	training := time.Since(started)
	right := 0
	var inScope, outOfScope []float64
	var times []time.Duration
	var f tokenF1
	for i := range set.test {
		e := &set.test[i]
		began := time.Now()
		m, err := p.parse(ctx, e.Text)
		if err != nil {
			return err
		}
		times = append(times, time.Since(began))
		if m.Intent.Name == e.Intent {
			right++
		}
		inScope = append(inScope, m.Intent.Confidence)
		f.add(m, e.Entities)
	}
	for _, e := range set.outOfScope {
		m, err := p.parse(ctx, e.Text)
		if err != nil {
			return err
		}
		outOfScope = append(outOfScope, m.Intent.Confidence)
	}
	slices.Sort(times)
	bound := bounds[set.name]
	if classifier != "DIETClassifier" {
		bound = [2]string{"-", "-"}
	}
	fmt.Fprintf(w, columns, set.name, strings.TrimSuffix(classifier, "Classifier"), fmt.Sprint(len(set.train)),
		fmt.Sprintf("%.2f %%", 100*float64(right)/float64(len(set.test))), bound[0], f.String(), bound[1], auroc(inScope, outOfScope),
		keptCaught(inScope, outOfScope, 0.3), keptCaught(inScope, outOfScope, 0.5), keptCaught(inScope, outOfScope, 0.7),
		fmt.Sprintf("%.1f s", training.Seconds()), fmt.Sprintf("%.1f MB", float64(p.bytes)/1e6),
		fmt.Sprintf("%.3f ms", milliseconds(times[len(times)/2])), fmt.Sprintf("%.3f ms", milliseconds(times[len(times)*99/100])))
	return nil
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// tokenF1 counts entity labels token by token, as DIETClassifier_report.json
// does for its micro average.
type tokenF1 struct{ right, found, wanted int }

func (f *tokenF1) add(m *nlu.Message, gold []nludata.Entity) {
	for _, t := range m.Tokens[nlu.Text] {
		want, got := "", ""
		for _, e := range gold {
			if t.Start >= e.Start && t.End <= e.End {
				want = e.Entity
			}
		}
		for _, e := range m.Entities {
			if t.Start >= e.Start && t.End <= e.End {
				got = e.Entity
			}
		}
		if want != "" {
			f.wanted++
		}
		if got != "" {
			f.found++
		}
		if want != "" && want == got {
			f.right++
		}
	}
}

func (f *tokenF1) String() string {
	if f.wanted == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f", 200*float64(f.right)/math.Max(1, float64(f.found+f.wanted)))
}

// auroc is the chance that a text in scope gets a higher confidence than one out
// of scope.
func auroc(in, out []float64) string {
	if len(out) == 0 {
		return "-"
	}
	slices.Sort(out)
	sum := 0.0
	for _, c := range in {
		below, _ := slices.BinarySearch(out, c)
		notAbove, _ := slices.BinarySearchFunc(out, c, func(o, c float64) int {
			if o <= c {
				return -1
			}
			return 1
		})
		sum += float64(below+notAbove) / 2
	}
	return fmt.Sprintf("%.4f", sum/float64(len(in)*len(out)))
}

func keptCaught(in, out []float64, threshold float64) string {
	share := func(values []float64, keep func(float64) bool) float64 {
		n := 0
		for _, v := range values {
			if keep(v) {
				n++
			}
		}
		return 100 * float64(n) / float64(len(values))
	}
	s := fmt.Sprintf("%.1f", share(in, func(v float64) bool { return v >= threshold }))
	if len(out) > 0 {
		s += fmt.Sprintf(" / %.1f", share(out, func(v float64) bool { return v < threshold }))
	}
	return s + " %"
}
