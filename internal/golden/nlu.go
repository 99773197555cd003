package golden

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/google/go-cmp/cmp"

	"github.com/loquat-dev/loquat/internal/graph"
	"github.com/loquat-dev/loquat/internal/nlu"
)

// NLU compares the components that understand texts, except those that learn
// from examples how to.
func NLU() []Check {
	return []Check{
		{"nlu/tokenizer.jsonl", tokenizerCheck},
		{"nlu/features_summary.json", summaryCheck},
		{"nlu/features_count_vectors.jsonl", countVectorsCheck},
		{"nlu/features_lemma.jsonl", lemmaCheck},
		{"nlu/features_lexical_syntactic.jsonl", lexicalSyntacticCheck},
		{"nlu/features_regex.jsonl", regexFeaturesCheck},
		{"nlu/regex_entity.jsonl", regexEntityCheck},
		{"nlu/entity_merging.jsonl", entityMergingCheck},
		{"nlu/tags_to_entities.jsonl", tagsCheck},
		{"nlu/bilou_repair.jsonl", bilouCheck},
		{"nlu/crf_decoding.jsonl", marginalsCheck},
		{"nlu/crf_features.jsonl", crfFeaturesCheck},
		{"nlu/keyword.jsonl", keywordCheck},
		{"nlu/synonyms.jsonl", synonymsCheck},
		{"nlu/fallback.jsonl", fallbackCheck},
		{"nlu/parse_shape.json", parseShapeCheck},
	}
}

// eachRecord reads a recording of one JSON value a line.
func eachRecord[T any](dir, file string, each func(r *T)) error {
	f, err := os.Open(filepath.Join(dir, filepath.FromSlash(file)))
	if err != nil {
		return err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var r T
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			return fmt.Errorf("read recording %s: %w", file, err)
		}
		each(&r)
	}
	return lines.Err()
}

// build makes a component with a recorded configuration, whose whole numbers
// are whole.
func build(t graph.Type, config json.RawMessage, saved graph.Resource) (any, error) {
	var c map[string]any
	if len(config) > 0 {
		if err := unmarshalNumbers(config, &c); err != nil {
			return nil, err
		}
	}
	env := graph.Env{NodeName: t.Name, Logger: slog.New(slog.DiscardHandler)}
	return t.Build(env, graph.Config(c), saved)
}

// trained makes a component, trains it, and makes it anew from what it keeps.
func trained(t graph.Type, config json.RawMessage, data *nlu.TrainingData) (any, error) {
	fresh, err := build(t, config, nil)
	if err != nil {
		return nil, err
	}
	if err := fresh.(nlu.Trainer).Train(context.Background(), data); err != nil {
		return nil, err
	}
	saved, err := fresh.(graph.Persister).Persist()
	if err != nil {
		return nil, err
	}
	return build(t, config, saved)
}

func process(component any, m *nlu.Message) error {
	return component.(nlu.Processor).Process(context.Background(), []*nlu.Message{m})
}

// diff tells how two values differ once both have been through JSON.
func diff(want, got any) string { return cmp.Diff(asJSON(want), asJSON(got)) }

func asJSON(v any) any {
	data, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	var out any
	if err := json.Unmarshal(data, &out); err != nil {
		return err.Error()
	}
	return out
}
