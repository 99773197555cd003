// Package jieba is Rasa's JiebaTokenizer: it cuts Chinese into words as jieba
// 0.42.1 does, with that version's dictionary and statistics.
//
// Cutting takes two steps. The most probable way to write a text as words of the
// dictionary is found first (dictionary.go, segment.go). What is left in single
// characters is then cut by a hidden Markov model (unknown.go). The data is
// unpacked when the first such tokenizer is made, and not before.
package jieba

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/loquat-dev/loquat/internal/graph"
	"github.com/loquat-dev/loquat/internal/nlu"
	"github.com/loquat-dev/loquat/internal/nlu/tokenizer"
)

// Config is what config.yml may set for JiebaTokenizer.
type Config struct {
	tokenizer.Config
	// DictionaryPath is a folder. Every file in it is a user dictionary, and
	// becomes part of the model; nil: none.
	DictionaryPath *string `json:"dictionary_path"`
}

const name = "JiebaTokenizer"

// Type describes the component.
func Type() graph.Type {
	t := graph.Type{
		Name:      name,
		ClassPath: "rasa.nlu.tokenizers.jieba_tokenizer.JiebaTokenizer",
		Kinds:     []graph.Kind{graph.Tokenizer},
		Trainable: true,
		Version:   1,
		Languages: []string{"zh"},
		Packages:  []string{"jieba"},
		Check:     tokenizer.Check,
		Files:     files,
		Fns:       nlu.Fns(),
	}
	return graph.Define(t, Config{Config: tokenizer.Defaults()}, build)
}

// Tokenizer is the component: the dictionaries are all that it learns.
type Tokenizer struct {
	*tokenizer.Tokenizer
	dictionaries graph.Resource // as they were read
}

func build(env graph.Env, c Config, saved graph.Resource) (any, error) {
	if saved == nil && c.DictionaryPath != nil && *c.DictionaryPath != "" {
		var err error
		if saved, err = readDictionaries(*c.DictionaryPath, env.Logger); err != nil {
			return nil, err
		}
	}
	s, err := newSegmenter(saved)
	if err != nil {
		return nil, err
	}
	t, err := tokenizer.New(env, c.Config, s.split)
	if err != nil {
		return nil, err
	}
	return &Tokenizer{t, saved}, nil
}

// maxDictionary is how large a user dictionary may be, in bytes.
const maxDictionary = 64 << 20

// readDictionaries reads the files of a folder, those that begin with a dot left
// out. A folder that doesn't exist has none, as in Rasa.
func readDictionaries(folder string, logger *slog.Logger) (graph.Resource, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		logger.Warn("the dictionary_path can't be read: no user dictionary is used", "component", name, "err", err)
	}
	out := graph.Resource{}
	for _, e := range entries {
		file := filepath.Join(folder, e.Name())
		if strings.HasPrefix(e.Name(), ".") {
			continue
		}
		info, err := os.Stat(file) // of what a link points to
		switch {
		case err != nil:
			return nil, fmt.Errorf("dictionary_path: %w", err)
		case !info.Mode().IsRegular():
			return nil, fmt.Errorf("dictionary_path: %s is not a file: every entry of the folder must be a dictionary", file)
		case info.Size() > maxDictionary:
			return nil, fmt.Errorf("dictionary_path: %s has more than %d bytes", file, maxDictionary)
		}
		if out[e.Name()], err = os.ReadFile(file); err != nil {
			return nil, fmt.Errorf("dictionary_path: %w", err)
		}
	}
	if len(out) == 0 && err == nil {
		logger.Warn("the dictionary_path holds no file: no user dictionary is used", "component", name, "path", folder)
	}
	return out, nil
}

// files gives what the settings refer to, for the fingerprint.
func files(c graph.Config) (graph.Resource, error) {
	folder, _ := c["dictionary_path"].(string)
	if folder == "" {
		return nil, nil
	}
	return readDictionaries(folder, slog.New(slog.DiscardHandler))
}

// Train has nothing to do: dictionaries were read when the component was made.
func (t *Tokenizer) Train(context.Context, *nlu.TrainingData) error { return nil }

// Persist keeps the user dictionaries.
func (t *Tokenizer) Persist() (graph.Resource, error) {
	if t.dictionaries == nil {
		return graph.Resource{}, nil
	}
	return t.dictionaries, nil
}

// newSegmenter adds the user dictionaries to jieba's, in the order of their names.
func newSegmenter(dictionaries graph.Resource) (*segmenter, error) {
	d, err := standard()
	if err != nil {
		return nil, fmt.Errorf("unpack dictionary: %w", err)
	}
	s := &segmenter{words: words{standard: d, total: d.total}}
	var names []string
	for n := range dictionaries {
		names = append(names, n)
	}
	slices.Sort(names)
	for _, n := range names {
		if err := s.addAll(dictionaries[n]); err != nil {
			return nil, fmt.Errorf("user dictionary %s: %w", n, err)
		}
	}
	return s, nil
}
