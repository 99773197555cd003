package golden

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/loquat-dev/loquat/internal/graph"
	"github.com/loquat-dev/loquat/internal/nlu"
	"github.com/loquat-dev/loquat/internal/nlu/featurizer/countvectors"
	"github.com/loquat-dev/loquat/internal/nlu/featurizer/lexicalsyntactic"
	"github.com/loquat-dev/loquat/internal/nlu/featurizer/regexfeaturizer"
)

type featuresRecord struct {
	Bot, Variant, Text string
	Tokens             []string
	Sequence           json.RawMessage
	Sentence           any
	SequenceColumns    [][]int32  `json:"sequence_columns"`
	SentenceColumns    []int32    `json:"sentence_columns"`
	TokenPatterns      [][]string `json:"token_patterns"`
}

func (r *featuresRecord) name() string { return fmt.Sprintf("%s %s %q", r.Bot, r.Variant, r.Text) }

// featurize gives the message's features, sequence first.
func (r *featuresRecord) featurize(f *featurizers, t graph.Type, config json.RawMessage) (component any, m *nlu.Message, err error) {
	if component, err = f.variant(r.Bot, r.Variant, t, config); err != nil {
		return nil, nil, err
	}
	if m, err = message(r.Text); err != nil {
		return nil, nil, err
	}
	return component, m, process(component, m)
}

func countVectorsCheck(dir string) Report {
	report := Report{File: "nlu/features_count_vectors.jsonl"}
	f, err := newFeaturizers(dir)
	if err != nil {
		return fail(report.File, err)
	}
	err = eachRecord(dir, report.File, func(r *featuresRecord) {
		c, m, err := r.featurize(f, countvectors.Type(), f.summary[r.Bot].CountVectors[r.Variant].Config)
		if err != nil {
			report.equal(r.name(), err.Error())
			return
		}
		columns := c.(*countvectors.Featurizer).Vocabulary(nlu.Text)
		var want []map[string]float64
		if err := json.Unmarshal(r.Sequence, &want); err != nil || len(m.Features) != 2 {
			report.equal(r.name(), fmt.Sprint(err, len(m.Features), " features, want 2"))
			return
		}
		sentence := r.Sentence
		if sentence == "sum" {
			sentence = sum(want)
		}
		d := diff(want, named(columns, m.Features[0].Sparse)) + diff([]any{sentence}, named(columns, m.Features[1].Sparse))
		if d != "" && ties[r.Variant] {
			report.listed()
			return
		}
		report.equal(r.name(), d)
	})
	if err != nil {
		return fail(report.File, err)
	}
	return report
}

func sum(rows []map[string]float64) map[string]float64 {
	total := map[string]float64{}
	for _, row := range rows {
		for name, n := range row {
			total[name] += n
		}
	}
	return total
}

func lexicalSyntacticCheck(dir string) Report {
	report := Report{File: "nlu/features_lexical_syntactic.jsonl"}
	f, err := newFeaturizers(dir)
	if err != nil {
		return fail(report.File, err)
	}
	err = eachRecord(dir, report.File, func(r *featuresRecord) {
		c, m, err := r.featurize(f, lexicalsyntactic.Type(), f.summary[r.Bot].LexicalSyntactic[r.Variant].Config)
		if err != nil || len(m.Features) != 1 {
			report.equal(r.name(), fmt.Sprint(err, " or other than one feature"))
			return
		}
		names := c.(*lexicalsyntactic.Featurizer).Columns()
		x := m.Features[0].Sparse
		got := [][]string{}
		for i := range x.Rows() {
			index, _ := x.Row(i)
			row := []string{}
			for _, col := range index {
				row = append(row, names[col])
			}
			slices.Sort(row)
			got = append(got, row)
		}
		report.equal(r.name(), diff(r.Sequence, got))
	})
	if err != nil {
		return fail(report.File, err)
	}
	return report
}

func regexFeaturesCheck(dir string) Report {
	report := Report{File: "nlu/features_regex.jsonl"}
	f, err := newFeaturizers(dir)
	if err != nil {
		return fail(report.File, err)
	}
	err = eachRecord(dir, report.File, func(r *featuresRecord) {
		_, m, err := r.featurize(f, regexfeaturizer.Type(), f.summary[r.Bot].Regex[r.Variant].Config)
		if err != nil {
			report.equal(r.name(), err.Error())
			return
		}
		report.equal(r.name(), r.compareRegex(m))
	})
	if err != nil {
		return fail(report.File, err)
	}
	return report
}

func (r *featuresRecord) compareRegex(m *nlu.Message) string {
	if r.SequenceColumns == nil || len(m.Features) == 0 {
		return diff(r.SequenceColumns == nil, len(m.Features) == 0)
	}
	sequence, sentence := m.Features[0].Sparse, m.Features[1].Sparse
	d := ""
	for i, want := range r.SequenceColumns {
		index, _ := sequence.Row(i)
		d += diff(append([]int32{}, want...), append([]int32{}, index...))
		flags := []string{}
		for name, set := range m.Tokens[nlu.Text][i].Patterns {
			if set {
				flags = append(flags, name)
			}
		}
		slices.Sort(flags)
		slices.Sort(r.TokenPatterns[i])
		d += diff(append([]string{}, r.TokenPatterns[i]...), flags)
	}
	index, _ := sentence.Row(0)
	return d + diff(append([]int32{}, r.SentenceColumns...), append([]int32{}, index...))
}
