package golden

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/domain"
	"github.com/loquat-dev/loquat/internal/graph"
	"github.com/loquat-dev/loquat/internal/ml/sparse"
	"github.com/loquat-dev/loquat/internal/nlu"
	"github.com/loquat-dev/loquat/internal/nlu/tokenizer/whitespace"
	"github.com/loquat-dev/loquat/internal/nludata"
	"github.com/loquat-dev/loquat/internal/yamlfile"
)

// ties are the variants that keep some of several equally frequent n-grams. Which
// ones is left to an unstable sort in the original; here it is the first in the
// order of their code points.
var ties = map[string]bool{"word_max_features_20": true, "char_wb_max_features_50": true}

// featurizers makes and trains every variant once.
type featurizers struct {
	summary summary
	data    map[string]*nlu.TrainingData // by assistant, tokenized
	trained map[string]any               // by assistant, family and variant
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
