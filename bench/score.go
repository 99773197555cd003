package main

import (
	"math"
	"slices"

	"github.com/loquat-dev/loquat/internal/nlu"
	"github.com/loquat-dev/loquat/internal/nludata"
)

// score is how parses compare with what was annotated.
type score struct {
	right               int
	inScope, outOfScope []float64 // confidences
	entities            tokenF1
}

func (s *score) add(m *nlu.Message, want *nludata.Example) {
	if m.Intent.Name == want.Intent {
		s.right++
	}
	s.inScope = append(s.inScope, m.Intent.Confidence)
	s.entities.add(m, want.Entities)
}

// accuracy is the share of right intents in percent.
func (s *score) accuracy() float64 { return 100 * float64(s.right) / float64(max(1, len(s.inScope))) }

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

func (f *tokenF1) value() float64 {
	return 200 * float64(f.right) / math.Max(1, float64(f.found+f.wanted))
}

// auroc is the chance that a text in scope gets a higher confidence than one out
// of scope.
func auroc(in, out []float64) float64 {
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
	return sum / float64(len(in)*len(out))
}

// percent is how many of the values are to be counted, in percent.
func percent(values []float64, counts func(float64) bool) float64 {
	n := 0
	for _, v := range values {
		if counts(v) {
			n++
		}
	}
	return 100 * float64(n) / float64(len(values))
}

func mean(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}
