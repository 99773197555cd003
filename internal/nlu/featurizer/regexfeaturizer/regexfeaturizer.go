// Package regexfeaturizer is Rasa's RegexFeaturizer: one column for each regular
// expression and each lookup table of the training data, set for the tokens that
// a match touches.
package regexfeaturizer

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"

	"github.com/loquat-dev/loquat/internal/graph"
	"github.com/loquat-dev/loquat/internal/ml/sparse"
	"github.com/loquat-dev/loquat/internal/nlu"
	"github.com/loquat-dev/loquat/internal/pyregexp"
)

// Config is what config.yml may set for RegexFeaturizer.
type Config struct {
	Alias             *string `json:"alias"`
	CaseSensitive     bool    `json:"case_sensitive"`
	UseLookupTables   bool    `json:"use_lookup_tables"`
	UseRegexes        bool    `json:"use_regexes"`
	UseWordBoundaries bool    `json:"use_word_boundaries"` // for entries of lookup tables
}

func defaults() Config {
	return Config{CaseSensitive: true, UseLookupTables: true, UseRegexes: true, UseWordBoundaries: true}
}

// Type describes the component.
func Type() graph.Type {
	t := graph.Type{
		Name:      "RegexFeaturizer",
		ClassPath: "rasa.nlu.featurizers.sparse_featurizer.regex_featurizer.RegexFeaturizer",
		Kinds:     []graph.Kind{graph.Featurizer},
		Trainable: true,
		Version:   1,
		Requires:  []string{"Tokenizer"},
		Fns:       nlu.Fns(),
	}
	return graph.Define(t, defaults(), build)
}

const patternsFile = "patterns.json" // a JSON list of {name, pattern}, in the order of columns

// Featurizer marks what patterns match.
type Featurizer struct {
	config   Config
	origin   string
	logger   *slog.Logger
	finetune bool

	patterns []nlu.Pattern
	compiled []*pyregexp.Regexp
	flags    map[string]bool // every pattern's name → false; shared by tokens that nothing matches
}

func build(env graph.Env, c Config, saved graph.Resource) (any, error) {
	f := &Featurizer{config: c, origin: nlu.Origin(env, c.Alias), logger: env.Logger, finetune: env.Finetuning}
	if saved == nil {
		return f, nil
	}
	var patterns []nlu.Pattern
	if err := json.Unmarshal(saved[patternsFile], &patterns); err != nil {
		return nil, fmt.Errorf("read %s: %w", patternsFile, err)
	}
	return f, f.set(patterns)
}

// set compiles the patterns.
func (f *Featurizer) set(patterns []nlu.Pattern) (err error) {
	f.patterns = patterns
	f.flags = make(map[string]bool, len(patterns))
	for _, p := range patterns {
		f.flags[p.Name] = false
	}
	f.compiled, err = nlu.CompilePatterns(patterns, f.config.CaseSensitive)
	return err
}

// Train takes the patterns of the training data. When fine-tuning, patterns of
// the earlier model keep their columns: one whose name is still there takes the
// new expression, and new names follow.
func (f *Featurizer) Train(_ context.Context, data *nlu.TrainingData) error {
	source := nlu.PatternSource{Regexes: f.config.UseRegexes, Lookups: f.config.UseLookupTables, WordBoundaries: f.config.UseWordBoundaries}
	patterns := source.Patterns(data.Source)
	if f.finetune {
		patterns = merge(f.patterns, patterns)
	}
	return f.set(patterns)
}

func merge(old, fresh []nlu.Pattern) []nlu.Pattern {
	out := slices.Clone(old)
	taken := make([]bool, len(old))
	for _, p := range fresh {
		i := slices.IndexFunc(old, func(o nlu.Pattern) bool { return o.Name == p.Name })
		for i >= 0 && i < len(old) && (taken[i] || old[i].Name != p.Name) {
			i++ // several patterns of one name take their places in order
		}
		if i < 0 || i >= len(old) {
			out = append(out, p)
			continue
		}
		out[i], taken[i] = p, true
	}
	return out
}

// ProcessTrainingData adds features to texts and responses.
func (f *Featurizer) ProcessTrainingData(ctx context.Context, data *nlu.TrainingData) (*nlu.TrainingData, error) {
	return nlu.FeaturizeTrainingData(ctx, data, func(m *nlu.Message) {
		for _, a := range []nlu.Attribute{nlu.Text, nlu.ResponseText, nlu.ActionText} {
			m.Tokens[a] = slices.Clone(m.Tokens[a]) // the originals belong to data
			f.featurize(m, a)
		}
	})
}

// Process adds features to the texts of messages.
func (f *Featurizer) Process(_ context.Context, messages []*nlu.Message) error {
	for _, m := range messages {
		f.featurize(m, nlu.Text)
		f.featurize(m, nlu.ActionText)
	}
	return nil
}

func (f *Featurizer) featurize(m *nlu.Message, a nlu.Attribute) {
	tokens := m.Tokens[a]
	if len(f.patterns) == 0 || len(tokens) == 0 {
		return
	}
	matched := f.match(m.Values[a], tokens)
	f.flag(tokens, matched)

	sequence := &sparse.Matrix{Cols: len(f.patterns), Start: make([]int32, 1, len(tokens)+1)}
	any := make([]bool, len(f.patterns))
	for _, columns := range matched {
		for _, c := range columns {
			sequence.Index = append(sequence.Index, c)
			any[c] = true
		}
		sequence.Start = append(sequence.Start, int32(len(sequence.Index)))
	}
	sentence := &sparse.Matrix{Cols: len(f.patterns), Start: []int32{0}}
	for c, hit := range any {
		if hit {
			sentence.Index = append(sentence.Index, int32(c))
		}
	}
	sentence.Start = append(sentence.Start, int32(len(sentence.Index)))
	sequence.Value, sentence.Value = sparse.Ones(len(sequence.Index)), sparse.Ones(len(sentence.Index))
	m.Features = append(m.Features,
		nlu.Features{Attribute: a, Level: nlu.Sequence, Origin: f.origin, Sparse: sequence},
		nlu.Features{Attribute: a, Level: nlu.Sentence, Origin: f.origin, Sparse: sentence})
}

// match gives for each token the patterns that touch it, ascending.
func (f *Featurizer) match(value string, tokens []nlu.Token) [][]int32 {
	matched := make([][]int32, len(tokens))
	text := pyregexp.NewText(nlu.CleanText(value))
	for i, r := range f.compiled {
		spans, err := r.FindAll(text, 0)
		if err != nil {
			f.logger.Warn("a regular expression was stopped: it counts as far as it got",
				"component", f.origin, "regex", f.patterns[i].Name, "err", err)
		}
		first := 0 // tokens before it end before the span; both are in order
		for _, s := range spans {
			for first < len(tokens) && tokens[first].End <= s.Start {
				first++
			}
			for t := first; t < len(tokens) && tokens[t].Start < s.End; t++ {
				if n := len(matched[t]); n == 0 || matched[t][n-1] != int32(i) {
					matched[t] = append(matched[t], int32(i))
				}
			}
		}
	}
	return matched
}

// flag tells each token which names matched. Of several patterns of one name the
// last decides, as in Rasa.
func (f *Featurizer) flag(tokens []nlu.Token, matched [][]int32) {
	for t := range tokens {
		switch {
		case len(matched[t]) == 0:
			tokens[t].Patterns = f.flags
		case t > 0 && slices.Equal(matched[t], matched[t-1]):
			tokens[t].Patterns = tokens[t-1].Patterns
		default:
			flags := make(map[string]bool, len(f.flags))
			for i, p := range f.patterns {
				flags[p.Name] = slices.Contains(matched[t], int32(i))
			}
			tokens[t].Patterns = flags
		}
	}
}

// Persist keeps the patterns.
func (f *Featurizer) Persist() (graph.Resource, error) {
	patterns := f.patterns
	if patterns == nil {
		patterns = []nlu.Pattern{}
	}
	data, err := json.Marshal(patterns)
	if err != nil {
		return nil, fmt.Errorf("encode patterns: %w", err)
	}
	return graph.Resource{patternsFile: data}, nil
}

// Patterns returns the patterns in the order of their columns.
func (f *Featurizer) Patterns() []nlu.Pattern { return f.patterns }
