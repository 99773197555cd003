package evaluate

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"

	"github.com/loquat-dev/loquat/internal/pystr"
)

// Pair is one thing that was classified: what it is, and what it was taken for.
// An empty Predicted means that it was taken for nothing.
type Pair struct{ Target, Predicted string }

// Score is how well one label, or all labels together, were found. A quotient
// whose divisor is 0 counts as 0.
type Score struct {
	Precision number `json:"precision"` // of what was taken for it, the share that is
	Recall    number `json:"recall"`    // of what is, the share that was taken for it
	F1        number `json:"f1-score"`  // the harmonic mean of both
	Support   int    `json:"support"`   // how many are
}

// LabelScore is how well one label was found.
type LabelScore struct {
	Score
	Label    string     `json:"-"`
	Confused confusions `json:"confused_with"`
}

// Confusion counts how often a label was taken for another.
type Confusion struct {
	Label string
	Count int
}

// Report is a classification report with the numbers of scikit-learn's.
type Report struct {
	Labels []LabelScore // in alphabetical order
	// Micro counts all labels together, Macro is the mean over labels, Weighted
	// the mean over examples.
	Micro, Macro, Weighted Score
	Accuracy               number // share of all pairs that are right
}

// mostTakenFor is how many labels are looked at to name a label's confusions.
const mostTakenFor = 3

// NewReport scores the labels that occur among targets. neutral is a label that
// stands for nothing in particular ("" if there is none): it gets no line and is
// no confusion, it counts for accuracy alone. Without pairs the report is empty.
//
// A label's confusions are the three labels that it is taken for most, among
// equals the last of the alphabet, without itself and the neutral one (Rasa
// 3.6.21). So a label that is mostly found has two at most.
func NewReport(pairs []Pair, neutral string) *Report {
	r := &Report{}
	if len(pairs) == 0 {
		return r
	}
	m := NewMatrix(pairs)
	right := 0
	var all struct{ right, taken, are int }
	for i, label := range m.Labels {
		right += m.Counts[i][i]
		taken, are := 0, 0
		for j := range m.Labels {
			taken += m.Counts[j][i]
			are += m.Counts[i][j]
		}
		if are == 0 || label == neutral && neutral != "" {
			continue
		}
		all.right, all.taken, all.are = all.right+m.Counts[i][i], all.taken+taken, all.are+are
		r.Labels = append(r.Labels, LabelScore{
			Label: label, Score: newScore(m.Counts[i][i], taken, are), Confused: m.confused(i, neutral),
		})
	}
	r.Accuracy = number(quotient(right, len(pairs)))
	r.Micro = newScore(all.right, all.taken, all.are)
	r.average(all.are)
	return r
}

func newScore(right, taken, are int) Score {
	precision, recall := quotient(right, taken), quotient(right, are)
	s := Score{Precision: number(precision), Recall: number(recall), Support: are}
	if precision+recall > 0 {
		s.F1 = number(2 * precision * recall / (precision + recall))
	}
	return s
}

func quotient(a, b int) float64 {
	if b == 0 {
		return 0
	}
	return float64(a) / float64(b)
}

// average fills in the means over labels and over examples.
func (r *Report) average(support int) {
	r.Macro.Support, r.Weighted.Support = support, support
	if support == 0 {
		return
	}
	for _, l := range r.Labels {
		r.Macro.add(l.Score, 1)
		r.Weighted.add(l.Score, number(l.Support))
	}
	r.Macro.divide(number(len(r.Labels)))
	r.Weighted.divide(number(support))
}

func (s *Score) add(o Score, weight number) {
	s.Precision += o.Precision * weight
	s.Recall += o.Recall * weight
	s.F1 += o.F1 * weight
}

func (s *Score) divide(by number) {
	s.Precision /= by
	s.Recall /= by
	s.F1 /= by
}

// confused lists what label i is taken for most.
func (m *Matrix) confused(i int, neutral string) confusions {
	found := confusions{}
	for j := len(m.Labels) - 1; j >= 0; j-- {
		if m.Counts[i][j] > 0 {
			found = append(found, Confusion{m.Labels[j], m.Counts[i][j]})
		}
	}
	slices.SortStableFunc(found, func(a, b Confusion) int { return cmp.Compare(b.Count, a.Count) })
	return slices.DeleteFunc(found[:min(len(found), mostTakenFor)], func(c Confusion) bool {
		return c.Label == m.Labels[i] || c.Label == neutral && neutral != ""
	})
}

// MarshalJSON writes labels by name, then the averages. A label that is named
// like an average gives way to it.
func (r *Report) MarshalJSON() ([]byte, error) {
	if len(r.Labels) == 0 {
		return []byte("{}"), nil
	}
	o := object{}
	for _, l := range r.Labels {
		if !isAverage(l.Label) {
			o.add(l.Label, l)
		}
	}
	r.addAverages(&o)
	return o.end()
}

func isAverage(label string) bool {
	switch label {
	case "micro avg", "macro avg", "weighted avg", "accuracy":
		return true
	}
	return false
}

func (r *Report) addAverages(o *object) {
	o.add("micro avg", r.Micro)
	o.add("macro avg", r.Macro)
	o.add("weighted avg", r.Weighted)
	o.add("accuracy", r.Accuracy)
}

// confusions are written as an object from label to count, the most frequent
// first.
type confusions []Confusion

// MarshalJSON keeps the order.
func (c confusions) MarshalJSON() ([]byte, error) {
	o := object{}
	for _, x := range c {
		o.add(x.Label, x.Count)
	}
	return o.end()
}

// object builds a JSON object whose keys keep their order.
type object struct {
	b   bytes.Buffer
	err error
}

func (o *object) add(key string, value any) {
	if o.b.Len() > 0 {
		o.b.WriteByte(',')
	}
	for i, v := range []any{key, value} {
		e := json.NewEncoder(&o.b)
		e.SetEscapeHTML(false)
		if err := e.Encode(v); err != nil && o.err == nil {
			o.err = err
		}
		if i == 0 {
			o.b.WriteByte(':')
		}
	}
}

func (o *object) end() ([]byte, error) {
	return append(append([]byte("{"), o.b.Bytes()...), '}'), o.err
}

// number is a score. Its JSON has a decimal point, as Python's.
type number float64

// MarshalJSON writes 1 as 1.0.
func (n number) MarshalJSON() ([]byte, error) { return []byte(pystr.Float(float64(n))), nil }
