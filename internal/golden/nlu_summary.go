package golden

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/loquat-dev/loquat/internal/nlu"
	"github.com/loquat-dev/loquat/internal/nlu/featurizer/countvectors"
	"github.com/loquat-dev/loquat/internal/nlu/featurizer/lexicalsyntactic"
	"github.com/loquat-dev/loquat/internal/nlu/featurizer/regexfeaturizer"
)

// summary is features_summary.json: what featurizers learned, by assistant.
type summary map[string]struct {
	CountVectors     map[string]countVectorsSummary `json:"count_vectors"`
	LexicalSyntactic map[string]struct {
		Config   json.RawMessage
		Features int
		Order    []string
		First20  []string `json:"first_20"`
	} `json:"lexical_syntactic"`
	Regex map[string]struct {
		Config   json.RawMessage
		Patterns [][2]string
	}
}

type countVectorsSummary struct {
	Config           json.RawMessage
	Sizes            map[string]*int `json:"vocabulary_sizes"`
	First20          []string        `json:"text_first_20"`
	Last5            []string        `json:"text_last_5"`
	Text             []string        `json:"text_vocabulary"`
	Intents          []string        `json:"intent_vocabulary"`
	Actions          []string        `json:"action_name_vocabulary"`
	OOVWords         []string        `json:"OOV_words_kept"`
	IntentLabelWords map[string]struct {
		Sequence []map[string]float64
		Sentence any
	} `json:"intent_label_features"`
}

func summaryCheck(dir string) Report {
	report := Report{File: "nlu/features_summary.json"}
	f, err := newFeaturizers(dir)
	if err != nil {
		return fail(report.File, err)
	}
	for bot, s := range f.summary {
		for name, v := range s.CountVectors {
			d := f.compareVocabulary(bot, name, v)
			if d != "" && ties[name] {
				report.listed()
				continue
			}
			report.equal(bot+" count vectors "+name, d)
		}
		for name, v := range s.LexicalSyntactic {
			c, err := f.variant(bot, name, lexicalsyntactic.Type(), v.Config)
			if err != nil {
				report.equal(name, err.Error())
				continue
			}
			columns := c.(*lexicalsyntactic.Featurizer).Columns()
			d := diff(v.Features, len(columns))
			if v.Order != nil {
				d += diff(v.Order, columns)
			} else {
				d += diff(v.First20, columns[:min(20, len(columns))])
			}
			report.equal(bot+" lexical syntactic "+name, d)
		}
		for name, v := range s.Regex {
			c, err := f.variant(bot, name, regexfeaturizer.Type(), v.Config)
			if err != nil {
				report.equal(name, err.Error())
				continue
			}
			got := [][2]string{}
			for _, p := range c.(*regexfeaturizer.Featurizer).Patterns() {
				got = append(got, [2]string{p.Name, p.Pattern})
			}
			report.equal(bot+" regex "+name, diff(v.Patterns, got))
		}
	}
	return report
}

func (f *featurizers) compareVocabulary(bot, name string, v countVectorsSummary) string {
	c, err := f.variant(bot, name, countvectors.Type(), v.Config)
	if err != nil {
		return err.Error()
	}
	cv := c.(*countvectors.Featurizer)
	for a := range nlu.NumAttributes {
		want, recorded := v.Sizes[a.String()]
		got := cv.Vocabulary(a)
		if recorded && (want == nil) != (got == nil) || want != nil && *want != len(got) {
			return fmt.Sprintf("%s has %d entries, want %v", a, len(got), size(want))
		}
	}
	text := inOrder(cv.Vocabulary(nlu.Text))
	d := diff(v.First20, text[:min(20, len(text))]) + diff(v.Last5, text[max(0, len(text)-5):])
	for _, x := range []struct {
		want []string
		got  map[string]int32
	}{{v.Text, cv.Vocabulary(nlu.Text)}, {v.Intents, cv.Vocabulary(nlu.IntentLabel)}, {v.Actions, cv.Vocabulary(nlu.ActionName)}} {
		if x.want != nil {
			d += diff(x.want, inOrder(x.got))
		}
	}
	for intent, want := range v.IntentLabelWords {
		m := &nlu.Message{}
		m.Values[nlu.IntentLabel] = intent
		m.Tokens[nlu.IntentLabel] = []nlu.Token{{Text: intent, Lemma: intent, End: len(intent)}}
		if err := process(cv, m); err != nil {
			return err.Error()
		}
		if len(m.Features) != 1 {
			return fmt.Sprintf("intent %s has %d features, want its sequence", intent, len(m.Features))
		}
		d += diff(want.Sequence, named(cv.Vocabulary(nlu.IntentLabel), m.Features[0].Sparse))
	}
	return d
}

func size(n *int) string {
	if n == nil {
		return "none"
	}
	return strconv.Itoa(*n)
}
