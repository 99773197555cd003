package evaluate_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/loquat-dev/loquat/internal/evaluate"
)

// pairs reads "target>predicted" words; "-" is nothing.
func pairs(text string) []evaluate.Pair {
	var out []evaluate.Pair
	for word := range strings.FieldsSeq(strings.ReplaceAll(text, "-", "")) {
		target, predicted, _ := strings.Cut(word, ">")
		out = append(out, evaluate.Pair{Target: target, Predicted: predicted})
	}
	return out
}

// Worked out by hand:
//
//	     a  b  c  ""   precision  recall  f1
//	a    2  1  0  1    2/3        2/4     4/7
//	b    1  1  0  0    1/2        1/2     1/2
//	d    0  0  1  0    0          0       0     nothing was taken for it
//
// c was never right and is no label of the test; what was taken for it counts
// against d's recall alone.
func TestAReportWorkedOutByHand(t *testing.T) {
	r := evaluate.NewReport(pairs("a>a a>a a>b a>- b>a b>b d>c"), "")
	for _, c := range []struct {
		what string
		got  any
		want float64
	}{
		{"a precision", r.Labels[0].Precision, 2.0 / 3}, {"a recall", r.Labels[0].Recall, 0.5}, {"a f1", r.Labels[0].F1, 4.0 / 7},
		{"b precision", r.Labels[1].Precision, 0.5}, {"b recall", r.Labels[1].Recall, 0.5}, {"b f1", r.Labels[1].F1, 0.5},
		{"d precision", r.Labels[2].Precision, 0}, {"d recall", r.Labels[2].Recall, 0}, {"d f1", r.Labels[2].F1, 0},
		{"micro precision", r.Micro.Precision, 3.0 / 5}, {"micro recall", r.Micro.Recall, 3.0 / 7}, {"micro f1", r.Micro.F1, 0.5},
		{"macro precision", r.Macro.Precision, (2.0/3 + 0.5) / 3}, {"macro recall", r.Macro.Recall, 1.0 / 3}, {"macro f1", r.Macro.F1, (4.0/7 + 0.5) / 3},
		{"weighted precision", r.Weighted.Precision, (4*2.0/3 + 2*0.5) / 7}, {"weighted recall", r.Weighted.Recall, 3.0 / 7},
		{"weighted f1", r.Weighted.F1, (4*4.0/7 + 2*0.5) / 7},
		{"accuracy", r.Accuracy, 3.0 / 7},
	} {
		data, err := json.Marshal(c.got)
		var got float64
		if err == nil {
			err = json.Unmarshal(data, &got)
		}
		if err != nil || math.Abs(got-c.want) > 1e-15 {
			t.Errorf("%s is %v (%v), want %v", c.what, got, err, c.want)
		}
	}
	for _, s := range []evaluate.Score{r.Micro, r.Macro, r.Weighted} {
		if s.Support != 7 {
			t.Errorf("an average has the support %d, want 7", s.Support)
		}
	}
}

func TestTheNeutralLabelCountsForAccuracyAlone(t *testing.T) {
	got := asJSON(t, evaluate.NewReport(pairs("city>city city>none none>city none>none none>none"), "none"))
	want := `{"city":{"precision":0.5,"recall":0.5,"f1-score":0.5,"support":2,"confused_with":{}},` +
		`"micro avg":{"precision":0.5,"recall":0.5,"f1-score":0.5,"support":2},` +
		`"macro avg":{"precision":0.5,"recall":0.5,"f1-score":0.5,"support":2},` +
		`"weighted avg":{"precision":0.5,"recall":0.5,"f1-score":0.5,"support":2},"accuracy":0.6}`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestConfusionsAreTheMostFrequentOnes(t *testing.T) {
	for _, c := range []struct{ pairs, want string }{
		{"a>b a>b a>c a>c a>c a>d a>e b>b", `{"c":3,"b":2,"e":1}`}, // of d and e the later one
		{"a>a a>a a>b a>c b>b", `{"c":1,"b":1}`},                   // the label itself is one of three
		{"a>- a>- a>b a>c b>b", `{"":2,"c":1,"b":1}`},              // nothing is a confusion
		{"a>none a>none a>b a>b a>c a>d b>b", `{"b":2,"d":1}`},     // the neutral label is one of three
		{"a><&> b>b", `{"<&>":1}`},
	} {
		r := evaluate.NewReport(pairs(c.pairs), "none")
		if got := asJSON(t, r.Labels[0].Confused); got != c.want {
			t.Errorf("%s: a is confused with %s, want %s", c.pairs, got, c.want)
		}
	}
}

func TestAReportOfNothingIsEmpty(t *testing.T) {
	if got := asJSON(t, evaluate.NewReport(nil, "")); got != "{}" {
		t.Errorf("got %s", got)
	}
	if got := asJSON(t, evaluate.NewReport(pairs("none>none"), "none")); got != "{}" {
		t.Errorf("nothing but the neutral label: got %s", got)
	}
}

// A label may be named like an average; the JSON has each key once.
func TestALabelNamedLikeAnAverageGivesWay(t *testing.T) {
	got := asJSON(t, evaluate.NewReport(pairs("accuracy>accuracy b>b"), ""))
	if strings.Count(got, `"accuracy"`) != 1 || !strings.HasSuffix(got, `"accuracy":1.0}`) {
		t.Errorf("got %s", got)
	}
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(b.String())
}
