// Package synonyms is Rasa's EntitySynonymMapper: it replaces the values of
// entities found before it by the names that the training data gives them.
package synonyms

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strconv"

	"github.com/loquat-dev/loquat/internal/graph"
	"github.com/loquat-dev/loquat/internal/nlu"
	"github.com/loquat-dev/loquat/internal/pystr"
)

const name = "EntitySynonymMapper"

// Config is empty: the component has no settings.
type Config struct{}

// Type describes the component.
func Type() graph.Type {
	t := graph.Type{
		Name:      name,
		ClassPath: "rasa.nlu.extractors.entity_synonyms.EntitySynonymMapper",
		Kinds:     []graph.Kind{graph.EntityExtractor},
		Trainable: true,
		Version:   1,
		Fns:       nlu.Fns(),
	}
	return graph.Define(t, Config{}, build)
}

const synonymsFile = "synonyms.json" // a JSON object: lower-cased form → value

// Mapper replaces values.
type Mapper struct {
	logger *slog.Logger
	table  map[string]string // lower-cased form → value
}

func build(env graph.Env, _ Config, saved graph.Resource) (any, error) {
	m := &Mapper{logger: env.Logger, table: map[string]string{}}
	if saved != nil {
		if err := json.Unmarshal(saved[synonymsFile], &m.table); err != nil {
			return nil, fmt.Errorf("read %s: %w", synonymsFile, err)
		}
	}
	return m, nil
}

// Train learns the synonyms of the data, then those that annotations imply.
func (m *Mapper) Train(_ context.Context, data *nlu.TrainingData) error {
	for _, form := range data.Source.SynonymForms() {
		m.learn(form, data.Source.Synonyms[form])
	}
	for _, example := range data.Source.Examples {
		if len(example.Entities) == 0 {
			continue
		}
		text := []rune(example.Text)
		for _, e := range example.Entities {
			value, ok := spelled(e.Value)
			if ok && 0 <= e.Start && e.Start <= e.End && e.End <= len(text) {
				m.learn(string(text[e.Start:e.End]), value)
			}
		}
	}
	return nil
}

// learn adds a form of a value. A later value wins; and every value is a form of
// itself unless it is known as a form of another.
func (m *Mapper) learn(form, value string) {
	if form != value {
		form = pystr.Lower(form)
		if old, known := m.table[form]; known && old != value {
			m.logger.Warn("a synonym has two values: the later one counts", "synonym", form, "earlier", old, "later", value)
		}
		m.table[form] = value
	}
	if own := pystr.Lower(value); !m.knows(own) {
		m.table[own] = value
	}
}

func (m *Mapper) knows(form string) bool {
	_, ok := m.table[form]
	return ok
}

// Process replaces what is known and says so in the entity's processors.
func (m *Mapper) Process(_ context.Context, messages []*nlu.Message) error {
	if len(m.table) == 0 {
		return nil
	}
	for _, message := range messages {
		for i := range message.Entities {
			e := &message.Entities[i]
			form, ok := spelled(e.Value)
			if !ok {
				continue
			}
			if value, known := m.table[pystr.Lower(form)]; known {
				e.Value = value
				e.Processors = append(slices.Clip(e.Processors), name)
			}
		}
	}
	return nil
}

// spelled writes a value as Python's str() does; false for lists and objects.
func spelled(value any) (string, bool) {
	switch v := value.(type) {
	case string:
		return v, true
	case int:
		return strconv.Itoa(v), true
	case int64:
		return strconv.FormatInt(v, 10), true
	case json.Number: // beyond 64 bits
		return string(v), true
	case float64:
		return formatFloat(v), true
	case bool:
		if v {
			return "True", true
		}
		return "False", true
	case nil:
		return "None", true
	}
	return "", false
}

// formatFloat writes whole numbers with one decimal.
func formatFloat(f float64) string {
	s := strconv.FormatFloat(f, 'g', -1, 64)
	if _, err := strconv.ParseInt(s, 10, 64); err == nil {
		s += ".0"
	}
	return s
}

// Table returns the synonyms by their lower-cased forms.
func (m *Mapper) Table() map[string]string { return m.table }

// Persist keeps the table.
func (m *Mapper) Persist() (graph.Resource, error) {
	data, err := json.Marshal(m.table)
	if err != nil {
		return nil, fmt.Errorf("encode synonyms: %w", err)
	}
	return graph.Resource{synonymsFile: data}, nil
}
