// Package lexicalsyntactic is Rasa's LexicalSyntacticFeaturizer: for each token,
// how it and its neighbours are written (case, digits, first and last letters)
// and whether they begin or end the text. It helps to find entities.
package lexicalsyntactic

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/loquat-dev/loquat/internal/graph"
	"github.com/loquat-dev/loquat/internal/ml/sparse"
	"github.com/loquat-dev/loquat/internal/nlu"
)

// Config is what config.yml may set for LexicalSyntacticFeaturizer.
type Config struct {
	Alias *string `json:"alias"`
	// Features lists what is looked at for each token of a window, whose middle
	// is the token itself; of an even number of lists, the one after the middle.
	Features [][]string `json:"features"`
}

func defaults() Config {
	return Config{Features: [][]string{
		{"low", "title", "upper"},
		{"BOS", "EOS", "low", "upper", "title", "digit"},
		{"low", "title", "upper"},
	}}
}

// Type describes the component.
func Type() graph.Type {
	t := graph.Type{
		Name:      "LexicalSyntacticFeaturizer",
		ClassPath: "rasa.nlu.featurizers.sparse_featurizer.lexical_syntactic_featurizer.LexicalSyntacticFeaturizer",
		Kinds:     []graph.Kind{graph.Featurizer},
		Trainable: true,
		Version:   1,
		Requires:  []string{"Tokenizer"},
		Check:     check,
		Fns:       nlu.Fns(),
	}
	return graph.Define(t, defaults(), build)
}

func check(config graph.Config) []error {
	c := defaults()
	if err := config.Decode(&c); err != nil {
		return []error{fmt.Errorf("features: must be a list of lists of feature names: %w", err)}
	}
	var errs []error
	if len(c.Features) == 0 {
		errs = append(errs, fmt.Errorf("features: at least one list is needed"))
	}
	for i, names := range c.Features {
		for _, name := range names {
			if !isFeature(name) {
				errs = append(errs, fmt.Errorf("features: %q in list %d is not one of %s", name, i+1, strings.Join(featureNames(), ", ")))
			}
		}
	}
	return errs
}

// columnsFile keeps what was learned as JSON: "<list>###<feature>" → value →
// column.
const columnsFile = "feature_to_idx_dict.json"

// Featurizer describes how tokens are written.
type Featurizer struct {
	origin   string
	logger   *slog.Logger
	finetune bool
	window   []place
	width    int
}

func build(env graph.Env, c Config, saved graph.Resource) (any, error) {
	f := &Featurizer{origin: nlu.Origin(env, c.Alias), logger: env.Logger, finetune: env.Finetuning}
	for i, names := range c.Features {
		names = slices.Compact(slices.Sorted(slices.Values(names)))
		for _, name := range names {
			if !isFeature(name) {
				return nil, fmt.Errorf("unknown feature %q", name)
			}
			p := place{list: i, offset: i - len(c.Features)/2, feature: name, flag: flags[name], extract: extractors[name]}
			p.setColumns(map[string]int32{})
			f.window = append(f.window, p)
		}
	}
	if saved != nil {
		if err := f.load(saved); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// Train collects the values that occur. Columns are in the order of position,
// feature and value. When fine-tuning, values that the earlier model knows keep
// their columns, and new ones follow.
func (f *Featurizer) Train(ctx context.Context, data *nlu.TrainingData) error {
	values := make([]map[string]bool, len(f.window))
	for i := range values {
		values[i] = map[string]bool{}
	}
	tagged := false
	for _, m := range data.Messages {
		if err := ctx.Err(); err != nil {
			return err
		}
		s := read(m.Tokens[nlu.Text])
		for t := range s.tokens {
			tagged = tagged || s.tokens[t].POS != ""
			for i := range f.window {
				if v, ok := f.window[i].value(s, t); ok {
					values[i][v] = true
				}
			}
		}
		s.release()
	}
	if !f.finetune {
		f.width = 0
	}
	for i := range f.window {
		p := &f.window[i]
		columns := make(map[string]int32, len(values[i]))
		if f.finetune {
			maps.Copy(columns, p.columns)
		}
		for _, v := range slices.Sorted(maps.Keys(values[i])) {
			if _, known := columns[v]; !known {
				columns[v] = int32(f.width)
				f.width++
			}
		}
		p.setColumns(columns)
	}
	if !tagged && f.uses("pos", "pos2") {
		f.logger.Warn("the features pos and pos2 need a tokenizer that knows parts of speech: they are the same for all tokens",
			"component", f.origin)
	}
	return nil
}

func (f *Featurizer) uses(names ...string) bool {
	return slices.ContainsFunc(f.window, func(p place) bool { return slices.Contains(names, p.feature) })
}

// ProcessTrainingData adds features to all texts.
func (f *Featurizer) ProcessTrainingData(ctx context.Context, data *nlu.TrainingData) (*nlu.TrainingData, error) {
	return nlu.FeaturizeTrainingData(ctx, data, f.featurize)
}

// Process adds features to the texts of messages.
func (f *Featurizer) Process(_ context.Context, messages []*nlu.Message) error {
	for _, m := range messages {
		f.featurize(m)
	}
	return nil
}

func (f *Featurizer) featurize(m *nlu.Message) {
	tokens := m.Tokens[nlu.Text]
	if len(tokens) == 0 || f.width == 0 {
		return
	}
	s := read(tokens)
	defer s.release()
	places := make([]int32, len(tokens)+1+len(tokens)*len(f.window)) // for Start and Index
	x := &sparse.Matrix{Cols: f.width, Start: places[: 1 : len(tokens)+1], Index: places[len(tokens)+1:][:0]}
	for t := range tokens {
		from := len(x.Index)
		for i := range f.window {
			if c := f.window[i].column(s, t); c >= 0 {
				x.Index = append(x.Index, c)
			}
		}
		slices.Sort(x.Index[from:]) // they are in order, but for what fine-tuning has added
		x.Start = append(x.Start, int32(len(x.Index)))
	}
	x.Value = sparse.Ones(len(x.Index))
	m.Features = append(m.Features, nlu.Features{Attribute: nlu.Text, Level: nlu.Sequence, Origin: f.origin, Sparse: x})
}

// Columns lists what the columns stand for, as "<offset>:<feature>:<value>".
func (f *Featurizer) Columns() []string {
	names := make([]string, f.width)
	for _, p := range f.window {
		for v, c := range p.columns {
			names[c] = strconv.Itoa(p.offset) + ":" + p.feature + ":" + v
		}
	}
	return names
}

// Persist keeps the columns.
func (f *Featurizer) Persist() (graph.Resource, error) {
	out := map[string]map[string]int32{}
	for _, p := range f.window {
		out[p.key()] = p.columns
	}
	data, err := json.Marshal(out)
	if err != nil {
		return nil, fmt.Errorf("encode columns: %w", err)
	}
	return graph.Resource{columnsFile: data}, nil
}

func (f *Featurizer) load(saved graph.Resource) error {
	var columns map[string]map[string]int32
	if err := json.Unmarshal(saved[columnsFile], &columns); err != nil {
		return fmt.Errorf("read %s: %w", columnsFile, err)
	}
	for i := range f.window {
		p := &f.window[i]
		p.setColumns(columns[p.key()])
		f.width += len(p.columns)
	}
	for _, p := range f.window {
		for v, c := range p.columns {
			if c < 0 || int(c) >= f.width {
				return fmt.Errorf("read %s: %s %q has column %d of %d", columnsFile, p.key(), v, c, f.width)
			}
		}
	}
	return nil
}
