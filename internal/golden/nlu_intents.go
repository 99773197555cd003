package golden

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/loquat-dev/loquat/internal/nlu"
	"github.com/loquat-dev/loquat/internal/nlu/classifier/fallback"
	"github.com/loquat-dev/loquat/internal/nlu/classifier/keyword"
)

// recordedIntent is an intent in a recording, whose confidence can be "NaN".
type recordedIntent struct {
	Name       *string
	Confidence any
}

func (r *recordedIntent) intent() *nlu.Intent {
	if r == nil {
		return nil
	}
	i := &nlu.Intent{}
	if r.Name != nil {
		i.Name = *r.Name
	}
	switch c := r.Confidence.(type) {
	case float64:
		i.Confidence = c
	case string:
		i.Confidence = notANumber()
	}
	return i
}

func notANumber() float64 { var zero float64; return zero / zero }

func intents(list []recordedIntent) []nlu.Intent {
	if list == nil {
		return nil
	}
	out := []nlu.Intent{}
	for _, r := range list {
		out = append(out, *r.intent())
	}
	return out
}

func describe(i *nlu.Intent, ranking []nlu.Intent) string {
	return fmt.Sprintf("%+v %v %+v", *i, ranking == nil, ranking)
}

type keywordRecord struct {
	Set        string
	Config     json.RawMessage
	Examples   [][2]string
	Keywords   json.RawMessage
	TrainError *recordedError `json:"train_error"`
	Results    []struct {
		Text   string
		Intent *recordedIntent
	}
	Before  *recordedIntent
	Text    string
	Intent  *recordedIntent
	Ranking []recordedIntent
}

// tamed are the cases in which Rasa fails to train and this engine doesn't.
var tamed = map[string]bool{"invalid_regex": true, "double_contained": true}

func keywordCheck(dir string) Report {
	report := Report{File: "nlu/keyword.jsonl"}
	err := eachRecord(dir, report.File, func(r *keywordRecord) {
		if d := r.compare(); d == "" && r.TrainError != nil && tamed[r.Set] {
			report.listed()
		} else {
			report.equal(r.Set+" "+string(r.Config), d)
		}
	})
	if err != nil {
		return fail(report.File, err)
	}
	return report
}

func (r *keywordRecord) compare() string {
	data := &nlu.TrainingData{}
	for _, e := range r.Examples {
		m := &nlu.Message{}
		m.Values[nlu.Text], m.Values[nlu.IntentLabel] = e[0], e[1]
		data.Messages = append(data.Messages, m)
	}
	c, err := trained(keyword.Type(), r.Config, data)
	if err != nil {
		return err.Error()
	}
	if r.TrainError != nil {
		return ""
	}
	if r.Before != nil {
		before := r.Before.intent()
		m := &nlu.Message{Intent: before, Ranking: []nlu.Intent{*before}}
		m.Values[nlu.Text] = r.Text
		if err := process(c, m); err != nil {
			return err.Error()
		}
		return diff(describe(r.Intent.intent(), intents(r.Ranking)), describe(m.Intent, m.Ranking))
	}
	got := [][2]string{}
	for _, k := range c.(*keyword.Classifier).Keywords() {
		got = append(got, [2]string{k.Text, k.Intent})
	}
	want := append([][2]string{}, orderedObject(r.Keywords)...)
	d := diff(want, got)
	for _, x := range r.Results {
		m := &nlu.Message{}
		m.Values[nlu.Text] = x.Text
		if err := process(c, m); err != nil {
			return err.Error()
		}
		if difference := diff(describe(x.Intent.intent(), nil), describe(m.Intent, m.Ranking)); difference != "" {
			d += fmt.Sprintf("%q: %s", x.Text, difference)
		}
	}
	return d
}

type fallbackRecord struct {
	Threshold  float64
	Ambiguity  float64 `json:"ambiguity_threshold"`
	Intent     *recordedIntent
	Ranking    []recordedIntent
	Fallback   bool
	OutIntent  *recordedIntent  `json:"out_intent"`
	OutRanking []recordedIntent `json:"out_ranking"`
	Undone     *recordedIntent  `json:"undone_intent"`
	Error      *recordedError
}

func fallbackCheck(dir string) Report {
	report := Report{File: "nlu/fallback.jsonl"}
	err := eachRecord(dir, report.File, func(r *fallbackRecord) {
		if r.Intent != nil && r.Intent.Confidence == nil || slices.ContainsFunc(r.Ranking, func(i recordedIntent) bool { return i.Confidence == nil }) {
			report.notCovered("an intent without a confidence can't exist here")
			return
		}
		report.equal(fmt.Sprintf("%v %v %+v", r.Threshold, r.Ambiguity, intents(r.Ranking)), r.compare())
	})
	if err != nil {
		return fail(report.File, err)
	}
	return report
}

func (r *fallbackRecord) compare() string {
	config := fmt.Sprintf(`{"threshold": %v, "ambiguity_threshold": %v}`, r.Threshold, r.Ambiguity)
	c, err := build(fallback.Type(), json.RawMessage(config), nil)
	if err != nil {
		return err.Error()
	}
	m := &nlu.Message{Intent: r.Intent.intent(), Ranking: intents(r.Ranking)}
	if err := process(c, m); err != nil || r.Error != nil {
		return diff(r.Error != nil, err != nil)
	}
	d := diff(describe(r.OutIntent.intent(), intents(r.OutRanking)), describe(m.Intent, m.Ranking))
	if r.Undone != nil {
		d += diff(describe(r.Undone.intent(), nil), describe(fallback.Undo(m), nil))
	}
	return d
}
