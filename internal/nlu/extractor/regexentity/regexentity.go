// Package regexentity is Rasa's RegexEntityExtractor: entities found by the
// regular expressions and lookup tables that carry an entity's name.
package regexentity

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"

	"github.com/loquat-dev/loquat/internal/graph"
	"github.com/loquat-dev/loquat/internal/nlu"
	"github.com/loquat-dev/loquat/internal/pyregexp"
)

// Config is what config.yml may set for RegexEntityExtractor.
type Config struct {
	CaseSensitive     bool `json:"case_sensitive"`
	UseLookupTables   bool `json:"use_lookup_tables"`
	UseRegexes        bool `json:"use_regexes"`
	UseWordBoundaries bool `json:"use_word_boundaries"` // for entries of lookup tables
}

const name = "RegexEntityExtractor"

// Type describes the component.
func Type() graph.Type {
	t := graph.Type{
		Name:      name,
		ClassPath: "rasa.nlu.extractors.regex_entity_extractor.RegexEntityExtractor",
		Kinds:     []graph.Kind{graph.EntityExtractor},
		Trainable: true,
		Version:   1,
		Fns:       nlu.Fns(),
	}
	return graph.Define(t, Config{UseLookupTables: true, UseRegexes: true, UseWordBoundaries: true}, build)
}

const regexFile = "regex.json" // a JSON list of {name, pattern}

// Extractor finds entities.
type Extractor struct {
	config   Config
	logger   *slog.Logger
	patterns []nlu.Pattern
	compiled []*pyregexp.Regexp
}

func build(env graph.Env, c Config, saved graph.Resource) (any, error) {
	e := &Extractor{config: c, logger: env.Logger}
	if saved == nil {
		return e, nil
	}
	var patterns []nlu.Pattern
	if err := json.Unmarshal(saved[regexFile], &patterns); err != nil {
		return nil, fmt.Errorf("read %s: %w", regexFile, err)
	}
	return e, e.set(patterns)
}

// set compiles the patterns.
func (e *Extractor) set(patterns []nlu.Pattern) (err error) {
	e.patterns = patterns
	e.compiled, err = nlu.CompilePatterns(patterns, e.config.CaseSensitive)
	return err
}

// Train takes those patterns whose name is that of an annotated entity.
func (e *Extractor) Train(_ context.Context, data *nlu.TrainingData) error {
	entities := map[string]bool{}
	for _, example := range data.Source.Examples {
		for _, entity := range example.Entities {
			entities[entity.Entity] = true
		}
	}
	source := nlu.PatternSource{
		Regexes: e.config.UseRegexes, Lookups: e.config.UseLookupTables, WordBoundaries: e.config.UseWordBoundaries,
		Names: entities,
	}
	patterns := source.Patterns(data.Source)
	if len(patterns) == 0 {
		e.logger.Warn("no regex or lookup table has the name of an annotated entity: the component will find nothing",
			"component", name)
	}
	return e.set(patterns)
}

// Process adds an entity for every match of every pattern, overlapping or not.
func (e *Extractor) Process(_ context.Context, messages []*nlu.Message) error {
	for _, m := range messages {
		text := pyregexp.NewText(nlu.CleanText(m.Values[nlu.Text]))
		for i, r := range e.compiled {
			spans, err := r.FindAll(text, 0)
			if err != nil {
				e.logger.Warn("a regular expression was stopped: what it found so far is kept",
					"component", name, "regex", e.patterns[i].Name, "err", err)
			}
			for _, s := range spans {
				m.Entities = append(m.Entities, nlu.Entity{
					Entity: e.patterns[i].Name, Start: s.Start, End: s.End, Value: text.Cut(s), Extractor: name,
				})
			}
		}
	}
	return nil
}

// Patterns returns the patterns in the order in which they are tried.
func (e *Extractor) Patterns() []nlu.Pattern { return e.patterns }

// Persist keeps the patterns.
func (e *Extractor) Persist() (graph.Resource, error) {
	patterns := e.patterns
	if patterns == nil {
		patterns = []nlu.Pattern{}
	}
	data, err := json.Marshal(patterns)
	if err != nil {
		return nil, fmt.Errorf("encode patterns: %w", err)
	}
	return graph.Resource{regexFile: data}, nil
}
