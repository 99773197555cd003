package golden

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"sync"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/domain"
	"github.com/loquat-dev/loquat/internal/graph"
	"github.com/loquat-dev/loquat/internal/ml/sparse"
	"github.com/loquat-dev/loquat/internal/nlu"
	"github.com/loquat-dev/loquat/internal/nlu/featurizer/countvectors"
	"github.com/loquat-dev/loquat/internal/nlu/featurizer/lexicalsyntactic"
	"github.com/loquat-dev/loquat/internal/nlu/featurizer/regexfeaturizer"
	"github.com/loquat-dev/loquat/internal/nlu/tokenizer/whitespace"
	"github.com/loquat-dev/loquat/internal/nludata"
	"github.com/loquat-dev/loquat/internal/yamlfile"
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

// ties are the variants that keep some of several equally frequent n-grams. Which
// ones is left to an unstable sort in the original; here it is the first in the
// order of their code points.
var ties = map[string]bool{"word_max_features_20": true, "char_wb_max_features_50": true}

// featurizers makes and trains every variant once for all checks of a run.
type featurizers struct {
	summary summary
	data    map[string]*nlu.TrainingData // by assistant, tokenized
	trained map[string]any               // by assistant, family and variant
}

var loadFeaturizers = sync.OnceValues(func() (func(dir string) (*featurizers, error), error) {
	var once sync.Once
	var f *featurizers
	var err error
	return func(dir string) (*featurizers, error) {
		once.Do(func() { f, err = newFeaturizers(dir) })
		return f, err
	}, nil
})

func featurizersIn(dir string) (*featurizers, error) {
	load, _ := loadFeaturizers()
	return load(dir)
}

func newFeaturizers(dir string) (*featurizers, error) {
	f := &featurizers{data: map[string]*nlu.TrainingData{}, trained: map[string]any{}}
	if err := load(dir, "nlu/features_summary.json", &f.summary); err != nil {
		return nil, err
	}
	for bot, s := range f.summary {
		data, err := trainingData(filepath.Join(botsDir(dir), bot), s.CountVectors["word_default"].Actions)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", bot, err)
		}
		f.data[bot] = data
	}
	return f, nil
}

// trainingData reads an assistant's examples and tokenizes them. The names of
// actions and the intents of stories take part in training.
func trainingData(bot string, actions []string) (*nlu.TrainingData, error) {
	files, err := filepath.Glob(filepath.Join(bot, "data", "*.yml"))
	if err != nil {
		return nil, err
	}
	var problems diag.List
	var parts []*nludata.TrainingData
	for _, file := range files {
		parts = append(parts, nludata.Read(yamlfile.Read(file, file, &problems), &problems))
	}
	if err := problems.Err(); err != nil {
		return nil, err
	}
	labels := nlu.Labels{ActionNames: slices.DeleteFunc(slices.Clone(domain.DefaultActions), func(a string) bool { return a == "..." })}
	for _, a := range actions {
		if !slices.Contains(labels.ActionNames, a) {
			labels.ActionNames = append(labels.ActionNames, a)
		}
	}
	data := nlu.NewTrainingData(nludata.Merge(parts, &problems), labels)
	return tokenized(data)
}

func tokenized(data *nlu.TrainingData) (*nlu.TrainingData, error) {
	c, err := build(whitespace.Type(), nil, nil)
	if err != nil {
		return nil, err
	}
	return c.(nlu.TrainingProcessor).ProcessTrainingData(context.Background(), data)
}

func (f *featurizers) variant(bot, variant string, t graph.Type, config json.RawMessage) (any, error) {
	key := bot + " " + t.Name + " " + variant
	if c, ok := f.trained[key]; ok {
		return c, nil
	}
	data := f.data[bot]
	if t.Name == "RegexFeaturizer" && variant != "own" {
		data = &nlu.TrainingData{Source: withExtraPatterns(data.Source), Messages: data.Messages}
	}
	c, err := trained(t, config, data)
	f.trained[key] = c
	return c, err
}

// withExtraPatterns adds what the variants named extra were recorded with.
func withExtraPatterns(source *nludata.TrainingData) *nludata.TrainingData {
	s := *source
	s.Regexes = slices.Clip(s.Regexes)
	for _, p := range [][2]string{
		{"accent", "[áéíóúñ]"}, {"email", `[\w.]+@[\w.]+`}, {"greet", `\b(hi|hello|hola)\b`},
		{"number", `\b(one|two|five|uno)\b`}, {"number", `\d+`}, {"two_words", `\w+ \w+`}, {"word_upper", `\b[A-Z]+\b`},
	} {
		s.Regexes = append(s.Regexes, nludata.Pattern{Name: p[0], Pattern: p[1]})
	}
	s.Lookups = append(slices.Clip(s.Lookups),
		nludata.Lookup{Name: "food", Values: []string{"italian", "mexican", "ramen", "Cien años de soledad"}},
		nludata.Lookup{Name: "mood", Values: []string{"happy", "sad", "triste", "good", "so", "e"}})
	return &s
}

// message tokenizes a text.
func message(text string) (*nlu.Message, error) {
	m := &nlu.Message{}
	m.Values[nlu.Text] = text
	c, err := build(whitespace.Type(), nil, nil)
	if err != nil {
		return nil, err
	}
	return m, process(c, m)
}

func inOrder(columns map[string]int32) []string {
	names := make([]string, len(columns))
	for name, c := range columns {
		names[c] = name
	}
	return names
}

// named gives a matrix by the names of its columns.
func named(columns map[string]int32, m *sparse.Matrix) []map[string]float64 {
	names := inOrder(columns)
	rows := []map[string]float64{}
	for i := range m.Rows() {
		row := map[string]float64{}
		index, value := m.Row(i)
		for j, c := range index {
			row[names[c]] = float64(value[j])
		}
		rows = append(rows, row)
	}
	return rows
}

func summaryCheck(dir string) Report {
	report := Report{File: "nlu/features_summary.json"}
	f, err := featurizersIn(dir)
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
	f, err := featurizersIn(dir)
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
	f, err := featurizersIn(dir)
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
	f, err := featurizersIn(dir)
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
