package main

import (
	"slices"

	"github.com/loquat-dev/loquat/internal/evaluate"
	"github.com/loquat-dev/loquat/internal/nlu"
	"github.com/loquat-dev/loquat/internal/nludata"
)

// score is how parses compare with what was annotated.
type score struct {
	right               int
	inScope, outOfScope []float64 // confidences
	outcomes            []evaluate.Outcome
}

func (s *score) add(m *nlu.Message, want *nludata.Example) {
	if m.Intent.Name == want.Intent {
		s.right++
	}
	s.inScope = append(s.inScope, m.Intent.Confidence)
	s.outcomes = append(s.outcomes, evaluate.Outcome{Example: want, Entities: m.Entities, Tokens: m.Tokens[nlu.Text]})
}

// accuracy is the share of right intents in percent.
func (s *score) accuracy() float64 { return 100 * float64(s.right) / float64(max(1, len(s.inScope))) }

// entityF1 is the micro average of DIETClassifier_report.json in percent.
func (s *score) entityF1() float64 {
	for _, e := range evaluate.Entities(s.outcomes) {
		return 100 * float64(e.Report.Micro.F1)
	}
	return 0
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
